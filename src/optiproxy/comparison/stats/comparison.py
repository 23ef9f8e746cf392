"""A comparison: the outcomes of one or several grids, which may be of different size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from optiproxy.comparison.runs.grid import Contest, Grid
from optiproxy.comparison.runs.outcome import Outcome
from optiproxy.comparison.stats.statistics import Summary, summarize
from optiproxy.errors import StudyError, unknown


@dataclass(frozen=True, kw_only=True)
class Runs:
    """All searches of one task by one algorithm.

    Attributes:
        contest: What they competed for.
        budget: Queries allowed in each, promotions left out.
        outcomes: By seed.
    """

    contest: Contest
    budget: int
    outcomes: tuple[Outcome, ...]

    @property
    def queries(self) -> int:
        """Queries of each, promotions included."""
        return self.contest.protocol.queries(self.budget)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of the searches, in their order."""
        return tuple(outcome.cell.seed for outcome in self.outcomes)

    def only(self, seeds: Sequence[int]) -> tuple[Outcome, ...]:
        """The outcomes of these seeds, in this order."""
        of = dict(zip(self.seeds, self.outcomes, strict=True))
        return tuple(of[seed] for seed in seeds)


@dataclass(frozen=True)
class Comparison:
    """A finished comparison.

    Attributes:
        grids: Their settings; those of several may differ in tasks, algorithms, seeds and budget.
        outcomes: One per cell of the grids.

    Raises:
        StudyError: If two grids disagree about a task, are of two versions, or hold the same search.
    """

    grids: tuple[Grid, ...]
    outcomes: tuple[Outcome, ...]

    def __post_init__(self) -> None:
        contests: dict[str, tuple[Contest, int]] = {}
        for grid in self.grids:
            if grid.version != self.version:
                raise StudyError(
                    f"Numbers of optiproxy {self.version} and {grid.version} are not mixed. Run one of the comparisons again."
                )
            for task, contest in grid.contests.items():
                known, budget = contests.setdefault(task, (contest, grid.budget))
                if known != contest:
                    raise StudyError(
                        f"The comparisons differ in the {known.difference(contest, task)}. Report them one by one."
                    )
                if contest.protocol.promote and budget != grid.budget:
                    raise StudyError(
                        f"{task} was searched at a lower fidelity with budgets of {budget} and {grid.budget} queries, "
                        "which have no query in common at the full one. Report them one by one."
                    )
        pairs = [(task, name) for grid in self.grids for task in grid.contests for name in grid.algorithms]
        twice = next((pair for pair in pairs if pairs.count(pair) > 1), None)
        if twice:
            raise StudyError(
                f"{twice[1]} has searched {twice[0]} with the same seeds in two of the comparisons. Leave one of them out."
            )

    @classmethod
    def joined(cls, parts: Sequence[Comparison]) -> Comparison:
        """All of them as one; there is at least one."""
        return cls(
            tuple(grid for part in parts for grid in part.grids),
            tuple(outcome for part in parts for outcome in part.outcomes),
        )

    @property
    def version(self) -> str:
        """Of optiproxy."""
        return self.grids[0].version

    @cached_property
    def contests(self) -> dict[str, Contest]:
        """Task name -> what was competed for."""
        return {task: contest for grid in reversed(self.grids) for task, contest in reversed(grid.contests.items())}

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """In the order in which they were given."""
        return tuple(dict.fromkeys(task for grid in self.grids for task in grid.contests))

    @cached_property
    def algorithms(self) -> tuple[str, ...]:
        """All that have searched at least one task, in the order in which they were given."""
        return tuple(dict.fromkeys(name for grid in self.grids for name in grid.algorithms))

    @property
    def skipped(self) -> tuple[str, ...]:
        """Asked for and nowhere to be had."""
        names = dict.fromkeys(name for grid in self.grids for name in grid.skipped)
        return tuple(name for name in names if name not in self.algorithms)

    def on(self, task: str) -> tuple[str, ...]:
        """The algorithms that have searched a task."""
        return tuple(name for name in self.algorithms if (task, name) in self._runs)

    def runs(self, task: str, algorithm: str) -> Runs:
        """All seeds of an algorithm that has searched this task."""
        return self._runs[task, algorithm]

    def common(self, task: str, names: Iterable[str]) -> int:
        """Queries of a task that each of these algorithms has had, promotions included; 0 for none of them."""
        return min((self.runs(task, name).queries for name in names), default=0)

    def reference(self, name: str | None = None) -> str:
        """The algorithm that the others are tested against: ``name``, or the first that was given.

        Raises:
            UsageError: If it is not one of the algorithms.
        """
        if name is not None and name not in self.algorithms:
            raise unknown("algorithm", name, self.algorithms)
        return name or self.algorithms[0]

    @cached_property
    def summaries(self) -> dict[str, dict[str, Summary]]:
        """Task -> algorithm -> figures."""
        return {task: {name: self._summary(task, name) for name in self.on(task)} for task in self.tasks}

    def _summary(self, task: str, algorithm: str) -> Summary:
        runs = self.runs(task, algorithm)
        return summarize(runs.outcomes, runs.contest, budget=runs.budget)

    @cached_property
    def _runs(self) -> dict[tuple[str, str], Runs]:
        of: dict[tuple[str, str], list[Outcome]] = {}
        for outcome in self.outcomes:
            of.setdefault((outcome.cell.task, outcome.cell.algorithm), []).append(outcome)
        return {
            (task, name): Runs(
                contest=contest,
                budget=grid.budget,
                outcomes=tuple(sorted(of[task, name], key=lambda outcome: outcome.cell.seed)),
            )
            for grid in self.grids
            for task, contest in grid.contests.items()
            for name in grid.algorithms
        }
