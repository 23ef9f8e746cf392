"""The tables of one task of a comparison, with the texts of their cells."""

from __future__ import annotations

from dataclasses import dataclass

from optiproxy.comparison.comparison import Comparison
from optiproxy.comparison.estimates import OverSeeds
from optiproxy.comparison.grid import TaskSetting
from optiproxy.comparison.paired import PairedTest
from optiproxy.comparison.scores import OPTIMUM_TOLERANCE
from optiproxy.comparison.statistics import Statistics
from optiproxy.comparison.summary import Summary
from optiproxy.reporting.comparison.words import effect_in_words, measure_in_words, p_in_words
from optiproxy.reporting.words import number


@dataclass(frozen=True, kw_only=True)
class TableCell:
    """One cell.

    Attributes:
        text: What stands in it.
        small: A second line.
        value: What the column is sorted by; None for what comes last.
        css: ``ahead`` or ``behind``, where a test supports it.
    """

    text: str
    small: str = ""
    value: float | None = None
    css: str = ""


@dataclass(frozen=True, kw_only=True)
class TaskLine:
    """One algorithm in the tables of a task: its cells after all queries, and at the checkpoints."""

    name: str
    summary: Summary
    final: list[TableCell]
    checkpoints: list[TableCell]


@dataclass(frozen=True, kw_only=True)
class TaskTable:
    """The two tables of one task, which share their lines: after all queries, and at checkpoints on the way there.

    Attributes:
        setting: The terms of the task.
        final: Heads of the first table.
        checkpoints: Heads of the second table.
        lines: One for each algorithm.
    """

    setting: TaskSetting
    final: list[str]
    checkpoints: list[str]
    lines: list[TaskLine]


def task_table(comparison: Comparison, statistics: Statistics, task: str) -> TaskTable:
    """The tables of one task."""
    setting = comparison.settings[task]
    metric = setting.first_objective.metric
    summaries = comparison.summaries[task]
    # Algorithms of several grids may have different budgets and so different checkpoints; a cell without one is empty.
    numbers = sorted({queries for summary in summaries.values() for queries in summary.checkpoints})
    # A column that says 100 % on every line says nothing.
    feasible = any(summary.feasible_share < 1 for summary in summaries.values())
    tests = {(test.rival, test.measure): test for test in statistics.task_tests if test.task == task}
    measures = list(dict.fromkeys(measure for _, measure in tests))
    known = setting.optimum is not None
    final = ["Seeds", f"Final incumbent: {metric}", "Median"]
    final += [setting.test] if setting.test else []
    final += ["Met the optimum", "Queries to it", "Censored mean"] if known else []
    final += ["Feasible queries"] if feasible else []
    # A regret compares across tasks better than a value, but needs to know the optimum.
    kind = "Simple regret" if known else f"Incumbent {metric}"
    checkpoints = [f"{kind} after {queries}" for queries in numbers]
    checkpoints += [f"{statistics.reference}: {measure_in_words(measure)}" for measure in measures]
    lines = [
        TaskLine(
            name=name,
            summary=summary,
            final=_final(setting, summary) + ([_share(summary.feasible_share)] if feasible else []),
            checkpoints=[_checkpoint(summary, queries) for queries in numbers]
            + [test_cell(tests.get((name, measure))) for measure in measures],
        )
        for name, summary in summaries.items()
    ]
    return TaskTable(setting=setting, final=final, checkpoints=checkpoints, lines=lines)


def test_cell(test: PairedTest | None) -> TableCell:
    """The effect size; below it wins, ties and losses of the reference, and the corrected p-value."""
    if test is None:
        return TableCell(text="")
    css = {"reference": "ahead", "rival": "behind"}.get(test.winner, "")
    counts = f"{test.wins}/{test.ties}/{test.losses}, {p_in_words(test.p_corrected)}"
    # Sorted by the p-value, which brings on top what the data support.
    return TableCell(text=effect_in_words(test), small=counts, value=test.p_corrected, css=css)


def _final(setting: TaskSetting, summary: Summary) -> list[TableCell]:
    last = summary.checkpoints[max(summary.checkpoints)].best
    std = f" ± {_rough(summary.best_std, summary.best_mean)}" if summary.best_std is not None else ""
    cells = [
        TableCell(text=str(summary.seeds), value=summary.seeds),
        TableCell(text=number(summary.best_mean) + std, small=_interval(last.low, last.high), value=summary.best_mean),
        TableCell(text=number(last.median), small=_interval(last.first, last.third), value=last.median),
    ]
    if setting.test:
        cells.append(TableCell(text=number(summary.test_mean), value=summary.test_mean))
    time = summary.queries_to_optimum_survival
    if time is not None and summary.hit_rate is not None and summary.hit_rate_low is not None:
        # Where all runs have met the optimum, an end that is missing is unknown and not beyond the queries made.
        beyond = _queries(None, summary) if summary.censored else "–"
        cells += [
            TableCell(
                text=f"{100 * summary.hit_rate:.0f} %",
                small=f"{100 * summary.hit_rate_low:.0f} to {100 * (summary.hit_rate_high or 0.0):.0f} %",
                value=summary.hit_rate,
            ),
            TableCell(
                text=_queries(time.median, summary),
                small=_interval(time.low, time.high, beyond=beyond),
                value=time.median,
            ),
            TableCell(
                text=f"{summary.queries_to_optimum_mean:.1f}",
                small=f"{summary.censored} censored" if summary.censored else "",
                value=summary.queries_to_optimum_mean,
            ),
        ]
    return cells


def _queries(value: float | None, summary: Summary) -> str:
    return f"over {summary.budget + summary.promote}" if value is None else f"{value:g}"


def _checkpoint(summary: Summary, queries: int) -> TableCell:
    """Mean simple regret with its interval; the mean incumbent where no optimum is known."""
    found = summary.checkpoints.get(queries)
    if found is None:
        return TableCell(text="")
    shown = found.best if found.regret is None else found.regret
    if shown.mean is None:
        # The mean over the lucky seeds alone would flatter.
        return TableCell(text="–", small=f"{found.found} of {summary.seeds} seeds")
    noise = _noise(shown, found.best)
    ends = (
        "" if shown.low is None or shown.high is None else f"{_short(shown.low, noise)} to {_short(shown.high, noise)}"
    )
    return TableCell(text=_short(shown.mean, noise), small=ends, value=shown.mean)


def _noise(shown: OverSeeds, best: OverSeeds) -> float:
    """Below this a regret is rounding."""
    return OPTIMUM_TOLERANCE * abs(best.mean or 0.0) if shown is not best else 0.0


def _short(value: float, noise: float) -> str:
    # Published optima are rounded, which leaves a regret of that rounding to a run that met one.
    if abs(value) <= noise:
        return "0"
    return f"{value:.3g}" if noise else number(value)


def _share(share: float) -> TableCell:
    return TableCell(text=f"{100 * share:.0f} %", value=share)


def _interval(low: float | None, high: float | None, *, beyond: str = "–") -> str:
    if low is None and high is None:
        return ""
    return f"{number(low)} to {beyond if high is None else number(high)}"


def _rough(std: float, of: float | None) -> str:
    """Two significant digits of a standard deviation; what is only rounding is 0."""
    # Seeds that all end at the optimum differ by rounding alone.
    return "0" if of is None or std < OPTIMUM_TOLERANCE * abs(of) else f"{std:.2g}"
