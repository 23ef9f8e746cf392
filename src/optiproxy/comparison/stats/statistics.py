"""What the outcomes of several seeds say about an algorithm on a task.

Selection is by the search's own objective among feasible queries; the test metric is that of the selected architecture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from optiproxy.comparison.runs.grid import Contest
from optiproxy.comparison.runs.outcome import Outcome, Query
from optiproxy.comparison.stats.marks import Mark, marks
from optiproxy.comparison.stats.survival import Middle, hit_interval, survival
from optiproxy.metrics import Objective

SAME = 1e-6
"""Relative difference up to which a value is the optimum: published optima are rounded."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One entry of ``summary.json``. A figure that does not exist is None.

    Attributes:
        seeds: Searches run.
        budget: Queries allowed in each, promotions left out.
        best_mean: Mean over seeds of the best feasible objective; None unless every seed found a feasible architecture.
        best_std: Sample standard deviation of the same; None with a single seed.
        test_mean: Mean test metric of the selected architectures; None under the same condition.
        optimum: Best possible objective.
        hit_rate: Share of seeds that met it.
        queries_to_optimum_median: Over seeds; a search that did not meet it counts as all its queries, promotions
            included.
        queries_to_optimum_mean: The same.
        censored: How many searches did not meet it.
        feasible_share: Share of all queries that were feasible.
        overhead_seconds_mean: Mean over seeds of all time spent on proposals: pretraining, refits, ascent.
        overhead_mb_peak: The largest over seeds.
        source: Where the values come from.
        objective: What ``best``, ``optimum`` and the rest are about: the first, where the goal has several.
        free: Metrics with a limit that were known before a query.
        queried: Metrics with a limit that were known only after a query.
        fidelity: Where the budget was spent; None means the full fidelity.
        promote: How many of the best were then queried again at the full fidelity, from which alone the best is chosen.
        epochs_mean: Mean over seeds of the epochs of all queries; None for a task that has only one fidelity.
        hit_rate_low: Lower end of the 95 % interval of the hit rate (Clopper and Pearson 1934).
        hit_rate_high: Its upper end.
        queries_to_optimum_survival: When half of the searches have met the optimum, by Kaplan and Meier.
        marks: Queries -> how good the searches are after so many: those of `MARKS` that the budget allows, and the last.
        overhead_seconds_per_100: Of proposals, per 100 queries.
        proposal_seconds_mean: Of one proposal; a round of several is proposed at once.
    """

    seeds: int
    budget: int
    best_mean: float | None
    best_std: float | None
    test_mean: float | None
    optimum: float | None
    hit_rate: float | None
    queries_to_optimum_median: float | None
    queries_to_optimum_mean: float | None
    censored: int | None
    feasible_share: float
    overhead_seconds_mean: float
    overhead_mb_peak: float
    source: str
    objective: str
    free: tuple[str, ...]
    queried: tuple[str, ...]
    fidelity: int | None
    promote: int
    epochs_mean: float | None
    hit_rate_low: float | None
    hit_rate_high: float | None
    queries_to_optimum_survival: Middle | None
    marks: dict[int, Mark]
    overhead_seconds_per_100: float
    proposal_seconds_mean: float


def summarize(outcomes: Sequence[Outcome], contest: Contest, *, budget: int) -> Summary:
    """Summarize the seeds of one algorithm on one task; there is at least one."""
    selected = [selection(outcome) for outcome in outcomes]
    queries = [query for outcome in outcomes for query in outcome.queries]
    bests = [None if query is None else query.best_so_far for query in selected]
    tests = [None if query is None else query.metrics.get(contest.test) for query in selected]
    met = [] if contest.optimum is None else [queries_to(o, contest.aim, contest.optimum) for o in outcomes]
    counted = [float(contest.protocol.queries(budget) if at is None else at) for at in met]
    rate = hit_interval(met)
    asking = sum(query.ask_seconds for query in queries)
    epochs = [query.epochs for outcome in outcomes for query in outcome.queries[-1:]]
    return Summary(
        seeds=len(outcomes),
        budget=budget,
        best_mean=_of_all(bests, np.mean),
        best_std=_of_all(bests, partial(np.std, ddof=1)) if len(bests) > 1 else None,
        test_mean=_of_all(tests, np.mean),
        optimum=contest.optimum,
        hit_rate=_of_all([float(at is not None) for at in met], np.mean),
        queries_to_optimum_median=_of_all(counted, np.median),
        queries_to_optimum_mean=_of_all(counted, np.mean),
        censored=met.count(None) if met else None,
        feasible_share=sum(query.feasible for query in queries) / max(len(queries), 1),
        overhead_seconds_mean=asking / len(outcomes),
        overhead_mb_peak=max(outcome.overhead_mb for outcome in outcomes),
        source=outcomes[0].source,
        objective=contest.objective,
        free=contest.protocol.free,
        queried=contest.protocol.queried(contest.goal),
        fidelity=contest.protocol.fidelity,
        promote=contest.protocol.promote,
        epochs_mean=_of_all(epochs, np.mean),
        hit_rate_low=rate[0] if rate else None,
        hit_rate_high=rate[1] if rate else None,
        queries_to_optimum_survival=survival(met, last=contest.protocol.queries(budget)).middle if met else None,
        marks=marks(gain_curves(outcomes, contest.aim, budget=contest.protocol.queries(budget)), contest),
        overhead_seconds_per_100=100 * asking / max(len(queries), 1),
        proposal_seconds_mean=asking / max(len(queries), 1),
    )


def selection(outcome: Outcome) -> Query | None:
    """The query that the search answers with: the first that reached its final best; None where nothing is feasible."""
    final = outcome.queries[-1].best_so_far if outcome.queries else None
    return None if final is None else next(query for query in outcome.queries if query.best_so_far == final)


def queries_to(outcome: Outcome, objective: Objective, value: float) -> int | None:
    """The first query after which the best so far is as good as ``value``; None if it never is."""
    wanted = objective.gain({objective.metric: value})
    for query in outcome.queries:
        if query.best_so_far is not None:
            gain = objective.gain({objective.metric: query.best_so_far})
            if gain >= wanted or math.isclose(gain, wanted, rel_tol=SAME):
                return query.query
    return None


def gain_curves(outcomes: Sequence[Outcome], objective: Objective, *, budget: int) -> np.ndarray:
    """``(n_seeds, budget)`` best so far, larger = better; ``-inf`` until something is feasible, held once a search ends."""
    curves = np.full((len(outcomes), budget), -np.inf)
    for curve, outcome in zip(curves, outcomes, strict=True):
        for query in outcome.queries:
            if query.best_so_far is not None:
                curve[query.query - 1 :] = objective.gain({objective.metric: query.best_so_far})
    return curves


def quartiles(outcomes: Sequence[Outcome], objective: Objective, *, budget: int) -> np.ndarray:
    """``(3, budget)``: lower quartile, median and upper quartile of the best so far, in the metric's own unit.

    Actual values of seeds, not interpolated between them, so that a seed without anything feasible needs no number.
    """
    curves = gain_curves(outcomes, objective, budget=budget)
    bands = np.quantile(curves, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf")
    return bands if objective.direction == "max" else -bands[::-1]


def _of_all(values: Sequence[float | None], statistic: Callable[[list[float]], float]) -> float | None:
    """The statistic if no value is missing: one that leaves out the runs that failed would flatter."""
    present = [value for value in values if value is not None]
    return statistic(present) if present and len(present) == len(values) else None
