"""The figures of a comparison as data: incumbents, runs without the optimum, mean ranks, and what an algorithm costs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from optiproxy.comparison.comparison import Comparison
from optiproxy.comparison.estimates import survival
from optiproxy.comparison.ranks import Ranking
from optiproxy.comparison.scores import incumbent_quartiles, queries_to_optimum
from optiproxy.reporting.axes import around, counting, finite, logarithmic
from optiproxy.reporting.comparison.words import measure_in_words
from optiproxy.reporting.figures import Axis, Figure, RankFigure, Reference, Series

SETTLED = 0.08
"""The axis starts where the curves are after this share of the queries: the first few random ones are off it."""


def incumbents(
    comparison: Comparison,
    task: str,
    *,
    names: Sequence[str] | None = None,
    emphasized: Collection[str] | None = None,
) -> Figure:
    """The incumbent after each query: median over the seeds, with the band from lower to upper quartile.

    Args:
        comparison: A comparison of any size.
        task: Name of one of its tasks.
        names: Algorithms in the order of drawing, the last on top; all that have searched the task by default.
        emphasized: Algorithms whose bands the axis has to show, and not the medians alone; all by default.
    """
    setting = comparison.settings[task]
    metric = setting.first_objective.metric
    optimum = [] if setting.optimum is None else [Reference(value=setting.optimum, name="optimum")]
    series: list[Series] = []
    for name in comparison.on(task) if names is None else names:
        runs = comparison.runs(task, name)
        low, median, high = incumbent_quartiles(runs.results, setting.first_objective, queries=runs.queries).tolist()
        x = tuple(float(query) for query in range(1, runs.queries + 1))
        series.append(Series(name=name, x=x, y=finite(median), low=finite(low), high=finite(high)))
    longest = max(len(one.x) for one in series)
    # Bands of gray curves are not drawn, so they need no room.
    settled = [
        value
        for one in series
        for row in ((one.low, one.y, one.high) if emphasized is None or one.name in emphasized else (one.y,))
        for value in row[int(longest * SETTLED) :]
    ]
    return Figure(
        name=f"{task}-best",
        title=f"Incumbent {metric} on {task}: median over the seeds",
        x=counting("queries", longest),
        y=around(f"incumbent {metric}", [*settled, *(line.value for line in optimum)], margin=0.05),
        series=tuple(series),
        references=tuple(optimum),
    )


def survival_curves(comparison: Comparison, task: str, *, names: Sequence[str] | None = None) -> Figure | None:
    """Percentage of the runs that have not met the optimum yet (Kaplan and Meier 1958), with 95 % bands.

    Args:
        comparison: A comparison of any size.
        task: Name of one of its tasks.
        names: Algorithms in the order of drawing, as for `incumbents`.

    Returns:
        None where no optimum is known.
    """
    setting = comparison.settings[task]
    if setting.optimum is None:
        return None
    series: list[Series] = []
    for name in comparison.on(task) if names is None else names:
        runs = comparison.runs(task, name)
        curve = survival(queries_to_optimum(runs.results, setting), last=runs.queries)
        # From query 0, where all runs are without the optimum, to the last query.
        x = (0.0, *curve.queries.tolist(), float(runs.queries))
        low, share, high = (
            (100.0, *(100 * row).tolist(), 100 * float(row[-1])) for row in (curve.low, curve.share, curve.high)
        )
        series.append(Series(name=name, x=x, y=share, low=low, high=high))
    return Figure(
        name=f"{task}-survival",
        title=f"Runs that have not met the optimum of {task}",
        x=counting("queries", int(max(one.x[-1] for one in series))),
        # A little more than 100, or the beginning of the curves would lie on the edge.
        y=Axis(title="runs that have not met the optimum", low=0, high=102, unit="%"),
        series=tuple(series),
    )


def overhead_against_rank(comparison: Comparison, ranking: Ranking, *, names: Sequence[str] | None = None) -> Figure:
    """Seconds of proposals per 100 queries against the mean rank: the best are at the top left.

    Args:
        comparison: A comparison of any size.
        ranking: The ranks of its algorithms by one measure.
        names: The ranked algorithms, those first whose names have the best places; by rank by default.
    """
    # Of the tasks that rank them: seconds of proposals differ from space to space.
    seconds = {name: overhead(comparison, ranking.tasks, name) for name in ranking.ranks}
    series = tuple(
        Series(
            name=name,
            x=(seconds[name],),
            y=(ranking.ranks[name],),
            shape="points",
            notes=(f"{name}: rank {ranking.ranks[name]:.2f}, {seconds[name]:.3g} s",),
        )
        for name in (ranking.ranks if names is None else names)
    )
    return Figure(
        name="overhead",
        title="Overhead against quality",
        x=logarithmic("time of the algorithm itself per 100 queries, one thread", seconds.values(), unit="s"),
        y=Axis(
            title=f"mean rank of the {measure_in_words(ranking.measure)}",
            # Half a rank of room at both ends.
            low=0.5,
            high=len(ranking.ranks) + 0.5,
            descending=True,
        ),
        series=series,
        named=True,
    )


def overhead(comparison: Comparison, tasks: Iterable[str], name: str) -> float:
    """Seconds of proposals per 100 queries: the mean over those of the tasks that the algorithm has searched."""
    found = [comparison.summaries[task][name] for task in tasks if name in comparison.on(task)]
    return sum(summary.overhead_seconds_per_100 for summary in found) / len(found)


def ranks(ranking: Ranking) -> RankFigure:
    """Mean ranks, and which algorithms the critical difference does not tell apart."""
    values = tuple(ranking.ranks.values())
    return RankFigure(
        name=f"ranks-{ranking.measure}",
        title=f"Mean rank of the {measure_in_words(ranking.measure)}",
        names=tuple(ranking.ranks),
        ranks=values,
        critical_difference=ranking.critical_difference,
        groups=groups(values, ranking.critical_difference or 0.0),
    )


def groups(values: Sequence[float], difference: float) -> tuple[tuple[int, int], ...]:
    """The longest sequences of ranks, as first and last position, that lie within a critical difference.

    Args:
        values: Ranks, ascending.
        difference: The critical difference; 0 groups none.
    """
    found: list[tuple[int, int]] = []
    for first, rank in enumerate(values):
        # The farthest that this one is not told apart from.
        last = max(i for i, other in enumerate(values) if other - rank <= difference)
        # One that ends where the one before ends is a part of it.
        if last > first and difference > 0 and not (found and found[-1][1] >= last):
            found.append((first, last))
    return tuple(found)
