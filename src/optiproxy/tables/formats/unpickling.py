"""Pickles from outside, read without trust: nothing that they name is looked up; a few names get a stand-in of our own."""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Mapping
from typing import Self

from optiproxy.errors import DataError

_OPERATIONS = {
    *("PROTO", "FRAME", "STOP", "MARK", "POP", "POP_MARK", "DUP"),
    *("NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "FLOAT", "BINFLOAT"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "SHORT_BINBYTES", "BINBYTES", "BYTEARRAY8"),
    *("EMPTY_LIST", "LIST", "APPEND", "APPENDS", "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS"),
    *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
    *("GET", "BINGET", "LONG_BINGET", "PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"),
    *("GLOBAL", "STACK_GLOBAL", "REDUCE", "NEWOBJ", "BUILD"),
}
"""What the pickles of dictionaries, arrays and frames consist of; sets, extensions and persistent ids are not among it."""

_NUMBERED = {"PUT", "BINPUT", "LONG_BINPUT"}


class Inert:
    """Stands for an object of a class that a pickle names: it keeps what the pickle says and does nothing with it.

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
    """Read a pickle of built-in containers, numbers and text, in which some named objects are replaced by stand-ins.

    Args:
        content: The pickle.
        stand_ins: ``"module.name"`` -> what stands for it: an `Inert`, or a built-in container. Every other name is refused.

    Raises:
        DataError: If the pickle names anything else, or is no pickle.
    """
    try:
        return _Unpickler(content, stand_ins).load()
    except Exception as error:
        # A damaged stream can fail in the unpickler in almost any way; the stated refusal is one of them.
        raise _refusal(error) from error


def unpickle_unknown(content: bytes, stand_ins: Mapping[str, type]) -> object:
    """The same for content that no digest vouches for: looked through first, so that it cannot ask for endless memory.

    Afterwards the memory taken is at most a fixed multiple of the length of ``content``.

    Raises:
        DataError: As `unpickle`, and if the pickle holds an operation that plain data has no use for.
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
        # The unpickler allocates one slot for each number below the largest.
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
