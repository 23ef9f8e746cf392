"""Pickles from outside, read without trust: numbers, text, numpy's arrays and pandas' frames, and nothing else.

A pickle is a program: ``REDUCE`` calls any function that ``GLOBAL`` has named. So no name is ever looked up. A few names get
a stand-in of ours, an `Inert` object that keeps what the pickle says; numbers and columns are then taken out of the
stand-ins with every type and length checked, so that neither numpy's nor pandas' own state-setting code sees the file.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from optiproxy.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Of all protocols, from 0 (INT) to 5 (BYTEARRAY8): the files come from many versions of Python.
_OPERATIONS = {
    *("PROTO", "FRAME", "STOP", "MARK", "POP", "POP_MARK", "DUP"),
    *("NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "FLOAT", "BINFLOAT"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "SHORT_BINBYTES", "BINBYTES", "BYTEARRAY8"),
    *("EMPTY_LIST", "LIST", "APPEND", "APPENDS", "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS"),
    *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
    *("GET", "BINGET", "LONG_BINGET", "PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"),
    *("GLOBAL", "STACK_GLOBAL", "REDUCE", "NEWOBJ", "BUILD"),
}
"""The operations that pickles of dictionaries, arrays and frames consist of; sets, extensions and persistent ids are not among them."""

_NUMBERED = {"PUT", "BINPUT", "LONG_BINPUT"}
"""Operations that store an object in a numbered slot of the memo."""


class Inert:
    """A stand-in for an object of a class that a pickle names: it keeps what the pickle says and does nothing with it.

    Attributes:
        arguments: What the class or function would have been called with.
        state: What would have been set on the object.
    """

    arguments: tuple[object, ...]
    state: object

    # Not `__init__`, which does not run where a pickle makes an object without calling its class.
    def __new__(cls, *arguments: object) -> Self:
        made = super().__new__(cls)
        made.arguments, made.state = arguments, None
        return made

    def __setstate__(self, state: object) -> None:
        self.state = state


def unpickle(content: bytes, stand_ins: Mapping[str, type]) -> object:
    """Read a pickle of built-in containers, numbers and text in which some named objects are replaced by stand-ins.

    Args:
        content: The pickle.
        stand_ins: Maps ``"module.name"`` to what stands for it: an `Inert`, or a built-in container. Every other name is
            refused.

    Raises:
        DataError: If the pickle names anything else, or is no pickle.
    """
    try:
        return _Unpickler(content, stand_ins).load()
    except Exception as error:
        # A damaged stream can fail in the unpickler in almost any way; the stated refusal is one of them.
        raise _refusal(error) from error


def unpickle_unknown(content: bytes, stand_ins: Mapping[str, type]) -> object:
    """Read a pickle as `unpickle` does, but one that no digest vouches for.

    Its operations are looked through first, so that it takes at most a fixed multiple of the length of ``content`` in memory.

    Raises:
        DataError: As for `unpickle`, and if the pickle holds an operation that plain data has no use for.
    """
    try:
        _look_through(content)
    except Exception as error:
        raise _refusal(error) from error
    return unpickle(content, stand_ins)


def _look_through(content: bytes) -> None:
    for operation, argument, _ in pickletools.genops(content):
        if operation.name not in _OPERATIONS:
            raise pickle.UnpicklingError(f"it holds the operation {operation.name}")
        # The C unpickler allocates one slot for each number below the largest: five bytes could ask for gigabytes.
        if operation.name in _NUMBERED and not 0 <= int(argument or 0) <= len(content):
            raise pickle.UnpicklingError("it numbers an object beyond its own length")


def _refusal(error: Exception) -> DataError:
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return DataError(f"Expected a pickle of plain values: {reason}. Get the file again from its source.")


class _Unpickler(pickle.Unpickler):
    def __init__(self, content: bytes, stand_ins: Mapping[str, type]) -> None:
        super().__init__(io.BytesIO(content))
        self._stand_ins = stand_ins

    def find_class(self, module_name: str, global_name: str) -> object:
        name = f"{module_name}.{global_name}"
        if name not in self._stand_ins:
            raise pickle.UnpicklingError(f"it asks for {name}")
        return self._stand_ins[name]


# A class each, so that they can be told apart; none has a behavior.
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
"""Stand-ins for the constructors that numpy's pickles name; ``_core`` is numpy 2."""

PANDAS: dict[str, type] = NUMPY | {
    "builtins.slice": Inert,
    "pandas.core.frame.DataFrame": _Frame,
    "pandas.core.internals.managers.BlockManager": _Blocks,
    "pandas.core.indexes.base._new_Index": _Index,
    "pandas.core.indexes.base.Index": _Index,
    "pandas.core.indexes.range.RangeIndex": _Index,
}
"""`NUMPY`, and stand-ins for the names in a pickled frame of pandas 1."""

_NUMBERS = {"f4", "f8", "i4", "i8"}
"""The types of numbers that are read, as numpy abbreviates them."""


def number(value: object) -> float:
    """Return a finite number that was pickled plainly or as a scalar of numpy.

    Raises:
        DataError: If it is anything else.
    """
    # A scalar is pickled as its type and its bytes.
    if isinstance(value, _Scalar) and len(value.arguments) == 2:
        kind, content = value.arguments
        value = float(_numeric(content, _data_type(kind), ())) if isinstance(content, bytes) else None
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise DataError(f"Expected a finite number, got {type(value).__name__}. Get the file again from its source.")
    return float(value)


def frame_columns(frame: object) -> dict[str, NDArray[Any]]:
    """Return the columns of a pickled frame by name, each ``(n,)``: numbers, or text as an array of objects.

    pandas 1 keeps a frame as blocks of columns of one type: values ``(columns, n)`` and, for each block, its columns' names.

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
        # Protocol 5 pickles a contiguous array as a buffer with its type, shape and order.
        flat = _numeric(content, _data_type(kind), _shape(shape))
        return flat if order == "C" else flat.reshape(_shape(shape)[::-1]).T
    # An array of objects, as text is, is pickled with a list of Python's own objects for values.
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
    # The second entry of the state of a type is its byte order.
    big = isinstance(node.state, tuple) and len(state) > 1 and state[1] == ">"
    return np.dtype(f"{'>' if big else '<'}{node.arguments[0]}")


def _numeric(content: bytes | bytearray, kind: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    # Checked here, because `frombuffer` and `reshape` would raise less helpful errors.
    if len(content) != math.prod(shape) * kind.itemsize:
        raise DataError("Expected an array as long as its shape. Get the file again from its source.")
    return np.frombuffer(content, kind).reshape(shape)
