"""Look up what a name stands for: one that comes with optiproxy, one of an entry point, or ``MODULE:NAME``.

Other packages register names by the entry points ``optiproxy.algorithms``, ``optiproxy.tasks`` and ``optiproxy.spaces``.
Listing the names imports nothing of theirs or ours.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from optiproxy.errors import OptiProxyError, UsageError, unknown
from optiproxy.registry import targets
from optiproxy.registry.builtin import ALGORITHMS, CLUSTERS, SPACES
from optiproxy.registry.builtin_tasks import TASKS
from optiproxy.registry.entries import AlgorithmEntry, E, Entry, TaskEntry, registered
from optiproxy.registry.own import OwnTask, as_space, from_table

if TYPE_CHECKING:
    from optiproxy.optimizer import AlgorithmFactory
    from optiproxy.spaces import Space
    from optiproxy.task.task import Task

_OWN_TASK = (
    "What is your own is given as MODULE:NAME, a space or a model together with --evaluate MODULE:NAME, or as a TOML file "
    "that says both."
)

_NEEDS_TRAINING = (
    "A space, a mapping of choices or a model goes together with the function that trains it, --evaluate MODULE:NAME."
)

_FACTORY = "an algorithm, something that is called as (space, goal, seed=...) and returns one"


def algorithms() -> tuple[AlgorithmEntry, ...]:
    """Return all algorithms: ours first, then those that other packages register."""
    return (*ALGORITHMS, *registered("algorithm", AlgorithmEntry, [entry.name for entry in ALGORITHMS]))


def tasks() -> tuple[TaskEntry, ...]:
    """Return all tasks: ours first, then those that other packages register."""
    return (*TASKS, *registered("task", TaskEntry, [entry.name for entry in TASKS]))


def spaces() -> tuple[Entry, ...]:
    """Return all spaces that have a name: the published ones, then those that other packages register."""
    return (*SPACES, *registered("space", Entry, [entry.name for entry in SPACES]))


def algorithm(spec: str | AlgorithmFactory) -> AlgorithmFactory:
    """Return the factory of an algorithm.

    Args:
        spec: A name of `algorithms`, ``MODULE:NAME``, or a factory, which is checked and returned.

    Raises:
        UsageError: If there is none of this name, or it is no factory.
    """
    if isinstance(spec, str) and not targets.is_target(spec):
        entry = _entry("algorithm", spec, ALGORITHMS, algorithms)
        return cast("AlgorithmFactory", _imported("algorithm", entry))
    found: Any = targets.load(spec, "an algorithm") if isinstance(spec, str) else spec
    # Only the signature is looked at: there is no space yet to call it with.
    # The arguments are stand-ins, and the call is only compared with the signature.
    if not callable(found) or not targets.takes(found, object(), object(), seed=0):
        raise targets.wrong_kind(found, spec, _FACTORY)
    return cast("AlgorithmFactory", found)


def algorithm_name(spec: str | AlgorithmFactory) -> str:
    """Return the name under which a study and its report know an algorithm; the same in every process.

    It is the registered name where there is one, or else ``MODULE:NAME``. Arguments that a `functools.partial` binds are
    part of it, because they make another algorithm: ``optiproxy(config=...)``.
    """
    if isinstance(spec, str):
        return targets.normalized(spec) if targets.is_target(spec) else spec
    if isinstance(spec, functools.partial):
        # By name, because the order in which keywords were given makes no difference.
        bound = [*map(_shown, spec.args), *(f"{name}={_shown(value)}" for name, value in sorted(spec.keywords.items()))]
        return f"{algorithm_name(spec.func)}({', '.join(bound)})"
    # What comes with us goes by its short name. Only what is imported already can be the object that was given.
    for entry in ALGORITHMS:
        module, _, attribute = entry.target.partition(":")
        if getattr(sys.modules.get(module), attribute, None) is spec:
            return entry.name
    return _qualified(spec)


def missing_package(spec: str) -> str:
    """Return why an algorithm cannot run here, and what to do; empty where it can.

    Args:
        spec: A name of `algorithms`, or ``MODULE:NAME``, which is imported to see whether it is there.

    Raises:
        UsageError: If there is none of this name.
    """
    if targets.is_target(spec):
        algorithm(spec)
        return ""
    # Imported only here, so that a listing of names does not load the baselines.
    from optiproxy.baselines.packages.environments import ENVIRONMENTS

    environment = _entry("algorithm", spec, ALGORITHMS, algorithms).environment
    return ENVIRONMENTS[environment].problem if environment else ""


def task(spec: str | OwnTask, *, source: str | None = None) -> Task:
    """Build a task.

    Args:
        spec: A name of `tasks`, or ``MODULE:NAME`` of a `Task`, a class of tasks, or a function without required
            arguments that returns one; or an `OwnTask`.
        source: Where its values are to come from, for a task that has several sources; None takes the best at hand.

    Raises:
        UsageError: If there is none of this name, no such source, or it is no task.
        DataError: If its data is missing or damaged.
    """
    from optiproxy.task.task import Task

    if isinstance(spec, OwnTask):
        return spec.task()
    if targets.is_target(spec):
        found = targets.load(spec, "a task")
    else:
        entry = _entry("task", spec, TASKS, tasks)
        found = _imported("task", entry)
        if entry.arguments:
            found = functools.partial(found, **entry.arguments)
    # Bound before anything is made: a task that exists has chosen its source already.
    if source is not None:
        if not callable(found) or "source" not in inspect.signature(found).parameters:
            raise UsageError(f"Task {spec!r} has one source only; leave the source {source!r} out.")
        found = functools.partial(found, source=source)
    return cast("Task", targets.made(found, Task, target=spec, wanted="a task", advice=_NEEDS_TRAINING))


def task_name(spec: str | OwnTask) -> str:
    """Return the one spelling of a task's name or ``MODULE:NAME``, as it is written into comparisons."""
    if isinstance(spec, OwnTask):
        return spec.name
    return targets.normalized(spec) if targets.is_target(spec) else spec


def known_task(name: str, fingerprint: str) -> Task | None:
    """Return the task of a stored search: None where it cannot be built here, or where its space has changed since.

    Args:
        name: As the study has it; that of a user's own task or function is not registered.
        fingerprint: Fingerprint of the space that was searched.
    """
    # A study may come from anywhere: what it names is built only if it is installed under that name, never imported.
    if targets.is_target(name):
        return None
    try:
        found = task(name)
    except OptiProxyError:
        return None
    return found if found.space.fingerprint == fingerprint else None


def space(spec: str) -> Space:
    """Build a space.

    Args:
        spec: A name of `spaces`, or ``MODULE:NAME`` of a `Space` or a class of spaces, a mapping of choices, or a function
            that builds a network out of the parts of `optiproxy.nn`.

    Raises:
        UsageError: If there is none of this name, or it is nothing of the kind.
    """
    if targets.is_target(spec):
        return as_space(targets.load(spec, "a space"), spec)
    return as_space(_imported("space", _entry("space", spec, SPACES, spaces)), spec)


def space_or_task(spec: str | Mapping[str, Any]) -> Space | Task:
    """Build what `optiproxy profile` looks at: a task or a space, by any of their names.

    A function without arguments may build a network, and then its choices are the space, or a task. A mapping of choices is a
    space; ``MODULE:NAME`` in the place of a list of choices is imported.

    Raises:
        UsageError: If there is none of this name, or it is nothing of the kind.
        DataError: If the data of a task is missing or damaged.
    """
    from optiproxy.task.task import Task

    if not isinstance(spec, str):
        return from_table(spec)
    if not targets.is_target(spec):
        # Where both have a name, the task wins, because its profile says more.
        named = {entry.name: make for entries, make in ((spaces(), space), (tasks(), task)) for entry in entries}
        if spec not in named:
            raise _unknown("task or space", spec, named)
        return named[spec](spec)
    found = targets.load(spec, "a space or task")
    if isinstance(found, Task):
        return found
    if isinstance(found, type) and issubclass(found, Task):
        return task(spec)
    if inspect.isfunction(found) and targets.takes(found):
        # Called once: outside of a space, every choice of a network is its first.
        try:
            returned: object = found()
        except OptiProxyError:
            raise
        except Exception:  # noqa: BLE001 - the space says what is wrong with the function
            returned = None
        if isinstance(returned, Task):
            return returned
    return as_space(found, spec)


def executor(spec: str | Executor | Callable[[], Executor]) -> Executor:
    """Return what runs evaluations: on other processes, threads or machines.

    Args:
        spec: ``"dask"``, ``"dask://HOST:PORT"`` or, as Dask writes it, ``"tcp://HOST:PORT"``; ``"ray"`` or ``"ray://HOST:PORT"``;
            ``MODULE:NAME`` of a `concurrent.futures.Executor`, a class of executors, or a function without required
            arguments that returns one; or such an object. Whoever asks shuts it down.

    Raises:
        UsageError: If it is nothing of the kind.
    """
    found: object = spec
    if isinstance(spec, str):
        scheme, _, place = spec.partition("://")
        if scheme in CLUSTERS:
            address = f"tcp://{place}" if scheme == "dask" and place else spec if place else None
            return cast("Executor", _imported("executor", CLUSTERS[scheme])(address))
        if not targets.is_target(spec):
            raise UsageError(f"{unknown('executor', spec, CLUSTERS)} Give an executor of your own as MODULE:NAME.")
        found = targets.load(spec, "an executor")
    # Whatever has its interface will do, without inheriting.
    if not isinstance(found, type) and callable(getattr(found, "submit", None)):
        return cast("Executor", found)
    return cast("Executor", targets.made(found, Executor, target=spec, wanted="an executor"))


def _entry(kind: str, name: str, builtin: Iterable[E], everything: Callable[[], Iterable[E]]) -> E:
    """Return the entry of a name; other packages are looked through only where it is none of ours."""
    found = next((entry for entry in builtin if entry.name == name), None)
    if found is not None:
        return found
    entries = {entry.name: entry for entry in everything()}
    if name not in entries:
        raise _unknown(kind, name, entries)
    return entries[name]


def _unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    advice = _OWN_TASK if "task" in kind else "One of your own is given as MODULE:NAME."
    return UsageError(f"{unknown(kind, name, known)} {advice}")


def _imported(kind: str, entry: Entry) -> Any:  # noqa: ANN401 - a class or a function
    # What comes with us is there; an error on the way is a bug, whose traceback should stay.
    if not entry.package:
        module, _, attribute = entry.target.partition(":")
        return getattr(import_module(module), attribute)
    try:
        return targets.imported(entry.target)
    except UsageError as error:
        raise UsageError(f"The {kind} {entry.name!r} of the package {entry.package} cannot be used. {error}") from error


def _qualified(found: object) -> str:
    """Return ``module:name`` of a class or function, or of an object's class."""
    # An instance that is called as a factory goes by its class.
    named: Any = found if hasattr(found, "__qualname__") else type(found)
    return f"{named.__module__}:{named.__qualname__}"


def _shown(value: object) -> str:
    """Return a bound argument as it was written, without the address that the representation of some objects holds."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))
