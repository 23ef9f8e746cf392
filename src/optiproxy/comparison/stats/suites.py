"""The tasks of one source taken together: one test where there would be one for each task.

Tasks of one source share networks, and a search of one often begins as on another with the same seed. So they are no
independent evidence, and a test over tasks would count them as that; seeds are independent, and this one goes over seeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.comparison.stats.comparison import Comparison
from optiproxy.comparison.stats.measures import MEASURES, Measure
from optiproxy.comparison.stats.verdict import Verdict, weigh

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class SuiteTest(Verdict):
    """The reference against a rival on all tasks of a source that both have searched, two at least.

    On each task the scores of both are ranked together, which frees them of their unit; a seed's difference is that of its
    ranks, averaged over the tasks. Nothing but the exchange of the two algorithms on a whole seed enters the test, so it holds
    however the tasks depend on each other. It speaks of these tasks and no others.

    ``advantage`` is `dominance`, between -1 and 1, averaged over the tasks.

    Attributes:
        source: Where the values of the tasks come from.
        tasks: Their names.
    """

    source: str
    tasks: tuple[str, ...]

    @property
    def where(self) -> str:
        return f"{len(self.tasks)} tasks of {self.source} together"


def suite_tests(comparison: Comparison, reference: str) -> list[SuiteTest]:
    """Source by source, measure by measure, rival by rival; each has its ``p`` before the correction."""
    sources = dict.fromkeys(comparison.contests[task].source for task in comparison.tasks)
    return [
        test
        for source in sources
        for measure in MEASURES
        for rival in comparison.algorithms
        if rival != reference and (test := _test(comparison, source, measure, reference, rival)) is not None
    ]


def rank_differences(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(s,)`` from two ``(s,)`` scores: how many more of all searches of both does the first one's pass, on each seed?"""
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([first, second]))
    return ranks[: len(first)] - ranks[len(first) :]


def dominance(better: NDArray[np.float64]) -> float:
    """Of all pairs of searches, one of each algorithm, the share that the first wins less the share that it loses.

    Cliff's delta (1993): 1 if its worst passes the other's best.

    Args:
        better: ``(s,)``, from `rank_differences`.
    """
    return float(better.mean()) / len(better)


def _test(comparison: Comparison, source: str, measure: Measure, reference: str, rival: str) -> SuiteTest | None:
    names = (reference, rival)
    contests = comparison.contests
    ends = {
        task: measure.mark(contests[task], comparison.common(task, names))
        for task in comparison.tasks
        if contests[task].source == source and set(names) <= set(comparison.on(task))
    }
    scored = {task: at for task, at in ends.items() if at is not None}
    if len(scored) < 2:
        return None
    seeds = sorted(
        frozenset.intersection(*(frozenset(comparison.runs(*pair).seeds) for pair in product(scored, names)))
    )
    scores = np.array(
        [
            [measure.scores(comparison.runs(task, name).only(seeds), contests[task], at=at) for name in names]
            for task, at in scored.items()
        ]
    )
    better = np.mean([rank_differences(*pair) for pair in scores], axis=0)
    return SuiteTest(
        source=source,
        tasks=tuple(scored),
        rival=rival,
        measure=measure.name,
        words=measure.words,
        advantage=dominance(better),
        **weigh(better.round(9)),
    )
