"""What the runs of one algorithm on one task say about it: one entry of ``summary.json``.

The answer of a run is its final incumbent: the best by the run's own objective among feasible architectures. The test metric
is that of this architecture and was never used to choose it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from optiproxy.comparison.estimates import Checkpoint, MedianTimeToTarget, checkpoints, hit_rate_interval, survival
from optiproxy.comparison.grid import TaskSetting
from optiproxy.comparison.results import RunResult
from optiproxy.comparison.scores import final_incumbent, incumbent_curves, queries_to_optimum


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One entry of ``summary.json``. A figure that does not exist is None.

    Attributes:
        seeds: Number of runs.
        budget: Queries allowed in each, promotions left out.
        best_mean: Mean over seeds of the final incumbent; None unless every seed found a feasible architecture.
        best_std: Sample standard deviation of the same; None with a single seed.
        test_mean: Mean test metric of the final incumbents; None under the same condition.
        optimum: Best possible value of the objective.
        hit_rate: Share of seeds that met it.
        queries_to_optimum_median: Median over seeds; a run that did not meet it counts as all its queries, promotions
            included.
        queries_to_optimum_mean: Mean over seeds, counted in the same way.
        censored: How many runs did not meet it.
        feasible_share: Share of all queries that were feasible.
        overhead_seconds_mean: Mean over seeds of the seconds spent on proposals: pretraining, refits, ascent.
        overhead_mb_peak: The largest peak memory over seeds, in MB.
        source: Where the values come from.
        objective: What ``best``, ``optimum`` and the rest are about: the first, where the goal has several.
        free: Metrics with a limit that were known before a query.
        queried: Metrics with a limit that were known only after a query.
        fidelity: Fidelity at which the budget was spent; None means the full one.
        promote: How many of the best were then queried again at the full fidelity, from which alone the best is chosen.
        epochs_mean: Mean over seeds of the epochs of all queries; None for a task that has only one fidelity.
        hit_rate_low: Lower end of the 95 % interval of the hit rate (Clopper and Pearson 1934).
        hit_rate_high: Upper end of this interval.
        queries_to_optimum_survival: Median queries to the optimum, runs that have not met it being censored.
        checkpoints: Queries -> how good the algorithm is after so many: those of `CHECKPOINTS` that the budget allows, and
            the last.
        overhead_seconds_per_100: Seconds spent on proposals per 100 queries.
        proposal_seconds_mean: Seconds of one proposal; a round of several is proposed at once.
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
    queries_to_optimum_survival: MedianTimeToTarget | None
    checkpoints: dict[int, Checkpoint]
    overhead_seconds_per_100: float
    proposal_seconds_mean: float

    def to_json(self) -> dict[str, Any]:
        """The entry of ``summary.json``: these fields, the checkpoints under their first name ``marks``."""
        # Scripts read this file, so that its keys outlive the names in the code.
        return {"marks" if name == "checkpoints" else name: value for name, value in asdict(self).items()}


def summarize(results: Sequence[RunResult], setting: TaskSetting, *, budget: int) -> Summary:
    """Summarize the runs of one algorithm on one task; there is at least one."""
    # Selection is by validation; the test value of the selected architecture is looked up afterwards.
    incumbents = [final_incumbent(result) for result in results]
    bests = [None if row is None else row.best_so_far for row in incumbents]
    tests = [None if row is None else row.metrics.get(setting.test) for row in incumbents]
    rows = [row for result in results for row in result.queries]
    last = setting.protocol.queries(budget)
    met = queries_to_optimum(results, setting)
    # A run that never met the optimum counts as all its queries: the mean is then a lower bound (Summary.censored says
    # for how many runs), while the Kaplan-Meier median needs no such number.
    counted = [float(last if at is None else at) for at in met]
    interval = hit_rate_interval(met)
    asking = sum(row.ask_seconds for row in rows)
    epochs = [row.epochs for result in results for row in result.queries[-1:]]
    return Summary(
        seeds=len(results),
        budget=budget,
        best_mean=_of_all(bests, np.mean),
        # With Bessel's correction: the seeds are a sample of all seeds.
        best_std=_of_all(bests, partial(np.std, ddof=1)) if len(bests) > 1 else None,
        test_mean=_of_all(tests, np.mean),
        optimum=setting.optimum,
        hit_rate=_of_all([float(at is not None) for at in met], np.mean),
        queries_to_optimum_median=_of_all(counted, np.median),
        queries_to_optimum_mean=_of_all(counted, np.mean),
        censored=met.count(None) if met else None,
        # A run may have no query at all, where its space holds nothing valid.
        feasible_share=sum(row.feasible for row in rows) / max(len(rows), 1),
        overhead_seconds_mean=asking / len(results),
        overhead_mb_peak=max(result.overhead_mb for result in results),
        source=results[0].source,
        objective=setting.objective,
        free=setting.protocol.free,
        queried=setting.protocol.queried(setting.goal),
        fidelity=setting.protocol.fidelity,
        promote=setting.protocol.promote,
        epochs_mean=_of_all(epochs, np.mean),
        hit_rate_low=interval[0] if interval else None,
        hit_rate_high=interval[1] if interval else None,
        queries_to_optimum_survival=survival(met, last=last).median_time if met else None,
        checkpoints=checkpoints(incumbent_curves(results, setting.first_objective, queries=last), setting),
        overhead_seconds_per_100=100 * asking / max(len(rows), 1),
        proposal_seconds_mean=asking / max(len(rows), 1),
    )


def _of_all(values: Sequence[float | None], statistic: Callable[[list[float]], float]) -> float | None:
    """The statistic if no value is missing: one that leaves out the runs that failed would flatter."""
    present = [value for value in values if value is not None]
    return statistic(present) if present and len(present) == len(values) else None
