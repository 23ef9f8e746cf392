"""The report on a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from optiproxy import __version__
from optiproxy.comparing.folder import Comparison
from optiproxy.comparing.grid import Contest
from optiproxy.comparing.statistics import SAME, Summary, quartiles, regret
from optiproxy.reporting import comparison_charts as charts
from optiproxy.reporting.page import render, write
from optiproxy.reporting.scale import number
from optiproxy.reporting.words import goal_in_words, protocol_in_words


@dataclass(frozen=True, kw_only=True)
class Row:
    """One algorithm in a task's table."""

    name: str
    sample: Markup
    summary: Summary
    best: str
    median: str
    regret: float | None
    regret_text: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """One task."""

    task: str
    goal: str
    contest: Contest
    queries: int
    protocol: list[str]
    curves: Markup
    hits: Markup | None
    rows: list[Row]

    @property
    def all_feasible(self) -> bool:
        """Whether a column about feasibility would say nothing."""
        return all(row.summary.feasible_share == 1 for row in self.rows)


def write_comparison_report(comparison: Comparison, path: Path) -> Path:
    """Write the page; it needs no network and no other file.

    Raises:
        UsageError: If the file cannot be written.
    """
    return write(path, comparison_report(comparison))


def comparison_report(comparison: Comparison) -> str:
    """The page as HTML."""
    grid = comparison.grid
    sections = [_section(comparison, task) for task in grid.contests]
    inks = charts.inks(comparison)
    return render(
        "comparison.html",
        version=__version__,
        title=f"Comparison: {', '.join(grid.contests)}",
        grid=grid,
        sections=sections,
        legend=[(name, charts.sample(ink)) for name, ink in inks.items()],
        command=_command(comparison),
    )


def _section(comparison: Comparison, task: str) -> Section:
    contest = comparison.grid.contests[task]
    return Section(
        task=task,
        goal=goal_in_words(contest.goal),
        contest=contest,
        queries=comparison.grid.queries(task),
        protocol=protocol_in_words(contest.protocol, contest.goal, budget=comparison.grid.budget),
        curves=charts.best_curves(comparison, task),
        hits=charts.hit_curves(comparison, task),
        rows=[_row(comparison, task, name) for name in comparison.grid.algorithms],
    )


def _row(comparison: Comparison, task: str, name: str) -> Row:
    summary = comparison.summaries[task][name]
    aim = comparison.grid.contests[task].aim
    first, median, third = quartiles(comparison.of(task, name), aim, budget=comparison.grid.queries(task))[
        :, -1
    ].tolist()
    behind = regret(summary)
    return Row(
        name=name,
        sample=charts.sample(charts.inks(comparison)[name]),
        summary=summary,
        best=number(summary.best_mean)
        + (f" ± {_rough(summary, summary.best_std)}" if summary.best_std is not None else ""),
        median=f"{number(median)} ({number(first)} to {number(third)})",
        regret=behind,
        regret_text=_rough(summary, behind),
    )


def _rough(summary: Summary, value: float | None) -> str:
    """Two significant digits of a spread or a distance; what is only rounding is 0."""
    if value is None or summary.best_mean is None:
        return number(None)
    return "0" if value < SAME * abs(summary.best_mean) else f"{value:.2g}"


def _command(comparison: Comparison) -> str:
    grid = comparison.grid
    algorithms = " ".join(f"--algorithm {name}" for name in grid.algorithms)
    freed = dict.fromkeys(name for contest in grid.contests.values() for name in contest.protocol.free)
    free = "".join(f" --free {name}" for name in freed)
    return f"optiproxy compare {' '.join(grid.contests)} {algorithms}{free} --seeds {grid.seeds} --budget {grid.budget} --out DIR"
