"""What holds between the algorithms of a comparison: tests against the reference, and ranks over the tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optiproxy.comparison.stats.comparison import Comparison
from optiproxy.comparison.stats.measures import MEASURES, Measure
from optiproxy.comparison.stats.paired import differences, holm
from optiproxy.comparison.stats.ranks import Ranking, ranking
from optiproxy.comparison.stats.suites import SuiteTest, suite_tests
from optiproxy.comparison.stats.verdict import LEVEL, Verdict, weigh


@dataclass(frozen=True, kw_only=True)
class PairedTest(Verdict):
    """The reference against a rival on one task.

    ``advantage`` is the median over the seeds, in queries or in the objective's unit; None where it is not finite, because one
    of the two found nothing feasible.

    Attributes:
        task: Its name.
        at: Query up to which both are looked at.
    """

    task: str
    at: int

    @property
    def where(self) -> str:
        return self.task


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The content of ``statistics.json``.

    Attributes:
        reference: The algorithm that all others are tested against.
        level: Of the corrected p below which a difference is called one.
        tests: Task by task, measure by measure, rival by rival.
        suites: The same for the tasks of one source together.
        rankings: One for each measure that scores any task.
    """

    reference: str
    level: float
    tests: tuple[PairedTest, ...]
    suites: tuple[SuiteTest, ...]
    rankings: tuple[Ranking, ...]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """All that are corrected together."""
        return (*self.tests, *self.suites)

    def of(self, task: str, rival: str) -> tuple[PairedTest, ...]:
        """All tests against a rival on a task."""
        return tuple(test for test in self.tests if (test.task, test.rival) == (task, rival))


def find(comparison: Comparison, reference: str | None = None) -> Findings:
    """Test and rank.

    Args:
        comparison: Of any size; with one algorithm there is nothing to test.
        reference: Name of an algorithm; None means the first.

    Raises:
        UsageError: If the reference is not one of the algorithms.
    """
    name = comparison.reference(reference)
    tests = [
        test
        for task in comparison.tasks
        if name in comparison.on(task)
        for measure in MEASURES
        for rival in comparison.on(task)
        if rival != name and (test := _test(comparison, task, measure, name, rival)) is not None
    ]
    suites = suite_tests(comparison, name)
    corrected = iter(holm([verdict.p for verdict in (*tests, *suites)]))
    rankings = (ranking(comparison, measure) for measure in MEASURES)
    return Findings(
        reference=name,
        level=LEVEL,
        tests=tuple(test.corrected(next(corrected)) for test in tests),
        suites=tuple(test.corrected(next(corrected)) for test in suites),
        rankings=tuple(found for found in rankings if found is not None),
    )


def _test(comparison: Comparison, task: str, measure: Measure, reference: str, rival: str) -> PairedTest | None:
    contest = comparison.contests[task]
    ours, theirs = comparison.runs(task, reference), comparison.runs(task, rival)
    at = measure.mark(contest, comparison.common(task, (reference, rival)))
    seeds = [seed for seed in ours.seeds if seed in theirs.seeds]
    if at is None:
        return None
    better = differences(*(measure.scores(runs.only(seeds), contest, at=at) for runs in (ours, theirs)))
    middle = _median(better)
    return PairedTest(
        task=task,
        rival=rival,
        measure=measure.name,
        words=measure.words,
        at=at,
        advantage=middle if np.isfinite(middle) else None,
        **weigh(better),
    )


def _median(values: np.ndarray) -> float:
    """The middle value; NaN between two infinite ones of opposite sign."""
    low, high = np.sort(values)[[(len(values) - 1) // 2, len(values) // 2]].tolist()
    return low if low == high else (low + high) / 2
