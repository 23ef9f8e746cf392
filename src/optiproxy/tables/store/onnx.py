"""The tensors of an ONNX file, which is one protobuf message: weights and constants, and not what is done with them.

Why no library reads them: docs/decisions/data.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from optiproxy.errors import DataError
from optiproxy.tables.store import protobuf

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Tensors:
    """The tensors of one file, taken by name and shape.

    Args:
        model: Content of the file.
        file: Its name, for messages.

    Raises:
        DataError: As `read_tensors`.
    """

    def __init__(self, model: bytes, *, file: str) -> None:
        self._tensors = read_tensors(model)
        self._file = file

    def take(self, name: str, shape: tuple[int | None, ...]) -> NDArray[np.float32]:
        """Return the tensor of this name and shape; None in the shape stands for any length.

        Raises:
            DataError: If there is none of this name, or it has another shape, other numbers, or one that is not finite.
        """
        tensor = self._tensors.get(name, np.empty(0))
        fits = tensor.ndim == len(shape) and all(
            wanted in (None, length) for wanted, length in zip(shape, tensor.shape, strict=True)
        )
        # One NaN among the weights would make every prediction NaN.
        if not fits or tensor.dtype != np.float32 or not np.isfinite(tensor).all():
            wanted = "x".join("?" if length is None else str(length) for length in shape) or "one"
            raise DataError(
                f"Expected {self._file} to hold {wanted} finite 32-bit numbers {name!r}. Get the file again from its source."
            )
        return tensor


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
            for field, graph in protobuf.fields(memoryview(model))
            if field == _MODEL_GRAPH
            for named in _graph(protobuf.as_bytes(graph))
        )
    except ValueError as error:
        raise DataError(f"Expected an ONNX file of plain tensors, but {error}. Get the file again.") from error
    if not tensors:
        raise DataError("Expected an ONNX file of plain tensors, but it holds none. Get the file again.")
    return tensors


def _graph(graph: memoryview) -> Iterator[tuple[str, NDArray[Any]]]:
    for field, value in protobuf.fields(graph):
        if field == _GRAPH_INITIALIZER:
            yield _tensor(protobuf.as_bytes(value))
        elif field == _GRAPH_NODE:
            yield from _constants(protobuf.as_bytes(value))


def _constants(node: memoryview) -> Iterator[tuple[str, NDArray[Any]]]:
    output = ""
    # Fields are written in the order of their numbers, so that the name of the output is known before its value.
    for field, value in protobuf.fields(node):
        if field == _NODE_OUTPUT:
            output = _text(value)
        elif field == _NODE_ATTRIBUTE:
            for part, tensor in protobuf.fields(protobuf.as_bytes(value)):
                if part == _ATTRIBUTE_TENSOR:
                    yield output, _tensor(protobuf.as_bytes(tensor))[1]


def _tensor(tensor: memoryview) -> tuple[str, NDArray[Any]]:
    name, kind, shape, values = "", 0, list[int](), memoryview(b"")
    for field, value in protobuf.fields(tensor):
        if field == _TENSOR_NAME:
            name = _text(value)
        elif field == _TENSOR_TYPE:
            kind = protobuf.as_int(value)
        elif field == _TENSOR_VALUES:
            values = protobuf.as_bytes(value)
        elif field == _TENSOR_SHAPE:
            # Writers may give one field per axis, or pack all axes into one.
            shape += [value] if isinstance(value, int) else protobuf.varints(value)
            if len(shape) > _MAX_AXES:
                raise ValueError(f"a tensor has more than {_MAX_AXES} axes")
    # The network has no numbers of other types; a file that has is another one.
    if kind not in _TYPES:
        raise ValueError(f"the tensor {name!r} has numbers of type {kind}")
    # Values that are kept in another file leave none here, so that they are refused and the file is never opened.
    if len(values) != math.prod(shape) * _TYPES[kind].itemsize:
        raise ValueError(f"the tensor {name!r} holds {len(values)} bytes for the shape {shape}")
    return name, np.frombuffer(values, _TYPES[kind]).reshape(shape)


def _text(value: protobuf.Value) -> str:
    return str(protobuf.as_bytes(value), "utf-8")
