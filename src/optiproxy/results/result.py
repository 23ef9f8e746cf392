"""What a search leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from optiproxy.errors import SearchFailed, printable
from optiproxy.metrics import Goal
from optiproxy.optimizer import Trial
from optiproxy.results.hypervolume import Box
from optiproxy.results.recommend import recommended
from optiproxy.spaces import Choice, Space
from optiproxy.storage.record import Record
from optiproxy.task.protocol import QueryProtocol
from optiproxy.task.task import Source

if TYPE_CHECKING:
    from pandas import DataFrame

Reason = Literal["target", "patience", "time", "callback"]
"""Which rule has ended a search before its budget."""


@dataclass(frozen=True, kw_only=True, repr=False)
class SearchResult:
    """The outcome of a search, complete enough to report on it.

    Attributes:
        task: The task's name; ``"function"`` for a user's own evaluate function.
        space: The space that was searched.
        goal: What was searched for.
        source: Where the values come from.
        algorithm: Name of the algorithm, or where it can be imported from.
        seed: Seed of the algorithm and of the trainings.
        budget: Queries that the algorithm might propose; promotions came on top.
        protocol: What was known before a query, and at which fidelity the queries were made.
        records: All counted queries, in the order in which they finished.
        stopped: ``"budget"`` (spent), ``"exhausted"`` (no architecture left), ``"interrupted"``, or which rule ended it:
            ``"target"``, ``"patience"``, ``"time"``, ``"callback"``; or ``"elsewhere"``: queries of the budget still run in other
            processes that share the study.
        study: The study's name.
        storage: Its storage URL, without passwords; empty when in memory.
        optimum: Best possible value of the first objective under this goal; None where unknown.
    """

    task: str
    space: Space
    goal: Goal
    source: Source
    algorithm: str
    seed: int
    budget: int
    records: tuple[Record, ...]
    stopped: Literal["budget", "exhausted", "interrupted", "elsewhere"] | Reason
    study: str
    storage: str = ""
    protocol: QueryProtocol = field(default_factory=QueryProtocol)
    optimum: float | None = None

    def __repr__(self) -> str:
        found = f"best #{self.best.number} {dict(self.best.metrics)}" if self.has_best else "nothing feasible"
        return f"<SearchResult of {printable(self.task)}: {len(self.records)} queries, {self.stopped}, {found}>"

    @property
    def full(self) -> tuple[Record, ...]:
        """The records at the full fidelity; the answer is one of them."""
        return tuple(record for record in self.records if record.fidelity is None)

    @property
    def epochs(self) -> int | None:
        """Spent by all queries, a failed one counted whole; None where the task has only one fidelity."""
        # A failed training is counted whole: how far it came is not known.
        costs = [self.protocol.epochs(record.fidelity) for record in self.records]
        return None if self.protocol.full is None else sum(cost or 0 for cost in costs)

    @property
    def front(self) -> tuple[Record, ...]:
        """The feasible, non-dominated records at the full fidelity; with one objective, the best alone."""
        full = self.full
        return tuple(full[i] for i in self.goal.front([record.metrics for record in full]))

    @property
    def has_best(self) -> bool:
        """Whether anything is feasible at the full fidelity."""
        return bool(self.front)

    @property
    def best(self) -> Record:
        """The feasible record at the full fidelity with the best first objective.

        Raises:
            SearchFailed: If nothing is feasible; `has_best` tells.
        """
        if not self.has_best:
            raise SearchFailed(self.nothing_feasible)
        return max(self.front, key=lambda record: self.goal.gains(record.metrics)[0])

    @property
    def nothing_feasible(self) -> str:
        """Why there is no best record, in a sentence."""
        failed = [record for record in self.records if record.reason]
        if not self.records:
            return "No query has finished yet, so there is no best architecture."
        if len(failed) == len(self.records):
            return f"All {len(failed)} trainings failed, so there is no best architecture. The last one: {failed[-1].reason}"
        if all(record.state in ("failed", "pruned") for record in self.records):
            told = f"{len(failed)} failed and the others were" if failed else "all were"
            return (
                f"Of {len(self.records)} trainings {told} pruned, so there is no best architecture. "
                "Let trainings go on longer before they ask should_prune, or choose another pruner."
            )
        limits = " and ".join(map(str, self.goal.limits)) or "every objective measured"
        return (
            f"None of the {len(self.records)} queries has {limits}, so there is no best architecture. "
            "Loosen the limits or raise the budget."
        )

    @cached_property
    def recommended(self) -> Record | None:
        """The record, among those with the best values, whose architecture all records at the full fidelity speak for most.

        It is often `best`: `optiproxy.results.recommend` says when it is not. A proxy is fitted when
        this is first asked for, which takes some seconds. None where nothing is feasible, and with several objectives,
        where `front` is the answer.
        """
        full = self.full
        trials = [Trial(record.architecture, record.metrics) for record in full]
        found = recommended(self.space, self.goal, trials)
        return None if found is None else full[found]

    @property
    def best_so_far(self) -> tuple[float | None, ...]:
        """After each record the best feasible first objective at the full fidelity; None until there is one."""
        objective = self.goal.objectives[0]
        best: float | None = None
        curve: list[float | None] = []
        for record in self.records:
            if record.fidelity is None and self.goal.feasible(record.metrics):
                gain = objective.gain(record.metrics)
                if best is None or gain > objective.gain({objective.metric: best}):
                    best = record.metrics[objective.metric]
            curve.append(best)
        return tuple(curve)

    @property
    def box(self) -> Box | None:
        """What the hypervolume is a share of; None with one objective, or where nothing is feasible."""
        several = len(self.goal.objectives) > 1
        return Box.around(self.goal, [record.metrics for record in self.full]) if several else None

    @property
    def hypervolume(self) -> float | None:
        """The share of `box` that the front dominates; None where there is no box."""
        return self.box.share([record.metrics for record in self.front]) if self.box else None

    @property
    def hypervolume_so_far(self) -> tuple[float, ...]:
        """After each record the share of the final `box`, dominated at the full fidelity; empty where there is no box."""
        # An entry at a lower fidelity takes a step on the axis of queries and wins nothing.
        full = [record.metrics if record.fidelity is None else {} for record in self.records]
        return self.box.curve(full) if self.box else ()

    @property
    def best_architecture(self) -> Mapping[str, Choice]:
        """Decision name -> value of `best`."""
        return self.space.values(self.best.architecture)

    def state(self, record: Record) -> Literal["feasible", "infeasible", "failed", "pruned"]:
        """What became of a query."""
        if record.state != "complete":
            return record.state
        return "feasible" if self.goal.feasible(record.metrics) else "infeasible"

    def to_dataframe(self) -> DataFrame:
        """One row per query: number, state, decisions by value, metrics, predictions, seconds, and why it failed.

        Raises:
            UsageError: If pandas is not installed.
        """
        from optiproxy.results.table import dataframe

        return dataframe(self)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from optiproxy.results.table import html

        return html(self)
