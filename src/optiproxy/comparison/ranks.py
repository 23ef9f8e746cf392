"""Mean ranks over tasks, and how far apart they must be to tell two algorithms apart (Demšar 2006)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.comparison.comparison import Comparison
from optiproxy.comparison.scores import Measure

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """How algorithms rank by one measure.

    On each task they are ranked seed by seed, on the seeds that all of them have, equals sharing a rank; the tasks' mean
    ranks are ranked again, so that each task counts once, and averaged.

    Attributes:
        measure: Name of the measure.
        tasks: The tasks that all ranked algorithms have searched. They are chosen so that ranks rest on the most comparisons
            of two algorithms on a task.
        ranks: Algorithm -> mean rank over the tasks, best first.
        left_out: Algorithms that have not searched all of these tasks.
        friedman: Friedman's (1937) chi-square; None with fewer than two tasks or three algorithms, or where all are equal.
        p_value: p-value of Friedman's test of the hypothesis that all algorithms are equal.
        critical_difference: Two algorithms differ at the 5 % level if their mean ranks are further apart (Nemenyi 1963);
            None with fewer than two tasks or two algorithms.
    """

    measure: str
    tasks: tuple[str, ...]
    ranks: dict[str, float]
    left_out: tuple[str, ...]
    friedman: float | None
    p_value: float | None
    critical_difference: float | None


def ranking(comparison: Comparison, measure: Measure) -> Ranking | None:
    """Rank all algorithms by a measure; None where it applies to no task."""
    block = _block(comparison, measure)
    if block is None:
        return None
    tasks, names = block
    places = np.stack([_places(comparison, measure, task, names) for task in tasks])
    average = dict(zip(names, places.mean(axis=0).tolist(), strict=True))
    chi_square, p_value = friedman(places)
    return Ranking(
        measure=measure.name,
        tasks=tasks,
        ranks=dict(sorted(average.items(), key=lambda entry: entry[1])),
        left_out=tuple(name for name in comparison.algorithms if name not in names),
        friedman=chi_square,
        p_value=p_value,
        critical_difference=critical_difference(len(names), len(tasks)) if min(len(names), len(tasks)) > 1 else None,
    )


def friedman(places: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Friedman's chi-square and its p-value.

    Args:
        places: ``(tasks, algorithms)`` ranks of the algorithms on each task, 1 is best.
    """
    from scipy.stats import friedmanchisquare

    n, k = places.shape
    # Of two algorithms Friedman's test would be a sign test over the tasks; where all ranks are equal it is 0/0.
    if n < 2 or k < 3 or (places == places[:, :1]).all():
        return None, None
    found = friedmanchisquare(*places.T)
    return float(found.statistic), float(found.pvalue)


def critical_difference(algorithms: int, tasks: int, *, level: float = 0.05) -> float:
    """Nemenyi's (1963) critical difference: two mean ranks that are further apart are told apart at the level.

    Args:
        algorithms: Number of algorithms, two at least.
        tasks: Number of tasks.
        level: Significance level.
    """
    from scipy.stats import studentized_range

    # Demšar (2006), section 3.2.2: CD = q sqrt(k (k + 1) / (6 N)), where q is the quantile of the Studentized range over
    # sqrt(2), for k algorithms and N tasks.
    quantile = float(studentized_range.ppf(1 - level, algorithms, np.inf)) / 2**0.5
    return quantile * (algorithms * (algorithms + 1) / (6 * tasks)) ** 0.5


def _block(comparison: Comparison, measure: Measure) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The tasks and algorithms without a gap between them that hold the most pairs of algorithms on a task.

    None where the measure applies to no task. The algorithms of such a block are all that have searched its tasks, so they are
    among the intersections of the tasks' algorithms.
    """
    # A task that some algorithm has not searched cannot rank it, and a guess for it would not be a measurement.
    searched = {task: frozenset(comparison.on(task)) for task in comparison.tasks}
    candidates: dict[frozenset[str], None] = {}
    for names in searched.values():
        candidates |= dict.fromkeys([names, *(names & other for other in candidates)])
    blocks = [
        (
            tuple(
                task for task in searched if names <= searched[task] and _checkpoint(comparison, measure, task, names)
            ),
            names,
        )
        for names in candidates
    ]
    # Pairs of algorithms on a task are what ranks are made of; among equal blocks, the one with more tasks.
    shared, names = max(blocks, key=lambda block: (len(block[1]) * (len(block[1]) - 1) * len(block[0]), len(block[0])))
    return (shared, tuple(name for name in comparison.algorithms if name in names)) if shared else None


def _checkpoint(comparison: Comparison, measure: Measure, task: str, names: Iterable[str]) -> int | None:
    """After which query these algorithms are scored on a task; None where the measure does not apply."""
    return measure.checkpoint(comparison.settings[task], comparison.common_queries(task, names))


def _places(comparison: Comparison, measure: Measure, task: str, names: tuple[str, ...]) -> NDArray[np.float64]:
    """``(k,)`` ranks of the algorithms on one task."""
    from scipy.stats import rankdata

    runs = [comparison.runs(task, name) for name in names]
    setting = comparison.settings[task]
    at = _checkpoint(comparison, measure, task, names)
    assert at is not None, "only scored tasks are ranked"
    # Ranks of each seed are comparable only among algorithms that all have this seed.
    seeds = sorted(frozenset.intersection(*(frozenset(group.seeds) for group in runs)))
    scores = np.stack([measure.scores(group.only(seeds), setting, at=at) for group in runs])
    # Mean ranks are sums of fractions: what differs by rounding is equal.
    return rankdata(rankdata(-scores, axis=0).mean(axis=1).round(9))
