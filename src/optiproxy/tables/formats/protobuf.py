"""Protobuf messages without their schema, and the tensors in ONNX files, which are such messages.

A message is a sequence of numbered fields, each a whole number, eight or four bytes, or a length and as many bytes, which may
be a message again (protobuf.dev, "Encoding"). Reading is suspicious: nothing is executed, nothing outside the message is
opened, and time and memory are in proportion to its length. Why not the packages `protobuf` and `onnx`: see
docs/decisions/data.md.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from optiproxy.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Value: TypeAlias = "int | memoryview"
"""What a field holds: a whole number, or bytes."""

# Wire types, the low three bits of a field's key; 3 and 4 are the deprecated groups.
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_VARINT_BITS = 64


def fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield number and value of each field, in the order in which they are written.

    Raises:
        ValueError: Where the message is damaged; what comes before has been yielded by then.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        field, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            value, at = _varint(message, at)
            yield field, value
            continue
        if wire_type == _LENGTH:
            length, at = _varint(message, at)
        elif wire_type in (_FOUR_BYTES, _EIGHT_BYTES):
            length = 4 if wire_type == _FOUR_BYTES else 8
        else:
            raise ValueError(f"a field is written in the unknown form {wire_type}")
        # Slicing would cut a field short without a word.
        if length > len(message) - at:
            raise ValueError("it ends in the middle of a field")
        yield field, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number that begins at a place, seven bits to a byte, the lowest first; and the place behind it."""
    number = 0
    for shift in range(0, _VARINT_BITS, 7):
        if at >= len(message):
            raise ValueError("it ends in the middle of a number")
        byte, at = message[at], at + 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise ValueError(f"a number has more than {_VARINT_BITS} bits")


def as_bytes(value: Value) -> memoryview:
    """Return the bytes in a field.

    Raises:
        ValueError: If it holds a number.
    """
    if isinstance(value, int):
        raise ValueError("a number is where bytes should be")  # noqa: TRY004 - the data is wrong, not the call
    return value


def as_int(value: Value) -> int:
    """Return the whole number in a field.

    Raises:
        ValueError: If it holds bytes.
    """
    if not isinstance(value, int):
        raise ValueError("bytes are where a number should be")  # noqa: TRY004 - the same
    return value


def as_double(value: Value) -> float:
    """Return the 64-bit float in a field.

    Raises:
        ValueError: If it holds anything but eight bytes.
    """
    eight = as_bytes(value)
    if len(eight) != 8:
        raise ValueError(f"{len(eight)} bytes are where 8 should be")
    return struct.unpack("<d", eight)[0]


# Field numbers of onnx.proto (ONNX IR version 6): weights need six kinds of message and no more.
_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER = 1, 5
_NODE_OUTPUT, _NODE_ATTRIBUTE = 2, 5
_ATTRIBUTE_TENSOR = 5
_TENSOR_SHAPE, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_VALUES = 1, 2, 8, 9

_TYPES = {1: np.dtype("<f4"), 7: np.dtype("<i8")}
"""Maps ``TensorProto.DataType`` to numpy's type."""

_MAX_AXES = 8


def read_tensors(model: bytes) -> dict[str, NDArray[Any]]:
    """Read all tensors that the graph of an ONNX model holds.

    Args:
        model: Content of the file.

    Returns:
        Name -> read-only array, backed by ``model``: initializers by their name, constants by that of their output.

    Raises:
        DataError: If it is no ONNX file, or is damaged, or holds a tensor of other numbers than 32-bit floats and 64-bit
            integers, or one whose values are elsewhere.
    """
    try:
        tensors = dict(
            named
            for field, graph in fields(memoryview(model))
            if field == _MODEL_GRAPH
            for named in _graph(as_bytes(graph))
        )
    except ValueError as error:
        raise DataError(f"Expected an ONNX file of plain tensors, but {error}. Get the file again.") from error
    if not tensors:
        raise DataError("Expected an ONNX file of plain tensors, but it holds none. Get the file again.")
    return tensors


def _graph(graph: memoryview) -> Iterator[tuple[str, NDArray[Any]]]:
    for field, value in fields(graph):
        if field == _GRAPH_INITIALIZER:
            yield _tensor(as_bytes(value))
        elif field == _GRAPH_NODE:
            yield from _constants(as_bytes(value))


def _constants(node: memoryview) -> Iterator[tuple[str, NDArray[Any]]]:
    output = ""
    for field, value in fields(node):
        if field == _NODE_OUTPUT:
            output = _text(value)
        elif field == _NODE_ATTRIBUTE:
            for part, tensor in fields(as_bytes(value)):
                if part == _ATTRIBUTE_TENSOR:
                    yield output, _tensor(as_bytes(tensor))[1]


def _tensor(tensor: memoryview) -> tuple[str, NDArray[Any]]:
    name, kind, shape, values = "", 0, list[int](), memoryview(b"")
    for field, value in fields(tensor):
        if field == _TENSOR_NAME:
            name = _text(value)
        elif field == _TENSOR_TYPE:
            kind = as_int(value)
        elif field == _TENSOR_VALUES:
            values = as_bytes(value)
        elif field == _TENSOR_SHAPE:
            # Writers may give one field per axis, or pack all axes into one.
            shape += [value] if isinstance(value, int) else _varints(value)
            if len(shape) > _MAX_AXES:
                raise ValueError(f"a tensor has more than {_MAX_AXES} axes")
    if kind not in _TYPES:
        raise ValueError(f"the tensor {name!r} has numbers of type {kind}")
    # Values that are kept in another file leave none here, so that they are refused and the file is never opened.
    if len(values) != math.prod(shape) * _TYPES[kind].itemsize:
        raise ValueError(f"the tensor {name!r} holds {len(values)} bytes for the shape {shape}")
    return name, np.frombuffer(values, _TYPES[kind]).reshape(shape)


def _varints(packed: memoryview) -> Iterator[int]:
    at = 0
    while at < len(packed):
        number, at = _varint(packed, at)
        yield number


def _text(value: Value) -> str:
    return str(as_bytes(value), "utf-8")
