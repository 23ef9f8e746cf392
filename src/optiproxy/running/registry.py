"""The names on the command line: algorithms and tasks. Listing them imports none of them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from optiproxy.errors import OptiProxyError, UsageError, unknown
from optiproxy.running.known_tasks import TASKS
from optiproxy.running.known_tasks import TaskEntry as TaskEntry

if TYPE_CHECKING:
    from optiproxy.sampler import AlgorithmFactory
    from optiproxy.task import Task


@dataclass(frozen=True, kw_only=True)
class AlgorithmEntry:
    """One search algorithm.

    Attributes:
        name: On the command line.
        target: ``"module:attribute"`` of its factory.
        description: One line.
        paper: Where it was published.
    """

    name: str
    target: str
    description: str
    paper: str


_ALGORITHMS = (
    AlgorithmEntry(
        name="optiproxy",
        target="optiproxy.optimizer.core:OptiProxy",
        description="gradient ascent through a learned differentiable proxy",
        paper="Lyu, Cui, Shi, Li 2025, arXiv 2509.05656",
    ),
    AlgorithmEntry(
        name="random",
        target="optiproxy.baselines:RandomSearch",
        description="uniform draws without repetition",
        paper="Li, Talwalkar 2019, arXiv 1902.07638",
    ),
    AlgorithmEntry(
        name="regularized-evolution",
        target="optiproxy.baselines:RegularizedEvolution",
        description="aging evolution with tournaments of 3 in a population of 10",
        paper="Real, Aggarwal, Huang, Le 2019, arXiv 1802.01548",
    ),
)


def algorithms() -> tuple[AlgorithmEntry, ...]:
    """All algorithms, ours first."""
    return _ALGORITHMS


def tasks() -> tuple[TaskEntry, ...]:
    """All tasks."""
    return TASKS


def algorithm(name: str) -> AlgorithmFactory:
    """The factory of an algorithm.

    Raises:
        UsageError: If there is none of this name.
    """
    entries = {entry.name: entry for entry in _ALGORITHMS}
    if name not in entries:
        raise unknown("algorithm", name, entries)
    return cast("AlgorithmFactory", _load(entries[name].target))


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


def _load(target: str) -> Any:  # noqa: ANN401 - a class or a function
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)
