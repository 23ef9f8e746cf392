"""The tables of a comparison, with the texts of their cells."""

from __future__ import annotations

from dataclasses import dataclass

from optiproxy.comparison.runs.grid import Contest
from optiproxy.comparison.stats.comparison import Comparison
from optiproxy.comparison.stats.findings import Findings
from optiproxy.comparison.stats.marks import Spread
from optiproxy.comparison.stats.statistics import SAME, Summary
from optiproxy.comparison.stats.verdict import Verdict
from optiproxy.reporting.comparison.cast import Role
from optiproxy.reporting.comparison.charts import overhead
from optiproxy.reporting.comparison.words import advantage, chance
from optiproxy.reporting.svg.scale import number


@dataclass(frozen=True, kw_only=True)
class Cell:
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
class Line:
    """One algorithm in a task's tables."""

    role: Role
    summary: Summary
    end: list[Cell]
    way: list[Cell]


@dataclass(frozen=True, kw_only=True)
class Table:
    """The two tables of one task, which share their lines: after all queries, and on the way there.

    Attributes:
        contest: Of the task.
        end: Heads of the first.
        way: Heads of the second.
        lines: One for each algorithm.
    """

    contest: Contest
    end: list[str]
    way: list[str]
    lines: list[Line]


@dataclass(frozen=True, kw_only=True)
class Total:
    """One algorithm over all tasks.

    Attributes:
        role: On the page.
        tasks: How many it has searched.
        seeds: Fewest to most.
        ranks: One cell for each ranking.
        verdicts: Comparisons in which the reference is ahead, open ones, and those in which it is behind.
        seconds: Of proposals per 100 queries, mean over the tasks.
        proposal: Seconds of one proposal, the same mean.
        megabytes: The peak over all.
    """

    role: Role
    tasks: int
    seeds: str
    ranks: list[Cell]
    verdicts: tuple[int, int, int] | None
    seconds: float
    proposal: float
    megabytes: float


def table(comparison: Comparison, findings: Findings, task: str, roles: dict[str, Role]) -> Table:
    """The tables of one task."""
    contest = comparison.contests[task]
    summaries = comparison.summaries[task]
    marks = sorted({mark for summary in summaries.values() for mark in summary.marks})
    feasible = any(summary.feasible_share < 1 for summary in summaries.values())
    measures = list(dict.fromkeys((test.measure, test.words) for test in findings.tests if test.task == task))
    known = contest.optimum is not None
    end = ["Seeds", f"Best {contest.aim.metric}", "Median"]
    end += [contest.test] if contest.test else []
    end += ["Met the optimum", "Queries to it", "Censored mean"] if known else []
    end += ["Feasible queries"] if feasible else []
    kind = "Regret" if known else f"Best {contest.aim.metric}"
    way = [f"{kind} after {mark}" for mark in marks] + [f"{findings.reference}: {words}" for _, words in measures]
    lines: list[Line] = []
    for name, summary in summaries.items():
        tests = {test.measure: test for test in findings.of(task, name)}
        cells = _end(contest, summary)
        lines.append(
            Line(
                role=roles[name],
                summary=summary,
                end=cells + ([_share(summary.feasible_share)] if feasible else []),
                way=[_mark(summary, mark) for mark in marks]
                + [verdict_cell(tests.get(measure)) for measure, _ in measures],
            )
        )
    return Table(contest=contest, end=end, way=way, lines=lines)


def totals(comparison: Comparison, findings: Findings, roles: dict[str, Role]) -> list[Total]:
    """The lines of the overall table, best rank first where there are ranks."""
    ranked = [name for found in findings.rankings[-1:] for name in found.ranks]
    return [_total(comparison, findings, roles[name]) for name in dict.fromkeys([*ranked, *comparison.algorithms])]


def _total(comparison: Comparison, findings: Findings, role: Role) -> Total:
    name = role.name
    tasks = [task for task in comparison.tasks if name in comparison.on(task)]
    found = [comparison.summaries[task][name] for task in tasks]
    tests = [test for test in findings.tests if test.rival == name]
    ahead = [sum(test.ahead == side for test in tests) for side in ("reference", "", "rival")]
    seeds = sorted({summary.seeds for summary in found})
    return Total(
        role=role,
        tasks=len(tasks),
        seeds="–".join(map(str, dict.fromkeys((seeds[0], seeds[-1])))),
        ranks=[
            Cell(text=f"{ranks[name]:.2f}", value=ranks[name]) if name in ranks else Cell(text="–")
            for ranks in (ranking.ranks for ranking in findings.rankings)
        ],
        verdicts=(ahead[0], ahead[1], ahead[2]) if tests else None,
        seconds=overhead(comparison, tasks, name),
        proposal=sum(summary.proposal_seconds_mean for summary in found) / len(found),
        megabytes=max(summary.overhead_mb_peak for summary in found),
    )


def _end(contest: Contest, summary: Summary) -> list[Cell]:
    last = summary.marks[max(summary.marks)].best
    spread = f" ± {_rough(summary.best_std, summary.best_mean)}" if summary.best_std is not None else ""
    cells = [
        Cell(text=str(summary.seeds), value=summary.seeds),
        Cell(text=number(summary.best_mean) + spread, small=_interval(last.low, last.high), value=summary.best_mean),
        Cell(text=number(last.median), small=_interval(last.first, last.third), value=last.median),
    ]
    if contest.test:
        cells.append(Cell(text=number(summary.test_mean), value=summary.test_mean))
    survival = summary.queries_to_optimum_survival
    if survival is not None and summary.hit_rate is not None and summary.hit_rate_low is not None:
        high = summary.hit_rate_high or 0.0
        cells += [
            Cell(
                text=f"{100 * summary.hit_rate:.0f} %",
                small=f"{100 * summary.hit_rate_low:.0f} to {100 * high:.0f} %",
                value=summary.hit_rate,
            ),
            Cell(
                text=_queries(survival.median, summary),
                # Where all have met it, an end that is missing is unknown and not beyond the queries made.
                small=_interval(
                    survival.low, survival.high, beyond=_queries(None, summary) if summary.censored else "–"
                ),
                value=survival.median,
            ),
            Cell(
                text=f"{summary.queries_to_optimum_mean:.1f}",
                small=f"{summary.censored} censored" if summary.censored else "",
                value=summary.queries_to_optimum_mean,
            ),
        ]
    return cells


def _queries(value: float | None, summary: Summary) -> str:
    return f"over {summary.budget + summary.promote}" if value is None else f"{value:g}"


def _mark(summary: Summary, mark: int) -> Cell:
    found = summary.marks.get(mark)
    if found is None:
        return Cell(text="")
    spread = found.best if found.regret is None else found.regret
    if spread.mean is None:
        return Cell(text="–", small=f"{found.found} of {summary.seeds} seeds")
    scale = _scale(spread, found.best)
    return Cell(text=_short(spread.mean, scale), small=_ends(spread.low, spread.high, scale), value=spread.mean)


def _scale(spread: Spread, best: Spread) -> float:
    """Below this, a distance is rounding."""
    return SAME * abs(best.mean or 0.0) if spread is not best else 0.0


def _short(value: float, noise: float) -> str:
    if abs(value) <= noise:
        return "0"
    return f"{value:.3g}" if noise else number(value)


def _ends(low: float | None, high: float | None, noise: float) -> str:
    return "" if low is None or high is None else f"{_short(low, noise)} to {_short(high, noise)}"


def verdict_cell(test: Verdict | None) -> Cell:
    """By how much the reference is better, its wins, ties and losses, and the corrected p."""
    if test is None:
        return Cell(text="")
    css = {"reference": "ahead", "rival": "behind"}.get(test.ahead, "")
    counts = f"{test.wins}/{test.ties}/{test.losses}, {chance(test.p_corrected)}"
    return Cell(text=advantage(test), small=counts, value=test.p_corrected, css=css)


def _share(share: float) -> Cell:
    return Cell(text=f"{100 * share:.0f} %", value=share)


def _interval(low: float | None, high: float | None, *, beyond: str = "–") -> str:
    if low is None and high is None:
        return ""
    return f"{number(low)} to {beyond if high is None else number(high)}"


def _rough(value: float, of: float | None) -> str:
    """Two significant digits of a spread; what is only rounding is 0."""
    return "0" if of is None or value < SAME * abs(of) else f"{value:.2g}"
