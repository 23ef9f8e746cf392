"""Import what ``MODULE:NAME`` names, from the current folder or from an installed package.

A target may also name a file: ``folder/my_search.py:space``. Whatever goes wrong on the way becomes one sentence.
"""

from __future__ import annotations

import inspect
import sys
import sysconfig
import traceback
from difflib import get_close_matches
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

from optiproxy.errors import OptiProxyError, UsageError

_NOT_THEIRS = [
    Path(__file__).parents[1],
    *map(Path, {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}),
]
"""Folders of optiproxy, of Python and of installed packages."""


def is_target(name: str) -> bool:
    """Return whether this is a ``MODULE:NAME`` and not a registered name, which has no colon."""
    return ":" in name


def normalized(target: str) -> str:
    """Spell a target as studies store it: ``folder/my_search.py:space`` is ``folder.my_search:space``."""
    module, name, _ = _parts(target)
    return f"{module}:{name}"


def load(target: str, wanted: str) -> Any:  # noqa: ANN401 - whatever the user has defined
    """Import a user's own object; modules of the current folder come before installed ones.

    Args:
        target: ``MODULE:NAME`` or ``path/file.py:NAME``; the name may have dots, as in ``my_search:Settings.space``.
        wanted: What it should be, for the messages: ``"a task"``.

    Raises:
        UsageError: If the target is malformed, its module is missing or fails, or it defines no such name.
        OptiProxyError: If the module itself raises one of optiproxy's errors.
    """
    module, name, folder = _parts(target, wanted)
    # First, as for `python -m`, and for good: worker processes inherit this path, and import the module again.
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return imported(f"{module}:{name}", folder)


def imported(target: str, folder: Path | None = None) -> Any:  # noqa: ANN401 - whatever it is
    """Return what ``MODULE:NAME`` names, wherever Python finds the module.

    Args:
        target: Where it is defined.
        folder: Where the user expects the module, for the message.

    Raises:
        UsageError: If the module is missing or fails, or defines no such name.
        OptiProxyError: If the module itself raises one of optiproxy's errors.
    """
    module, _, name = target.partition(":")
    found = _module(module, folder)
    _check_is_that_file(found, module, folder)
    try:
        return attrgetter(name)(found)
    except AttributeError as error:
        # The module is there, so that a name which it lacks is most likely a slip of the pen.
        near = get_close_matches(name, vars(found), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"The module {module!r} has no attribute {name!r}.{hint}") from error


def made(
    found: Any,  # noqa: ANN401 - of the kind, which the callers know
    kind: type | tuple[type, ...],
    *,
    target: object,
    wanted: str,
    advice: str = "",
) -> Any:  # noqa: ANN401 - the same
    """Return what a target stands for: an instance, or what a class or a function without required arguments makes.

    Args:
        found: What the target names.
        kind: What it should be, or make.
        target: How it was given.
        wanted: The kind in words, for the messages.
        advice: What to do where it is something else; a sentence.

    Raises:
        UsageError: If it is nothing of the kind, or making it fails.
        OptiProxyError: If making it raises one of optiproxy's errors.
    """
    if isinstance(found, kind):
        return found
    if not callable(found) or not takes(found):
        makes = f"{wanted}, or a class or function without required arguments that makes one"
        raise wrong_kind(found, target, makes, advice)
    try:
        product: object = found()
    except OptiProxyError:
        raise
    except Exception as error:
        raise UsageError(f"Calling {target!r} for {wanted} failed: {_told(error)}.") from error
    if not isinstance(product, kind):
        raise UsageError(
            f"Expected {target!r} to make {wanted}, got {type(product).__name__} from it.{' ' * bool(advice)}{advice}"
        )
    return product


def takes(function: Any, *arguments: object, **named: object) -> bool:  # noqa: ANN401 - anything callable
    """Return whether it can be called so; what is written in C and does not say is given the benefit of the doubt."""
    try:
        inspect.signature(function).bind(*arguments, **named)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def wrong_kind(found: object, target: object, wanted: str, advice: str = "") -> UsageError:
    """Return the one phrasing for an object that is not what its place asks for.

    Args:
        found: What arrived.
        target: How it was given: as ``MODULE:NAME``, or as the object itself.
        wanted: What the place asks for.
        advice: What to do; a sentence.
    """
    got = f"the class {found.__name__}" if isinstance(found, type) else f"{type(found).__name__}"
    return UsageError(f"Expected {wanted}, got {got} {target!r}.{' ' * bool(advice)}{advice}")


def _parts(target: str, wanted: str = "an object") -> tuple[str, str, Path]:
    """Return the dotted module, the name, and the folder from which the module is imported."""
    # From the right, because the path of a file may hold a colon of its own.
    module, _, name = target.rpartition(":")
    if not module or not all(part.isidentifier() for part in name.split(".")):
        raise UsageError(
            f"Expected MODULE:NAME of {wanted}, for example my_search:{wanted.rsplit(maxsplit=1)[-1]}, got {target!r}."
        )
    here = Path.cwd()
    if not module.endswith(".py") and "/" not in module:
        return module, name, here
    path = Path(module.removesuffix(".py")).resolve()
    if not path.is_relative_to(here):
        # No dotted name leads out of the current folder.
        return path.name, name, path.parent
    return ".".join(path.relative_to(here).parts), name, here


def _module(module: str, folder: Path | None) -> ModuleType:
    try:
        return import_module(module)
    except OptiProxyError:
        raise
    except ModuleNotFoundError as error:
        # Is it the module itself that is missing, or one of a package's parents, or something that it imports?
        if error.name and (module == error.name or module.startswith(error.name + ".")):
            there = f"neither in {folder} nor installed" if folder else "it is not installed"
            raise UsageError(
                f"There is no module {error.name!r}: {there}. Run in the folder of its file, or install its package."
            ) from error
        raise UsageError(f"Importing {module!r} failed: {_told(error)}.") from error
    # A script that calls sys.exit when it is imported ends nothing but its own import.
    except (Exception, SystemExit) as error:
        raise UsageError(f"Importing {module!r} failed: {_told(error)}.") from error


def _check_is_that_file(found: ModuleType, module: str, folder: Path | None) -> None:
    """Raise `UsageError` if a file of the user's has the name of a module that was imported before it."""
    file = None if folder is None else folder / f"{module.replace('.', '/')}.py"
    if file is None or not file.exists():
        return
    taken = getattr(found, "__file__", None)
    if taken is None or not Path(taken).exists() or not file.samefile(taken):
        raise UsageError(
            f"{file.name} has the name of another module, {taken or module}, which Python imports instead. Rename the file."
        )


def _told(error: BaseException) -> str:
    """Return an error that a user's code has raised, in one line, with the place where it did."""
    text = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {text}"  # which ends with the place
    place = place_of(error)
    return f"{type(error).__name__}: {text}{place}" if text else f"{type(error).__name__}{place}"


def place_of(error: BaseException) -> str:
    """Return where the user's own code was when an error arose, and its line; empty where it had no part in it."""
    # The import machinery has frames of its own, and what an installed package does with an argument is of less help than
    # the line that gave it.
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    own = [frame for frame in frames if not any(Path(frame.filename).is_relative_to(place) for place in _NOT_THEIRS)]
    if not own:
        return ""
    last = own[-1]
    return f" ({Path(last.filename).name}, line {last.lineno}){f': {last.line}' if last.line else ''}"
