"""The names on the command line: algorithms and tasks. Listing them imports none of them."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from optiproxy.errors import OptiProxyError, UsageError, unknown
from optiproxy.registry.builtin_algorithms import ALGORITHMS
from optiproxy.registry.builtin_algorithms import AlgorithmEntry as AlgorithmEntry
from optiproxy.registry.builtin_tasks import TASKS
from optiproxy.registry.builtin_tasks import TaskEntry as TaskEntry

if TYPE_CHECKING:
    from optiproxy.optimizer import AlgorithmFactory
    from optiproxy.task.task import Task


def algorithms() -> tuple[AlgorithmEntry, ...]:
    """All algorithms, ours first."""
    return ALGORITHMS


def tasks() -> tuple[TaskEntry, ...]:
    """All tasks."""
    return TASKS


def algorithm(spec: str | AlgorithmFactory) -> AlgorithmFactory:
    """The factory of an algorithm.

    Args:
        spec: A name that `algorithms` lists, ``"MODULE:NAME"``, or the factory itself.

    Raises:
        UsageError: If there is none of this name.
    """
    if not isinstance(spec, str):
        return spec
    target = spec if ":" in spec else _algorithm_entry(spec).target
    try:
        return cast("AlgorithmFactory", _load(target))
    except (ImportError, AttributeError) as error:
        raise UsageError(f"Expected an algorithm as MODULE:NAME, got {spec!r} ({error}).") from error


def algorithm_name(spec: str | AlgorithmFactory) -> str:
    """What a study and a report call an algorithm: its name, or where its factory can be imported from."""
    if isinstance(spec, str):
        return spec
    if isinstance(getattr(spec, "__qualname__", None), str):
        return f"{spec.__module__}:{spec.__qualname__}"  # pyright: ignore[reportAttributeAccessIssue]
    return type(spec).__name__


def missing_package(name: str) -> str:
    """Why an algorithm cannot run here, and what to do; empty where it can.

    Raises:
        UsageError: If there is none of this name.
    """
    from optiproxy.baselines.packages.environments import ENVIRONMENTS

    environment = _algorithm_entry(name).environment
    return ENVIRONMENTS[environment].problem if environment else ""


def task(name: str, *, source: str | None = None) -> Task:
    """Build a task.

    Args:
        name: One of `tasks`.
        source: Where its values are to come from, for a task that has several sources; None takes the best at hand.

    Raises:
        UsageError: If there is none of this name or no such source.
        DataError: If its data is missing or damaged.
    """
    entries = {entry.name: entry for entry in TASKS}
    if name not in entries:
        raise unknown("task", name, entries)
    factory = _load(entries[name].target)
    arguments: dict[str, Any] = dict(entries[name].arguments)
    if source is not None:
        if "source" not in inspect.signature(factory).parameters:
            raise UsageError(f"Task {name!r} has one source only; leave the source {source!r} out.")
        arguments["source"] = source
    return cast("Task", factory(**arguments))


def known_task(name: str, fingerprint: str) -> Task | None:
    """A registered task, if it can be built here and its space still is the one with this fingerprint."""
    try:
        found = task(name)
    except OptiProxyError:
        return None
    return found if found.space.fingerprint == fingerprint else None


def _algorithm_entry(name: str) -> AlgorithmEntry:
    entries = {entry.name: entry for entry in ALGORITHMS}
    if name not in entries:
        raise unknown("algorithm", name, entries)
    return entries[name]


def _load(target: str) -> Any:  # noqa: ANN401 - a class or a function
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)
