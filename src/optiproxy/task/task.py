"""The task contract: a space, what is measured there, and how one architecture is evaluated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Metric
from optiproxy.spaces import Architecture, Space


@dataclass(frozen=True)
class Source:
    """Where a task's values come from; every result names it.

    Attributes:
        name: Short and unique among the sources of a task, for example ``"nasbench201-v1.0"``.
        description: One line for people.
        licence: SPDX identifier, or a sentence where there is none.
        digest: ``sha256:...`` of the data, empty where nothing is read from a file.
    """

    name: str
    description: str
    licence: str = ""
    digest: str = ""


class Task(ABC):
    """One thing to search for: built by name from the registry (`optiproxy.registry`), or by the user.

    Attributes:
        name: The id on the command line.
        space: Where to search.
        metrics: Everything that `evaluate` returns.
        goal: What is searched for unless the user says otherwise.
        source: Where the values come from.
        fidelities: Admissible ``fidelity`` values (epochs), cheapest first; empty where there is only one.
        isolated: Evaluations are real trainings that may crash or hang: they run in worker processes. A table's look-ups
            need none.
        optimum: Best possible value of the first objective under `goal`; for reports only, None where unknown.
        queried: Names of free metrics that a search learns from its queries all the same, unless it asks for them to be
            free: the protocol of the papers on hardware-aware search.
        search_fidelity: The one of `fidelities` at which the budget is spent unless the search says otherwise; None means
            the full one.
        promote: Where the budget is spent at a lower fidelity: how many of the best are evaluated again in full, unless
            the search says otherwise.
        code: What -> digest of functions that the values come from, so that a study is not continued with others unnoticed.
        reports: Whether its trainings may report learning curves and ask to be pruned.
        gaps: Whether `evaluate` leaves out metrics of some architectures, for which there are none. In a task without gaps, one that
            is never returned is taken for a mistake.
        formerly: Another name under which earlier versions have stored searches of it. Where it has one, its name is a mere
            label, and `code` tells what it is.
    """

    name: str
    space: Space
    metrics: tuple[Metric, ...]
    goal: Goal
    source: Source
    fidelities: tuple[int, ...] = ()
    isolated: bool = True
    optimum: float | None = None
    queried: tuple[str, ...] = ()
    search_fidelity: int | None = None
    promote: int = 10
    code: Mapping[str, str] = MappingProxyType({})
    reports: bool = False
    gaps: bool = False
    formerly: str = ""

    @abstractmethod
    def evaluate(self, architecture: Architecture, *, seed: int = 0, fidelity: int | None = None) -> dict[str, float]:
        """Spend one query. Runs in a worker process where `isolated`, so the task must be picklable.

        Args:
            architecture: A valid member of `space`.
            seed: Of the training; the same seed gives the same values up to measured times.
            fidelity: One of `fidelities`; None means the full one.

        Returns:
            Metric name -> value. A metric that could not be had is left out. Raising means that the training failed.
        """

    def free_metrics(self, architecture: Architecture) -> dict[str, float]:  # noqa: ARG002 - most tasks have none
        """The metrics declared `free`, those of `queried` included, measured without training."""
        return {}

    def quiet(self, goal: Goal) -> tuple[str, ...]:
        """The free metrics to be measured while no evaluation of the search runs: those declared `quiet` that the goal reads."""
        read = {*(limit.metric for limit in goal.limits), *(objective.metric for objective in goal.objectives)}
        return tuple(
            metric.name
            for metric in self.metrics
            if metric.quiet and metric.free and metric.name in read and metric.name not in self.queried
        )

    def check_declared(self) -> None:
        """Raise `UsageError` unless the task says all that every task has to say; called before a search begins."""
        missing = [name for name in ("name", "space", "metrics", "goal", "source") if not hasattr(self, name)]
        if missing:
            raise UsageError(
                f"Expected {type(self).__name__} to set {', '.join(missing)}, as every task does. See `optiproxy.Task`."
            )

    def check_fidelity(self, fidelity: int | None) -> None:
        """Raise `UsageError` unless it is one of `fidelities`, or None for the full one."""
        if fidelity is None or fidelity in self.fidelities:
            return
        if not self.fidelities:
            raise UsageError(f"Task {self.name!r} has one fidelity only, got {fidelity}. Leave it out.")
        first, last = self.fidelities[0], self.fidelities[-1]
        # A surrogate may have a hundred.
        every = self.fidelities == tuple(range(first, last + 1))
        known = f"{first} to {last}" if every else ", ".join(map(str, self.fidelities))
        raise UsageError(f"Task {self.name!r} has the fidelities {known}, got {fidelity}.")
