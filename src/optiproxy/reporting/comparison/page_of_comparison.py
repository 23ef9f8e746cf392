"""The report on a comparison."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from optiproxy import __version__
from optiproxy.comparison.stats.comparison import Comparison
from optiproxy.comparison.stats.findings import Findings
from optiproxy.reporting.comparison import charts
from optiproxy.reporting.comparison.cast import Role, cast
from optiproxy.reporting.comparison.suite_tables import suite_tables
from optiproxy.reporting.comparison.tables import Table, Total, table, totals
from optiproxy.reporting.comparison.words import command, extent, standing
from optiproxy.reporting.page import render
from optiproxy.reporting.search.standalone import standalone
from optiproxy.reporting.search.words import goal_in_words, protocol_in_words
from optiproxy.reporting.svg.rank_diagram import rank_diagram
from optiproxy.storage.files import write


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One figure.

    Attributes:
        name: Of its file.
        picture: As it stands on the page.
        roles: Whom its legend names; empty where the drawing does so itself.
    """

    name: str
    picture: Markup
    roles: tuple[Role, ...] = ()

    def file(self) -> str:
        """The content of a file of its own, which names what stands out."""
        lit = [(role.name, role.ink) for role in self.roles if role.lit]
        quiet = [] if len(lit) == len(self.roles) else [(f"{len(self.roles) - len(lit)} others", charts.OTHERS)]
        return standalone(self.picture, lit + quiet)


@dataclass(frozen=True, kw_only=True)
class Section:
    """One task."""

    task: str
    goal: str
    protocol: list[str]
    curves: Drawing
    survival: Drawing | None
    table: Table


def write_comparison_report(comparison: Comparison, findings: Findings, path: Path) -> Path:
    """Write the page, which needs no network and no other file, and its drawings into ``figures/`` beside it.

    Raises:
        UsageError: If a file cannot be written.
    """
    report = Report(comparison, findings)
    for drawing in report.drawings:
        write(path.parent / "figures" / f"{_file_name(drawing.name)}.svg", drawing.file())
    return write(path, report.page())


class Report:
    """The page and its drawings.

    Args:
        comparison: What is reported.
        findings: The tests and ranks of it.
    """

    def __init__(self, comparison: Comparison, findings: Findings) -> None:
        self._comparison, self._findings = comparison, findings
        self._roles = cast(comparison, findings)
        self._sections = [self._section(task) for task in comparison.tasks]
        several = len(comparison.algorithms) > 1
        self._ranks = [
            (found, Drawing(name=f"ranks-{found.measure}", picture=rank_diagram(found, self._roles)))
            for found in findings.rankings
            if several
        ]
        self._overhead = [
            Drawing(name="overhead", picture=charts.overhead_against_quality(comparison, found, self._roles))
            for found in findings.rankings[-1:]
            if several
        ]

    @property
    def drawings(self) -> list[Drawing]:
        """All of them."""
        tasks = [drawing for section in self._sections for drawing in (section.curves, section.survival) if drawing]
        return [*(drawing for _, drawing in self._ranks), *self._overhead, *tasks]

    def page(self) -> str:
        """The HTML."""
        tasks = self._comparison.tasks
        return render(
            "comparison.html",
            version=__version__,
            title=f"Comparison: {', '.join(tasks)}" if len(tasks) < 4 else f"Comparison on {len(tasks)} tasks",
            comparison=self._comparison,
            findings=self._findings,
            extent=extent(self._comparison),
            standing=standing(self._findings),
            sections=self._sections,
            totals=self._totals(),
            suites=suite_tables(self._findings, self._roles),
            ranks=self._ranks,
            overhead=self._overhead,
            commands=[command(grid) for grid in self._comparison.grids],
        )

    def _totals(self) -> list[Total]:
        return totals(self._comparison, self._findings, self._roles)

    def _section(self, task: str) -> Section:
        comparison, roles = self._comparison, self._roles
        contest = comparison.contests[task]
        budgets = {comparison.runs(task, name).budget for name in comparison.on(task)}
        shown = tuple(sorted((roles[name] for name in comparison.on(task)), key=lambda role: role.place))
        curves = charts.best_curves(comparison, task, roles)
        survival = charts.survival_curves(comparison, task, roles)
        return Section(
            task=task,
            goal=goal_in_words(contest.goal),
            protocol=protocol_in_words(contest.protocol, contest.goal, budget=max(budgets)),
            curves=Drawing(name=f"{task}-best", picture=curves, roles=shown),
            survival=None if survival is None else Drawing(name=f"{task}-survival", picture=survival, roles=shown),
            table=table(comparison, self._findings, task, roles),
        )


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.+-]", "_", text)
