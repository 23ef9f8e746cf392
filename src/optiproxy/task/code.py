"""What a function does, as a digest: so that results of another one are not taken for its own."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from hashlib import sha256
from types import CodeType, FunctionType
from typing import Any

_PLAIN = (int, float, str, bool, bytes, type(None))


def code_digest(function: object) -> str:
    """The digest of a function's code, and of what its own module defines and it uses: other functions, plain constants.

    Layout and comments do not matter. What is imported does not count either, nor what a function is given. It is comparable
    within one version of Python alone, and begins with that.

    Args:
        function: A function, a partial one, or an object that can be called.

    Returns:
        Empty where there is no code to be had, as of what is written in C.
    """
    found = sha256()
    known = False
    for text in _parts(_plain_function(function), set()):
        known = True
        found.update(text.encode(errors="backslashreplace"))
    return f"py{sys.version_info.major}.{sys.version_info.minor}:{found.hexdigest()[:16]}" if known else ""


def same_code(one: str, other: str) -> bool:
    """Whether two digests may be of one function: those that cannot be compared may be."""
    comparable = one.partition(":")[0] == other.partition(":")[0] and one and other
    return one == other or not comparable


def name_of(function: object) -> str:
    """What a function is called; a lambda has no name, and is called ``"function"``."""
    if isinstance(function, functools.partial):
        return name_of(function.func)
    name = str(getattr(function, "__name__", type(function).__name__))
    return "function" if name == "<lambda>" else name


def _plain_function(function: Any) -> FunctionType | None:  # noqa: ANN401 - whatever can be called
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__wrapped__", function)
    function = getattr(function, "__func__", function)
    if not isinstance(function, FunctionType):
        # A class is called by making an object of it, an object by its own method.
        kind = function if isinstance(function, type) else type(function)
        method = vars(kind).get("__init__" if kind is function else "__call__")
        function = getattr(method, "__func__", method)
    return function if isinstance(function, FunctionType) else None


def _parts(function: FunctionType | None, seen: set[CodeType]) -> Iterator[str]:
    """Texts that together say what a function does."""
    if function is None or function.__code__ in seen:
        return
    seen.add(function.__code__)
    yield from _of_code(function.__code__)
    yield repr([value for value in function.__defaults__ or () if isinstance(value, _PLAIN)])
    for cell in function.__closure__ or ():
        try:
            content = cell.cell_contents
        except ValueError:  # not filled yet
            continue
        yield from _parts(content if isinstance(content, FunctionType) else None, seen)
    for name in sorted(_names(function.__code__)):
        value = function.__globals__.get(name)
        if isinstance(value, FunctionType) and value.__module__ == function.__module__:
            yield from _parts(value, seen)
        elif isinstance(value, type) and value.__module__ == function.__module__:
            for method in vars(value).values():
                yield from _parts(method if isinstance(method, FunctionType) else None, seen)
        elif name in function.__globals__ and isinstance(value, _PLAIN) and not name.startswith("__"):
            yield f"{name}={value!r}"


def _of_code(code: CodeType) -> Iterator[str]:
    yield repr((code.co_code, code.co_names, code.co_varnames, code.co_freevars))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _of_code(constant)
        else:
            # Sets of constants come in another order in each process.
            yield repr(sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant)


def _names(code: CodeType) -> set[str]:
    inner = (_names(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*inner)
