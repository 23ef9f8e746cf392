"""The settings of a comparison: every task is searched by every algorithm with every seed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import takewhile
from typing import Any

from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.searching.settings import SearchSettings
from optiproxy.task.protocol import QueryProtocol
from optiproxy.task.task import Task


@dataclass(frozen=True)
class Run:
    """One search of the grid."""

    task: str
    algorithm: str
    seed: int

    def __str__(self) -> str:
        # The name of the file that keeps its result is made of it.
        return f"{self.task}--{self.algorithm}--{self.seed}"


@dataclass(frozen=True, kw_only=True)
class TaskSetting:
    """The terms on which every algorithm searches one task.

    Attributes:
        objective: The first objective of the task's own goal, as ``metric:direction``.
        limits: The limits of that goal.
        test: The metric that is reported for the selected architecture and never searched on; empty where there is none.
        optimum: Best possible value of the objective, None where unknown.
        source: Where the values come from.
        digest: Digest of the data file; empty where there is none.
        others: Further objectives of that goal. A search has them in mind; the figures here are of the first alone.
        protocol: What a search knows before a query, and at which fidelity it spends its budget.
    """

    objective: str
    limits: tuple[str, ...] = ()
    test: str = ""
    optimum: float | None = None
    source: str = ""
    digest: str = ""
    others: tuple[str, ...] = ()
    protocol: QueryProtocol = field(default_factory=QueryProtocol)

    @classmethod
    def of(cls, task: Task, settings: SearchSettings) -> TaskSetting:
        """Read it off the task.

        Args:
            task: Searched for its own goal, under its own protocol.
            settings: May change the protocol.

        Raises:
            UsageError: If the task cannot give a metric without training, or has no such fidelity or promotion.
        """
        first, *others = task.goal.objectives
        return cls(
            objective=str(first),
            limits=tuple(map(str, task.goal.limits)),
            # Reported only: it is in no goal, so no search can have seen it.
            test=next((metric.name for metric in task.metrics if metric.reported_only), ""),
            optimum=task.optimum,
            source=task.source.name,
            digest=task.source.digest,
            others=tuple(map(str, others)),
            protocol=settings.protocol(task, task.goal),
        )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> TaskSetting:
        """The inverse of `dataclasses.asdict`, after JSON has made lists of tuples."""
        told: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in content.items()
        }
        if "protocol" in content:
            told["protocol"] = QueryProtocol.from_json(content["protocol"])
        made = cls(**told)
        texts = all(isinstance(told.get(key, ""), str) for key in ("test", "source", "digest"))
        if not texts or not isinstance(told.get("optimum"), int | float | None):
            raise TypeError(f"{told!r:.200} are no settings")
        _ = made.goal  # raises where an objective or a limit is none
        return made

    @property
    def first_objective(self) -> Objective:
        """The objective that all figures of a comparison are about."""
        return Objective.parse(self.objective)

    @property
    def goal(self) -> Goal:
        """The whole goal: all objectives and limits."""
        return Goal((self.first_objective, *map(Objective.parse, self.others)), tuple(map(Limit.parse, self.limits)))

    def difference(self, other: TaskSetting, task: str) -> str:
        """The first thing in which another one of a task differs, in words; empty if none does."""
        old, new = ({**asdict(setting), **asdict(setting.protocol)} for setting in (self, other))
        # Another source changes other facts too; it is the one that explains them.
        names = ["source", *(name for name in old if name not in ("protocol", "full"))]
        changed = next((name for name in names if old[name] != new[name]), "")
        return f"{changed} of {task}: {_listed(old[changed])}, now {_listed(new[changed])}" if changed else ""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The settings of a comparison, which only grows: a later run in its folder may add tasks, algorithms and seeds.

    None that was searched can be taken away, so that what a comparison has shown once is not left out of its report later.

    Attributes:
        tasks: Task name -> the terms on which it is searched.
        algorithms: Names of the algorithms.
        seeds: Each algorithm searches each task with the seeds 0 to ``seeds - 1``.
        budget: Queries per search; promotions come on top.
        version: Version of optiproxy that ran the searches: numbers of two versions are not mixed.
        skipped: Algorithms that were asked for and whose packages are not installed.

    Raises:
        UsageError: If there is nothing to compare or something is listed twice.
    """

    tasks: dict[str, TaskSetting]
    algorithms: tuple[str, ...]
    seeds: int
    budget: int
    version: str
    skipped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_counts(seeds=self.seeds, budget=self.budget)
        check_names(task=tuple(self.tasks), algorithm=self.algorithms)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Grid:
        """The inverse of `to_json`, after JSON has made lists of tuples."""
        fields: dict[str, Any] = {**content}
        fields["tasks"] = {task: TaskSetting.from_json(told) for task, told in fields.pop("contests").items()}
        fields["algorithms"] = tuple(content["algorithms"])
        # The oldest files do not have it.
        fields["skipped"] = tuple(content.get("skipped", ()))
        return cls(**fields)

    def to_json(self) -> dict[str, Any]:
        """The content of ``settings.json``, where the tasks have stood under ``contests`` since the first version."""
        fields = asdict(self)
        return {"contests": fields.pop("tasks"), **fields}

    def hindrance(self, wanted: Grid) -> str:
        """Why this comparison cannot become the wanted one, in words; empty if it can."""
        # Another version may propose otherwise with the same seed.
        if self.version != wanted.version:
            return f"version {self.version}, now {wanted.version}"
        # Runs of another budget end elsewhere. More tasks, algorithms or seeds leave what has finished as it is.
        if self.budget != wanted.budget:
            return f"budget {self.budget}, now {wanted.budget}"
        # Fewer of anything would leave out of a report what has been seen already.
        if self.seeds > wanted.seeds:
            return f"seeds {self.seeds}, now {wanted.seeds}"
        for kind, old, new in (
            ("tasks", self.tasks, wanted.tasks),
            ("algorithms", self.algorithms, wanted.algorithms),
        ):
            if not set(old) <= set(new):
                return f"{kind} {_listed(old)}, now {_listed(new)}"
        told = (setting.difference(wanted.tasks[task], task) for task, setting in self.tasks.items())
        return next(filter(None, told), "")

    def reduced(self, runs: Collection[Run]) -> Grid:
        """The smallest grid with the same settings that holds some of its runs, one at least."""
        tasks, algorithms = {run.task for run in runs}, {run.algorithm for run in runs}
        return replace(
            self,
            tasks={task: setting for task, setting in self.tasks.items() if task in tasks},
            algorithms=tuple(name for name in self.algorithms if name in algorithms),
            # Seeds count from 0.
            seeds=1 + max(run.seed for run in runs),
        )

    def complete(self, finished: Collection[Run]) -> tuple[Grid, ...]:
        """The grids without a gap that hold what has finished: this one alone if all of its runs have.

        Otherwise each algorithm has on each task the seeds from 0 up to the first that is missing: what is reported of it is
        then what a comparison with fewer seeds would have reported.
        """
        if all(run in finished for run in self.runs):
            return (self,)
        # Pairs of task and algorithm with equally many seeds form one grid per task.
        groups: dict[tuple[str, int], list[Run]] = {}
        for task in self.tasks:
            for name in self.algorithms:
                seeds = (Run(task, name, seed) for seed in range(self.seeds))
                found = list(takewhile(lambda run: run in finished, seeds))
                groups.setdefault((task, len(found)), []).extend(found)
        return tuple(self.reduced(runs) for runs in groups.values() if runs)

    @property
    def runs(self) -> list[Run]:
        """All runs, seed by seed, so that an unfinished comparison has about as many seeds of everything."""
        return [
            Run(task, algorithm, seed)
            for seed in range(self.seeds)
            for task in self.tasks
            for algorithm in self.algorithms
        ]


MOST = 10**6
"""Of anything that a comparison counts: its runs are listed."""


def check_counts(**counts: int) -> None:
    """Raise `UsageError` unless every count is a whole number from one on, and no more than `MOST`."""
    for name, value in counts.items():
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise UsageError(f"Expected {name} to be a whole number, got {value!r:.80}.")
        if value < 1:
            raise UsageError(f"Expected {name} to be at least 1, got {value}.")
        if value > MOST:
            raise UsageError(f"Expected {name} to be at most {MOST:,}, got more.")


def check_names(**lists: Sequence[str]) -> None:
    """Raise `UsageError` if a list is empty or names something twice."""
    for kind, names in lists.items():
        if not names:
            raise UsageError(f"A comparison needs at least one {kind}, got none.")
        # Runs that count twice would be taken for twice as much evidence.
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        if twice:
            raise UsageError(f"Each {kind} may be given once, got {twice[0]!r} {names.count(twice[0])} times.")


def _listed(value: object) -> str:
    return (", ".join(map(str, value)) or "none") if isinstance(value, dict | list | tuple) else str(value)
