"""What holds between the algorithms of a comparison: tests against the reference, and ranks over the tasks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optiproxy.comparing.comparison import Comparison
from optiproxy.comparing.measures import MEASURES, Measure
from optiproxy.comparing.paired import differences, holm, lean, signed_rank
from optiproxy.comparing.ranks import Ranking, ranking

LEVEL = 0.05
"""Of the corrected p below which a difference is called one."""


@dataclass(frozen=True, kw_only=True)
class PairedTest:
    """The reference against a rival on one task by one measure, on the seeds that both have.

    Attributes:
        task: Its name.
        rival: Name of the other algorithm.
        measure: Name of the measure.
        words: The same on the page.
        at: Query up to which both are looked at.
        pairs: Seeds.
        wins: Seeds on which the reference is better.
        ties: On which both are equal.
        losses: On which the rival is better.
        advantage: Median over the seeds of how much better the reference is, in queries or in the objective's unit; None
            where it is not finite, because one of the two found nothing feasible.
        p: Two-sided, of Wilcoxon's signed-rank test.
        p_corrected: By Holm's method, for all tests of the comparison.
        ahead: ``reference``, ``rival``, or empty where the corrected p does not tell them apart.
        leaning: The same whether or not it could be chance; empty where both sides weigh the same.
    """

    task: str
    rival: str
    measure: str
    words: str
    at: int
    pairs: int
    wins: int
    ties: int
    losses: int
    advantage: float | None
    p: float
    p_corrected: float
    ahead: str
    leaning: str


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The content of ``statistics.json``.

    Attributes:
        reference: The algorithm that all others are tested against.
        level: Of the corrected p below which a difference is called one.
        tests: Task by task, measure by measure, rival by rival.
        rankings: One for each measure that scores any task.
    """

    reference: str
    level: float
    tests: tuple[PairedTest, ...]
    rankings: tuple[Ranking, ...]

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
    corrected = holm([test.p for test in tests])
    rankings = (ranking(comparison, measure) for measure in MEASURES)
    return Findings(
        reference=name,
        level=LEVEL,
        tests=tuple(
            replace(test, p_corrected=p, ahead=test.leaning if p < LEVEL else "")
            for test, p in zip(tests, corrected, strict=True)
        ),
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
    weight, p = lean(better), signed_rank(better)
    return PairedTest(
        task=task,
        rival=rival,
        measure=measure.name,
        words=measure.words,
        at=at,
        pairs=len(seeds),
        wins=int((better > 0).sum()),
        ties=int((better == 0).sum()),
        losses=int((better < 0).sum()),
        advantage=middle if np.isfinite(middle) else None,
        p=p,
        p_corrected=p,
        ahead="",
        leaning="reference" if weight > 0 else "rival" if weight < 0 else "",
    )


def _median(values: np.ndarray) -> float:
    """The middle value; NaN between two infinite ones of opposite sign."""
    low, high = np.sort(values)[[(len(values) - 1) // 2, len(values) // 2]].tolist()
    return low if low == high else (low + high) / 2
