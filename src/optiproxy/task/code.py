"""What a function does, as a digest: so that results of another one are not taken for its own."""

from __future__ import annotations

import ast
import dis
import functools
import inspect
import sys
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from types import CodeType, FunctionType, ModuleType
from typing import Any, cast

_VERSION = 3
"""Of what a digest is made of: digests of two versions do not compare."""

_ANEW = ("time", "datetime", "uuid", "random", "secrets", "tempfile")
"""Modules whose functions return something else in every run."""

_PLAIN = (int, float, str, bool, bytes, type(None))


def code_digest(function: object) -> str:
    """The digest of a function's code, and of what it uses: what its own module defines, what it encloses, what is bound to it.

    Of values those count that are numbers, texts or tuples of them; one that its module has from a clock or from chance counts
    by how that is written. Layout and comments do not matter. What is imported does not count either, nor what a function is given when it is called. It is comparable within one version of Python alone, and
    begins with that.

    Args:
        function: A function, a partial one, or an object that can be called.

    Returns:
        Empty where there is no code to be had, as of what is written in C.
    """
    found = sha256()
    known = False
    for text in (*_parts(_functions(function), set()), *_bound(function)):
        known = True
        found.update(text.encode(errors="backslashreplace"))
    return f"py{sys.version_info.major}.{sys.version_info.minor}-{_VERSION}:{found.hexdigest()[:16]}" if known else ""


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


def _functions(function: Any) -> list[FunctionType]:  # noqa: ANN401 - whatever can be called
    """The functions that run when something is called: a wrapper and what it wraps, or all methods of an object."""
    while isinstance(function, functools.partial):
        function = function.func
    owner: object = getattr(function, "__self__", None)
    if isinstance(function, FunctionType):
        wrapped = getattr(function, "__wrapped__", None)
        return [function, *([] if wrapped is None else _functions(wrapped))]
    if owner is not None and not isinstance(owner, ModuleType):
        return _methods(type(owner))
    return _methods(function if isinstance(function, type) else type(function))


def _bound(function: object) -> Iterator[str]:
    """The arguments that a partial function has already."""
    while isinstance(function, functools.partial):
        yield from filter(None, map(_plain, function.args))
        yield from (
            f"{name}={text}" for name, value in function.keywords.items() if (text := _plain(value)) is not None
        )
        function = function.func


def _methods(kind: type) -> list[FunctionType]:
    """What a class and its bases define in the module of the class."""
    found: list[FunctionType] = []
    for one in kind.__mro__:
        if one.__module__ == kind.__module__ and one.__module__ != "builtins":
            methods = [getattr(method, "__func__", method) for method in vars(one).values()]
            found += [method for method in methods if isinstance(method, FunctionType)]
    return found


def _parts(functions: list[FunctionType], seen: set[CodeType]) -> Iterator[str]:
    """Texts that together say what functions do."""
    for function in functions:
        if function.__code__ in seen:
            continue
        seen.add(function.__code__)
        yield from _of_code(function.__code__, function.__doc__)
        yield _plain(function.__defaults__) or ""
        yield _plain(function.__kwdefaults__) or ""
        written = _written(function.__code__)
        for name, content in _enclosed(function):
            if isinstance(content, FunctionType):
                yield from _parts(_functions(content), seen)
            # Lists and dicts a function often fills there.
            elif name not in written and not isinstance(content, list | dict) and (text := _plain(content)):
                yield f"{name}={text}"
        yield from _of_module(function, written, seen)


def _of_module(function: FunctionType, written: set[str], seen: set[CodeType]) -> Iterator[str]:
    """What it uses of its own module."""
    written_anew = _written_anew(function)
    for name in sorted(_names(function.__code__) - written):
        value = function.__globals__.get(name)
        if isinstance(value, FunctionType) and value.__module__ == function.__module__:
            yield from _parts(_functions(value), seen)
        elif isinstance(value, type) and value.__module__ == function.__module__:
            yield from _parts(_methods(value), seen)
        elif name in function.__globals__ and not name.startswith("__") and (text := _plain(value)) is not None:
            yield f"{name}={written_anew.get(name, text)}"


def _written_anew(function: FunctionType) -> dict[str, str]:
    """Names that its module assigns what differs in every run -> the expression; none where there is no source."""
    try:
        assigned = _assigned(inspect.getsource(sys.modules[function.__module__]))
    except (KeyError, OSError, TypeError, SyntaxError):
        return {}

    def differs(name: str) -> bool:
        value = function.__globals__.get(name)
        module = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        return module in _ANEW

    return {name: text for name, (text, used) in assigned.items() if any(map(differs, used))}


@functools.lru_cache(maxsize=8)
def _assigned(source: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Names that the top level of a module assigns -> the expression, and the names in it."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            used = frozenset(part.id for part in ast.walk(statement.value) if isinstance(part, ast.Name))
            for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
                if isinstance(target, ast.Name):
                    found[target.id] = ast.unparse(statement.value), used
    return found


def _enclosed(function: FunctionType) -> Iterator[tuple[str, object]]:
    """Names and values of the functions around it that it uses."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # not filled yet
            yield name, cell.cell_contents


def _plain(value: object) -> str | None:
    """A constant as text: a number, a text, and tuples, lists and dicts of them; None of anything else."""
    if isinstance(value, tuple | list):
        entries = [_plain(entry) for entry in cast("list[object]", value)]
        return None if None in entries else repr(entries)
    if isinstance(value, dict):
        pairs = [(repr(key), _plain(entry)) for key, entry in cast("dict[object, object]", value).items()]
        return None if any(entry is None for _, entry in pairs) else repr(sorted(pairs, key=lambda pair: pair[0]))
    return repr(value) if isinstance(value, _PLAIN) else None


def _written(code: CodeType) -> set[str]:
    """Names that the code itself changes outside of itself, such as counters: they say nothing of what it does."""
    inner = (_written(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    own = {str(step.argval) for step in dis.get_instructions(code) if step.opname in _STORES}
    return own.union(*inner)


_STORES = ("STORE_GLOBAL", "DELETE_GLOBAL", "STORE_DEREF", "DELETE_DEREF")


def _of_code(code: CodeType, doc: str | None = None) -> Iterator[str]:
    yield repr((code.co_code, code.co_names, code.co_varnames, code.co_freevars))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _of_code(constant)
        elif constant != doc or doc is None:
            # Sets of constants come in another order in each process.
            yield repr(sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant)


def _names(code: CodeType) -> set[str]:
    inner = (_names(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*inner)
