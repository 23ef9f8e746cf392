"""What holds between the algorithms of a comparison: paired tests against a reference, corrected together, and ranks.

A test is made for each task, and one more for the tasks of one source together. Such tasks share networks, and a run on one
often begins as the run on another with the same seed. They are no independent evidence, and a test over tasks would count them
as that; seeds are independent, and every test here goes over seeds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from optiproxy.comparison.stats.comparison import Comparison
from optiproxy.comparison.stats.paired import (
    cliffs_delta,
    differences,
    holm,
    median_difference,
    rank_differences,
    signed_rank_p,
    signed_rank_sum,
)
from optiproxy.comparison.stats.ranks import Ranking, ranking
from optiproxy.comparison.stats.scores import MEASURES, Measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL = 0.05
"""Significance level: a difference is called one if its corrected p-value is below it."""

Side = Literal["reference", "rival", ""]
"""One of the two algorithms of a test, or neither."""

FILE_KEYS = {
    "effect_size": "advantage",
    "p_value": "p",
    "favors": "leaning",
    "winner": "ahead",
    "task_tests": "tests",
    "source_tests": "suites",
}
"""Field -> its key in ``statistics.json``, where they differ: the file has kept its first names."""


@dataclass(frozen=True, kw_only=True)
class PairedTest(ABC):
    """The reference against a rival by one measure, on the seeds that both have.

    Attributes:
        rival: Name of the other algorithm.
        measure: Name of the measure.
        pairs: Number of seeds.
        wins: Number of seeds on which the reference is better.
        ties: Number of seeds on which both are equal.
        losses: Number of seeds on which the rival is better.
        effect_size: How much better the reference is; above 0 if it is.
        p_value: Two-sided, of Wilcoxon's signed-rank test, before the correction.
        favors: The side with the larger sum of ranks, whether or not that may be chance; empty if the sums are equal.
        p_corrected: The p-value after Holm's correction for all tests of the comparison.
        winner: As ``favors``, but empty where the corrected p-value is not below `LEVEL`.
    """

    rival: str
    measure: str
    pairs: int
    wins: int
    ties: int
    losses: int
    effect_size: float | None
    p_value: float
    favors: Side
    p_corrected: float = 1.0
    winner: Side = ""

    @property
    @abstractmethod
    def where(self) -> str:
        """The task or tasks of the test, in words."""

    def corrected(self, p_value: float) -> Self:
        """The same test with the p-value that the correction for all tests gives."""
        return replace(self, p_corrected=p_value, winner=self.favors if p_value < LEVEL else "")


@dataclass(frozen=True, kw_only=True)
class TaskTest(PairedTest):
    """A paired test on one task.

    The effect size is the median difference over the seeds, in queries or in the objective's unit; None where it is not
    finite, because one of the two found nothing feasible.

    Attributes:
        task: Name of the task.
        at: Number of queries after which both are scored.
    """

    task: str
    at: int

    @property
    def where(self) -> str:
        return self.task


@dataclass(frozen=True, kw_only=True)
class SourceTest(PairedTest):
    """A paired test on all tasks of a source that both algorithms have searched, two at least.

    On each task the scores of both are ranked together, which frees them of their unit; a seed's difference is that of its
    ranks, averaged over the tasks. Nothing but the exchange of the two algorithms on a whole seed enters the test, so it holds
    however the tasks depend on each other. It speaks of these tasks and no others.

    The effect size is `cliffs_delta`, averaged over the tasks.

    Attributes:
        source: Where the values of the tasks come from.
        tasks: Names of the tasks.
    """

    source: str
    tasks: tuple[str, ...]

    @property
    def where(self) -> str:
        return f"{len(self.tasks)} tasks of {self.source} together"


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """The content of ``statistics.json``.

    Attributes:
        reference: The algorithm that all others are tested against.
        level: Significance level of the corrected p-values.
        task_tests: Task by task, measure by measure, rival by rival.
        source_tests: The same for the tasks of one source together.
        rankings: One for each measure that applies to any task.
    """

    reference: str
    level: float
    task_tests: tuple[TaskTest, ...]
    source_tests: tuple[SourceTest, ...]
    rankings: tuple[Ranking, ...]

    @property
    def tests(self) -> tuple[PairedTest, ...]:
        """All tests that are corrected together."""
        return (*self.task_tests, *self.source_tests)

    def to_json(self) -> dict[str, Any]:
        """The content of the file, where the measure's words stand beside its name."""
        labels = {measure.name: measure.label for measure in MEASURES}

        def told(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
            if isinstance(value, dict):
                named = {FILE_KEYS.get(key, key): told(entry) for key, entry in value.items()}
                if "measure" not in named:
                    return named
                # Right behind the name, where readers of the file have always found it.
                at = [*named].index("measure") + 1
                entries = [*named.items()]
                return dict([*entries[:at], ("words", labels[named["measure"]]), *entries[at:]])
            return [told(entry) for entry in value] if isinstance(value, list | tuple) else value

        return told(asdict(self))


def analyze(comparison: Comparison, reference: str | None = None) -> Statistics:
    """Test the reference against each rival, and rank all algorithms.

    Args:
        comparison: A comparison of any size; with one algorithm there is nothing to test.
        reference: Name of an algorithm; None means the first.

    Raises:
        UsageError: If the reference is not one of the algorithms.
    """
    name = comparison.reference(reference)
    task_tests = [
        test
        for task in comparison.tasks
        if name in comparison.on(task)
        for measure in MEASURES
        for rival in comparison.on(task)
        if rival != name and (test := _task_test(comparison, task, measure, name, rival)) is not None
    ]
    sources = dict.fromkeys(comparison.settings[task].source for task in comparison.tasks)
    source_tests = [
        test
        for source in sources
        for measure in MEASURES
        for rival in comparison.algorithms
        if rival != name and (test := _source_test(comparison, source, measure, name, rival)) is not None
    ]
    # One family of tests: more tasks or rivals make every single claim harder, as they must.
    corrected = iter(holm([test.p_value for test in (*task_tests, *source_tests)]))
    rankings = (ranking(comparison, measure) for measure in MEASURES)
    return Statistics(
        reference=name,
        level=LEVEL,
        task_tests=tuple(test.corrected(next(corrected)) for test in task_tests),
        source_tests=tuple(test.corrected(next(corrected)) for test in source_tests),
        rankings=tuple(found for found in rankings if found is not None),
    )


def _task_test(comparison: Comparison, task: str, measure: Measure, reference: str, rival: str) -> TaskTest | None:
    setting = comparison.settings[task]
    pair = comparison.runs(task, reference), comparison.runs(task, rival)
    # Where budgets differ, both are looked at within the queries that both have had.
    at = measure.checkpoint(setting, comparison.common_queries(task, (reference, rival)))
    if at is None:
        return None
    # Only seeds that both have make pairs.
    seeds = [seed for seed in pair[0].seeds if seed in pair[1].seeds]
    better = differences(*(measure.scores(runs.only(seeds), setting, at=at) for runs in pair))
    return TaskTest(
        task=task,
        rival=rival,
        measure=measure.name,
        at=at,
        effect_size=median_difference(better),
        **_signed_ranks(better),
    )


def _source_test(
    comparison: Comparison, source: str, measure: Measure, reference: str, rival: str
) -> SourceTest | None:
    pair = (reference, rival)
    settings = comparison.settings
    ends = {
        task: measure.checkpoint(settings[task], comparison.common_queries(task, pair))
        for task in comparison.tasks
        if settings[task].source == source and set(pair) <= set(comparison.on(task))
    }
    scored = {task: at for task, at in ends.items() if at is not None}
    # A single task has its own test already.
    if len(scored) < 2:
        return None
    # The two algorithms are exchanged on whole seeds, so a seed counts only if both ran it on every one of the tasks.
    seeds = sorted(frozenset.intersection(*(frozenset(comparison.runs(*one).seeds) for one in product(scored, pair))))
    scores = [
        [measure.scores(comparison.runs(task, name).only(seeds), settings[task], at=at) for name in pair]
        for task, at in scored.items()
    ]
    better = np.mean([rank_differences(first, second) for first, second in scores], axis=0)
    return SourceTest(
        source=source,
        tasks=tuple(scored),
        rival=rival,
        measure=measure.name,
        effect_size=cliffs_delta(better),
        # Mean ranks are sums of fractions: what differs by rounding is a tie.
        **_signed_ranks(better.round(9)),
    )


def _signed_ranks(better: NDArray[np.float64]) -> dict[str, Any]:
    """The fields of a test that follow from ``(s,)``, by how much the reference is better on each seed."""
    total = signed_rank_sum(better)
    return {
        "pairs": len(better),
        "wins": int((better > 0).sum()),
        "ties": int((better == 0).sum()),
        "losses": int((better < 0).sum()),
        "p_value": signed_rank_p(better),
        "favors": "reference" if total > 0 else "rival" if total < 0 else "",
    }
