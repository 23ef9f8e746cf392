"""A search as a small TOML file, instead of a line of options: ``optiproxy search search.toml``.

evaluate = "train:fit"
objectives = ["accuracy"]
limits = ["params<=20000"]
free = ["params"]
budget = 40

[space]
width = [16, 32, 64]
rate = { low = 1e-4, high = 1e-1, log = true }
"""

from __future__ import annotations

import math
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from typer.core import TyperCommand

from optiproxy.errors import UsageError, unknown

if TYPE_CHECKING:
    import typer

SUFFIX = ".toml"

WHAT = ("evaluate", "objectives", "limits", "free", "example")
"""Keys that say, beside the space, what is searched."""

HOW = (
    "budget",
    "seed",
    "algorithm",
    "workers",
    "timeout",
    "memory",
    "executor",
    "fidelity",
    "promote",
    "target",
    "patience",
    "max_seconds",
    "keep",
    "storage",
    "study",
    "out",
)
"""The other keys, which say how."""

_NUMBER = ("low", "high", "log", "step", "type")
"""Keys of a decision that is a number."""


def is_file(argument: str) -> bool:
    """Return whether an argument names such a file."""
    return argument.endswith(SUFFIX) and "://" not in argument


def read(path: Path) -> dict[str, Any]:
    """Return what a file says: key -> value, of the types that the options of a command have.

    Raises:
        UsageError: If it cannot be read, has a key that is not known, or a value of another kind.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"Cannot read {path}: {reason}. Expected a TOML file with space and evaluate.") from error
    except (ValueError, RecursionError) as error:  # a number that is too long, tables in each other without end
        raise UsageError(f"{path} is no TOML: {error!s:.200}.") from error
    for key in content:
        if key not in _KINDS:
            raise UsageError(f"{path}: {unknown('key', key, _KINDS)}")
    if "space" not in content:
        raise UsageError(f'{path} has no space. Expected a table of choices, or space = "MODULE:NAME".')
    return {key: _read(path, key, value) for key, value in content.items()}


def from_file(*how: str) -> type[TyperCommand]:
    """Return the class of a command whose first argument may be a file.

    The file stands in for the argument and for all options that are not on the line.

    Args:
        how: Keys that the command takes besides those that say what is searched.
    """

    class FromFile(TyperCommand):
        def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer keeps its context's type private
            _fill(ctx, self.params[0].name or "", (*WHAT, *how))
            return super().invoke(ctx)

    return FromFile


def _fill(ctx: typer.Context, argument: str, keys: Sequence[str]) -> None:
    given = ctx.params[argument] or []
    several = isinstance(given, Sequence) and not isinstance(given, str)
    arguments: list[str] = list(cast("Sequence[str]", given)) if several else [cast("str", given)]
    files = [one for one in arguments if is_file(one)]
    if not files:
        return
    if len(arguments) > 1:
        raise UsageError(f"Expected one file and nothing beside it, got {', '.join(arguments)}.")
    path = Path(files[0])
    content = read(path)
    # What a file names is looked for beside it as well, and worker processes inherit the path.
    if (beside := str(path.resolve().parent)) not in sys.path:
        sys.path.insert(0, beside)
    ctx.params[argument] = [content["space"]] if several else content["space"]
    # Where a study says what is searched for, the command has no options for it.
    for option, key in {_OPTIONS.get(key, key): key for key in content.keys() & set(keys)}.items():
        if option not in ctx.params:
            continue
        source = ctx.get_parameter_source(option)
        # A line that says the same wins.
        if source is None or source.name.startswith("DEFAULT"):
            ctx.params[option] = content[key]


def _read(path: Path, key: str, value: object) -> Any:  # noqa: ANN401 - what the key holds
    wanted, reader = _KINDS[key]
    try:
        return reader(value)
    except UsageError as error:
        raise UsageError(f"{path}, {key}: {error}") from error
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}: Expected {key} to be {wanted}, got {value!r}.") from error


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [_text(value)]
    if not isinstance(value, list):
        raise TypeError
    return [_text(one) for one in cast("list[object]", value)]


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _number_of(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or math.isnan(value):
        raise TypeError
    return float(value)


def _free(value: object) -> list[str]:
    if not isinstance(value, dict):
        return _texts(value)
    return [f"{name}={_text(target)}" for name, target in cast("dict[str, object]", value).items()]


def _space(value: object) -> str | dict[str, Any]:
    if not isinstance(value, dict):
        return _text(value)
    if not value:
        raise TypeError
    return {name: _choices(name, choices) for name, choices in cast("dict[str, object]", value).items()}


def _choices(name: str, value: object) -> Any:  # noqa: ANN401 - a list, a number, or where one is defined
    if isinstance(value, list | str):
        return cast("list[Any] | str", value)
    if not isinstance(value, dict):
        raise UsageError(
            f'Expected {name} to be a list of choices, {{ low = …, high = … }} or "MODULE:NAME", got {value!r}.'
        )
    return _number(name, cast("dict[str, Any]", value))


def _number(name: str, told: Mapping[str, Any]) -> Any:  # noqa: ANN401 - an Int or a Float
    from optiproxy.spaces.ranges import Float, Int

    for key in told:
        if key not in _NUMBER:
            raise UsageError(f"{name}: {unknown('key', key, _NUMBER)}")
    missing = [key for key in ("low", "high") if key not in told]
    if missing:
        raise UsageError(f"{name}: Expected low and high of a number, got no {' and no '.join(missing)}.")
    limits = {key: told[key] for key in ("low", "high", "step") if key in told}
    kind: object = told.get("type", "int" if all(isinstance(one, int) for one in limits.values()) else "float")
    if kind not in ("int", "float"):
        raise UsageError(f"{name}: Expected the type 'int' or 'float', got {kind!r}.")
    log: object = told.get("log", False)
    if not isinstance(log, bool):
        raise UsageError(f"{name}: Expected log to be true or false, got {log!r}.")
    try:
        return Int(**limits, log=log) if kind == "int" else Float(**limits, log=log)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from error


_KINDS: dict[str, tuple[str, Callable[[object], Any]]] = {
    "space": ('a table of choices or "MODULE:NAME"', _space),
    "evaluate": ('"MODULE:NAME"', _text),
    "objectives": ("a list of texts", _texts),
    "limits": ("a list of texts", _texts),
    "free": ('a list of names or a table of NAME = "MODULE:NAME"', _free),
    "example": ('"MODULE:NAME"', _text),
    "budget": ("a whole number", _whole),
    "seed": ("a whole number", _whole),
    "algorithm": ("a text", _text),
    "workers": ("a whole number", _whole),
    "timeout": ("a number of seconds", _number_of),
    "memory": ('a text like "4GB"', _text),
    "executor": ("a text", _text),
    "fidelity": ("a whole number", _whole),
    "promote": ("a whole number", _whole),
    "target": ("a number", _number_of),
    "patience": ("a whole number", _whole),
    "max_seconds": ("a number of seconds", _number_of),
    "keep": ("a whole number", _whole),
    "storage": ("a text", _text),
    "study": ("a text", _text),
    "out": ("a text", lambda value: Path(_text(value))),
}
"""Key -> what it holds, in words and as a function that checks and reads it."""

_OPTIONS = {"objectives": "objective", "limits": "limit"}
"""Key -> the option, where their names differ: a line repeats the option, a file holds a list."""
