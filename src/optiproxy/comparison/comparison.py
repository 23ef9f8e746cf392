"""A comparison: the results of one or several grids, which may be of different size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from optiproxy.comparison.grid import Grid, TaskSetting
from optiproxy.comparison.results import RunResult
from optiproxy.comparison.summary import Summary, summarize
from optiproxy.errors import StudyError, unknown


@dataclass(frozen=True, kw_only=True)
class Runs:
    """All runs of one algorithm on one task.

    Attributes:
        setting: The terms of the task.
        budget: Queries allowed in each run, promotions left out.
        results: The results, by seed.
    """

    setting: TaskSetting
    budget: int
    results: tuple[RunResult, ...]

    @property
    def queries(self) -> int:
        """Queries of each run, promotions included."""
        return self.setting.protocol.queries(self.budget)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the runs, in the order of the results."""
        return tuple(result.run.seed for result in self.results)

    def only(self, seeds: Sequence[int]) -> tuple[RunResult, ...]:
        """The results of these seeds, in this order."""
        by_seed = dict(zip(self.seeds, self.results, strict=True))
        return tuple(by_seed[seed] for seed in seeds)


@dataclass(frozen=True)
class Comparison:
    """A finished comparison.

    Attributes:
        grids: Their settings; those of several may differ in tasks, algorithms, seeds and budget.
        results: One for each run of the grids.

    Raises:
        StudyError: If two grids disagree about a task, are of two versions, or hold the same search.
    """

    grids: tuple[Grid, ...]
    results: tuple[RunResult, ...]

    def __post_init__(self) -> None:
        settings: dict[str, tuple[TaskSetting, int]] = {}
        for grid in self.grids:
            if grid.version != self.version:
                raise StudyError(
                    f"Numbers of optiproxy {self.version} and {grid.version} are not mixed. Run one of the comparisons again."
                )
            for task, setting in grid.tasks.items():
                # The first grid that holds a task says on which terms it was searched.
                known, budget = settings.setdefault(task, (setting, grid.budget))
                if known != setting:
                    raise StudyError(
                        f"The comparisons differ in the {known.difference(setting, task)}. Report them one by one."
                    )
                # Promotions follow the budget, so the full values of two budgets stand after different numbers of queries.
                if setting.protocol.promote and budget != grid.budget:
                    raise StudyError(
                        f"{task} was searched at a lower fidelity with budgets of {budget} and {grid.budget} queries, "
                        "which have no query in common at the full one. Report them one by one."
                    )
        pairs = [(task, name) for grid in self.grids for task in grid.tasks for name in grid.algorithms]
        # A run that is read twice would count as two pieces of evidence.
        twice = next((pair for pair in pairs if pairs.count(pair) > 1), None)
        if twice:
            raise StudyError(
                f"{twice[1]} has searched {twice[0]} with the same seeds in two of the comparisons. Leave one of them out."
            )

    @classmethod
    def joined(cls, parts: Sequence[Comparison]) -> Comparison:
        """Several comparisons as one; there is at least one."""
        return cls(
            tuple(grid for part in parts for grid in part.grids),
            tuple(result for part in parts for result in part.results),
        )

    @property
    def version(self) -> str:
        """Version of optiproxy that ran all of it."""
        return self.grids[0].version

    @cached_property
    def settings(self) -> dict[str, TaskSetting]:
        """Task name -> the terms on which it was searched."""
        return {task: setting for grid in self.grids for task, setting in grid.tasks.items()}

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """The tasks, in the order in which they were given."""
        return tuple(self.settings)

    @cached_property
    def algorithms(self) -> tuple[str, ...]:
        """The algorithms that have searched at least one task, in the order in which they were given."""
        return tuple(dict.fromkeys(name for grid in self.grids for name in grid.algorithms))

    @property
    def skipped(self) -> tuple[str, ...]:
        """The algorithms that were asked for and could not be run, because their packages are missing."""
        # What one grid skipped and another ran is here after all.
        names = dict.fromkeys(name for grid in self.grids for name in grid.skipped)
        return tuple(name for name in names if name not in self.algorithms)

    def on(self, task: str) -> tuple[str, ...]:
        """The algorithms that have searched a task."""
        return tuple(name for name in self.algorithms if (task, name) in self._runs)

    def runs(self, task: str, algorithm: str) -> Runs:
        """The runs of an algorithm that has searched this task."""
        return self._runs[task, algorithm]

    def common_queries(self, task: str, names: Iterable[str]) -> int:
        """Queries that each of these algorithms has had on a task, promotions included; 0 without algorithms."""
        # Only what all of them had compares: further queries can only better an incumbent.
        return min((self.runs(task, name).queries for name in names), default=0)

    def reference(self, name: str | None = None) -> str:
        """The algorithm that the others are tested against: ``name``, or the first that was given.

        Raises:
            UsageError: If it is not one of the algorithms.
        """
        if name is not None and name not in self.algorithms:
            raise unknown("algorithm", name, self.algorithms)
        # The first, because it is the one that a person names first: their own.
        return name or self.algorithms[0]

    # Kept, because bootstrap intervals take a moment and pages, tables and files all ask for them.
    @cached_property
    def summaries(self) -> dict[str, dict[str, Summary]]:
        """Task -> algorithm -> summary over its runs."""
        return {task: {name: self._summary(task, name) for name in self.on(task)} for task in self.tasks}

    def _summary(self, task: str, algorithm: str) -> Summary:
        runs = self.runs(task, algorithm)
        return summarize(runs.results, runs.setting, budget=runs.budget)

    @cached_property
    def _runs(self) -> dict[tuple[str, str], Runs]:
        found: dict[tuple[str, str], list[RunResult]] = {}
        for result in self.results:
            found.setdefault((result.run.task, result.run.algorithm), []).append(result)
        return {
            (task, name): Runs(
                setting=setting,
                budget=grid.budget,
                # By seed, because paired tests match runs by it.
                results=tuple(sorted(found[task, name], key=lambda result: result.run.seed)),
            )
            for grid in self.grids
            for task, setting in grid.tasks.items()
            for name in grid.algorithms
        }
