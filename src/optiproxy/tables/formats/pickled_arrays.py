"""Arrays of numpy and frames of pandas out of pickles, without handing the pickles' content to either library's loaders."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from optiproxy.errors import DataError
from optiproxy.tables.formats.unpickling import Inert

if TYPE_CHECKING:
    from numpy.typing import NDArray


class _DataType(Inert): ...


class _Scalar(Inert): ...


class _Buffer(Inert): ...


class _Array(Inert): ...


class _Index(Inert): ...


class _Frame(Inert): ...


class _Blocks(Inert): ...


NUMPY: dict[str, type] = {
    "numpy.dtype": _DataType,
    "numpy.ndarray": _Array,
    **{
        f"numpy.{core}.{name}": stand_in
        for core in ("core", "_core")
        for name, stand_in in (
            ("multiarray.scalar", _Scalar),
            ("multiarray._reconstruct", _Array),
            ("numeric._frombuffer", _Buffer),
        )
    },
}
"""What stands for numpy's constructors; ``_core`` is numpy 2."""

PANDAS: dict[str, type] = NUMPY | {
    "builtins.slice": Inert,
    "pandas.core.frame.DataFrame": _Frame,
    "pandas.core.internals.managers.BlockManager": _Blocks,
    "pandas.core.indexes.base._new_Index": _Index,
    "pandas.core.indexes.base.Index": _Index,
    "pandas.core.indexes.range.RangeIndex": _Index,
}
"""The same with those that a pickled frame of pandas 1 names."""

_NUMBERS = {"f4", "f8", "i4", "i8"}


def number(value: object) -> float:
    """A finite number, plain or a pickled scalar of numpy.

    Raises:
        DataError: If it is anything else.
    """
    if isinstance(value, _Scalar) and len(value.arguments) == 2:
        kind, content = value.arguments
        value = float(_numeric(content, _data_type(kind), ())) if isinstance(content, bytes) else None
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise DataError(f"Expected a finite number, got {type(value).__name__}. Get the file again from its source.")
    return float(value)


def frame_columns(frame: object) -> dict[str, NDArray[Any]]:
    """The columns of a pickled frame: numbers, or text as arrays of objects.

    A frame is kept as blocks of columns of one type: values ``(columns, rows)`` and, for each block, its columns' names.

    Raises:
        DataError: If it is no frame of numbers and text.
    """
    try:
        manager = cast("Any", frame).state["_data"]
        _, blocks, items = manager.state[:3]
        columns: dict[str, NDArray[Any]] = {}
        for block, index in zip(blocks, items, strict=True):
            names = _array(index.arguments[1]["data"])
            columns |= {str(name): column for name, column in zip(names, _array(block), strict=True)}
    except (AttributeError, TypeError, ValueError, KeyError, IndexError) as error:
        raise DataError("Expected a pickled frame of pandas. Get the file again from its source.") from error
    return columns


def _array(node: object) -> NDArray[Any]:
    if isinstance(node, _Buffer):
        content, kind, shape, order = node.arguments
        if not isinstance(content, bytes | bytearray):
            raise TypeError
        flat = _numeric(content, _data_type(kind), _shape(shape))
        return flat if order == "C" else flat.reshape(_shape(shape)[::-1]).T
    if isinstance(node, _Array) and isinstance(node.state, tuple):
        _, shape, _, fortran_order, values = cast("tuple[Any, ...]", node.state)
        if not isinstance(values, list) or fortran_order:
            raise TypeError
        texts = [text for text in cast("list[object]", values) if isinstance(text, str)]
        if len(texts) != len(values):
            raise TypeError
        return np.array(texts, dtype=object).reshape(_shape(shape))
    raise TypeError


def _shape(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple) or not all(type(size) is int for size in cast("tuple[object, ...]", value)):
        raise TypeError
    return cast("tuple[int, ...]", value)


def _data_type(node: object) -> np.dtype[Any]:
    if not isinstance(node, _DataType) or not node.arguments or node.arguments[0] not in _NUMBERS:
        raise DataError("Expected an array of numbers, got another type. Get the file again from its source.")
    state = cast("tuple[Any, ...]", node.state)
    big = isinstance(node.state, tuple) and len(state) > 1 and state[1] == ">"
    return np.dtype(f"{'>' if big else '<'}{node.arguments[0]}")


def _numeric(content: bytes | bytearray, kind: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    if len(content) != math.prod(shape) * kind.itemsize:
        raise DataError("Expected an array as long as its shape. Get the file again from its source.")
    return np.frombuffer(content, kind).reshape(shape)
