"""The numbers inside an ONNX file, read with suspicion: nothing is executed, and nothing outside the file is opened.

An ONNX file is a protobuf message, a sequence of numbered fields, each a number or a length and as many bytes, which may
be a message again. Weights need six kinds of message and no more, so the packages `onnx` and `protobuf` are not needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from optiproxy.errors import DataError
from optiproxy.tables.formats import protobuf

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Numbers of the fields, from the published schema (onnx.proto, ONNX IR version 6).
_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER = 1, 5
_NODE_OUTPUT, _NODE_ATTRIBUTE = 2, 5
_ATTRIBUTE_TENSOR = 5
_TENSOR_SHAPE, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_VALUES = 1, 2, 8, 9

_TYPES = {1: np.dtype("<f4"), 7: np.dtype("<i8")}
_MAX_AXES = 8


def read_tensors(content: bytes) -> dict[str, NDArray[Any]]:
    """All tensors that the graph of a model holds; takes time and memory in proportion to the length of the file.

    Args:
        content: The file.

    Returns:
        Name -> read-only array, backed by ``content``: initializers by their name, constants by that of their output.

    Raises:
        DataError: If it is no ONNX file, or is damaged, or holds a tensor of other numbers than 32-bit floats and 64-bit
            integers, or one whose values are elsewhere.
    """
    try:
        tensors = dict(
            named
            for field, graph in protobuf.fields(memoryview(content))
            if field == _MODEL_GRAPH
            for named in _graph(protobuf.content(graph))
        )
    except ValueError as error:
        raise DataError(f"Expected an ONNX file of plain tensors, but {error}. Get the file again.") from error
    if not tensors:
        raise DataError("Expected an ONNX file of plain tensors, but it holds none. Get the file again.")
    return tensors


def _graph(graph: memoryview) -> Iterator[tuple[str, NDArray[Any]]]:
    for field, value in protobuf.fields(graph):
        if field == _GRAPH_INITIALIZER:
            yield _tensor(protobuf.content(value))
        elif field == _GRAPH_NODE:
            yield from _constants(protobuf.content(value))


def _constants(node: memoryview) -> Iterator[tuple[str, NDArray[Any]]]:
    output = ""
    for field, value in protobuf.fields(node):
        if field == _NODE_OUTPUT:
            output = _text(value)
        elif field == _NODE_ATTRIBUTE:
            for part, tensor in protobuf.fields(protobuf.content(value)):
                if part == _ATTRIBUTE_TENSOR:
                    yield output, _tensor(protobuf.content(tensor))[1]


def _tensor(tensor: memoryview) -> tuple[str, NDArray[Any]]:
    name, kind, shape, values = "", 0, list[int](), memoryview(b"")
    for field, value in protobuf.fields(tensor):
        if field == _TENSOR_NAME:
            name = _text(value)
        elif field == _TENSOR_TYPE:
            kind = protobuf.number(value)
        elif field == _TENSOR_VALUES:
            values = protobuf.content(value)
        elif field == _TENSOR_SHAPE:
            # Either one field per axis or one for all.
            shape += [value] if isinstance(value, int) else _varints(value)
            if len(shape) > _MAX_AXES:
                raise ValueError(f"a tensor has more than {_MAX_AXES} axes")
    if kind not in _TYPES:
        raise ValueError(f"the tensor {name!r} has numbers of type {kind}")
    if len(values) != math.prod(shape) * _TYPES[kind].itemsize:
        raise ValueError(f"the tensor {name!r} holds {len(values)} bytes for the shape {shape}")
    return name, np.frombuffer(values, _TYPES[kind]).reshape(shape)


def _varints(packed: memoryview) -> Iterator[int]:
    at = 0
    while at < len(packed):
        number, at = protobuf.varint(packed, at)
        yield number


def _text(value: protobuf.Value) -> str:
    return str(protobuf.content(value), "utf-8")
