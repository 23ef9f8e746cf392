"""The report on a comparison: the page, and its figures as files of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from optiproxy import __version__
from optiproxy.comparison.comparison import Comparison
from optiproxy.comparison.statistics import Statistics
from optiproxy.files import write
from optiproxy.reporting.comparison import figures
from optiproxy.reporting.comparison.overview_tables import overall_lines, source_tables
from optiproxy.reporting.comparison.task_table import TaskTable, task_table
from optiproxy.reporting.comparison.words import command, extent, measure_in_words, standing
from optiproxy.reporting.figures import Figure
from optiproxy.reporting.page import render, standalone
from optiproxy.reporting.svg import chart, ranks
from optiproxy.reporting.svg.chart import Style
from optiproxy.reporting.svg.elements import QUIET, Ink, element, image, ink
from optiproxy.reporting.words import goal_in_words, protocol_in_words

HIGHLIGHTED = 6
"""More curves in color than these are hard to follow: the others are drawn gray until a reader asks for one."""

OTHERS = Ink("var(--dim)")
"""Ink of all that do not stand out, in the legend of an image file."""


@dataclass(frozen=True, kw_only=True)
class Role:
    """How one algorithm is drawn everywhere on the page.

    Attributes:
        name: Name of the algorithm.
        ink: Ink of its curves when they are highlighted.
        place: Its number in the order of the legends: the reference, then by rank.
        highlighted: Whether it stands out from the start.
    """

    name: str
    ink: Ink
    place: int
    highlighted: bool

    @property
    def key(self) -> str:
        """The class of everything drawn for it."""
        return f"s{self.place}"

    @property
    def css(self) -> str:
        """All classes of its curves."""
        return self.key if self.highlighted else f"{self.key} quiet"

    @property
    def sample(self) -> Markup:
        """A short line for the legend."""
        line = element(
            "line",
            x1=0,
            x2=26,
            y1=5,
            y2=5,
            stroke=self.ink.color,
            stroke_width=2.4,
            stroke_dasharray=self.ink.dash,
            class_=self.css,
        )
        return image(26, 10, line, label="")


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A figure as it is drawn.

    Attributes:
        name: Name of its file.
        picture: The drawing on the page.
        roles: Whom its legend names; empty where the drawing does so itself.
    """

    name: str
    picture: Markup
    roles: tuple[Role, ...] = ()

    def file(self) -> str:
        """The content of a file of its own, whose legend names what stands out."""
        highlighted = [(role.name, role.ink) for role in self.roles if role.highlighted]
        # Nobody can ask a file for the gray curves, so that its legend only counts them.
        quiet = (
            [] if len(highlighted) == len(self.roles) else [(f"{len(self.roles) - len(highlighted)} others", OTHERS)]
        )
        return standalone(self.picture, highlighted + quiet)


@dataclass(frozen=True, kw_only=True)
class Section:
    """What the page says of one task."""

    task: str
    goal: str
    protocol: list[str]
    curves: Drawing
    survival: Drawing | None
    table: TaskTable


def write_comparison_report(comparison: Comparison, statistics: Statistics, path: Path) -> Path:
    """Write the page, which needs no network and no other file, and its drawings into ``figures/`` beside it.

    Raises:
        UsageError: If a file cannot be written.
    """
    report = Report(comparison, statistics)
    for drawing in report.drawings:
        # A task that was given as ``MODULE:NAME`` has characters that not every file system takes.
        file_name = re.sub(r"[^\w.+-]", "_", drawing.name)
        write(path.parent / "figures" / f"{file_name}.svg", drawing.file())
    return write(path, report.page())


def assign_roles(comparison: Comparison, statistics: Statistics) -> dict[str, Role]:
    """The role of each algorithm: the reference and the best of the others are highlighted."""
    ranked = [name for found in statistics.rankings[-1:] for name in found.ranks]
    # The reference, then the others by rank, and behind them whom no ranking holds.
    order = list(dict.fromkeys([statistics.reference, *ranked, *comparison.algorithms]))
    # A single gray curve would make nothing easier to follow.
    count = len(order) if len(order) <= HIGHLIGHTED + 1 else HIGHLIGHTED
    place = {name: i for i, name in enumerate(order)}
    return {
        name: Role(name=name, ink=ink(place[name]), place=place[name], highlighted=place[name] < count)
        for name in comparison.algorithms
    }


class Report:
    """The page and its drawings.

    Args:
        comparison: What is reported.
        statistics: The tests and ranks of it.
    """

    def __init__(self, comparison: Comparison, statistics: Statistics) -> None:
        self._comparison, self._statistics = comparison, statistics
        self._roles = assign_roles(comparison, statistics)
        self._sections = [self._section(task) for task in comparison.tasks]
        # The rank of one algorithm alone says nothing.
        rankings = statistics.rankings if len(comparison.algorithms) > 1 else ()
        # Variables of the page's style; an image file puts in their values.
        colors = {name: role.ink.color if role.highlighted else "var(--faint)" for name, role in self._roles.items()}
        self._ranks = [
            (found, Drawing(name=shown.name, picture=ranks.draw(shown, colors)))
            for found, shown in ((found, figures.ranks(found)) for found in rankings)
        ]
        self._overhead: list[Drawing] = []
        # By the final incumbent, the last measure, which applies to every task.
        for found in rankings[-1:]:
            shown = figures.overhead_against_rank(comparison, found, names=self._highlighted_first(found.ranks))
            self._overhead.append(Drawing(name=shown.name, picture=chart.draw(shown, self._point_styles(), height=420)))

    @property
    def drawings(self) -> list[Drawing]:
        """All drawings of the page."""
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
            statistics=self._statistics,
            measure=measure_in_words,
            roles=self._roles,
            extent=extent(self._comparison),
            standing=standing(self._statistics),
            sections=self._sections,
            overall=overall_lines(self._comparison, self._statistics),
            sources=source_tables(self._statistics, self._by_place(self._comparison.algorithms)),
            ranks=self._ranks,
            overhead=self._overhead,
            commands=[command(grid) for grid in self._comparison.grids],
        )

    def _section(self, task: str) -> Section:
        comparison = self._comparison
        setting = comparison.settings[task]
        shown = self._by_place(comparison.on(task))
        # The largest one is told. Where promotions follow the budget, there is only one.
        budgets = {comparison.runs(task, name).budget for name in shown}
        # What stands out is drawn last, the reference on top.
        behind_first = shown[::-1]
        highlighted = [name for name in shown if self._roles[name].highlighted]
        curves = figures.incumbents(comparison, task, names=behind_first, emphasized=highlighted)
        survival = figures.survival_curves(comparison, task, names=behind_first)
        return Section(
            task=task,
            goal=goal_in_words(setting.goal),
            protocol=protocol_in_words(setting.protocol, setting.goal, budget=max(budgets)),
            curves=self._drawing(curves, shown, height=380),
            survival=None if survival is None else self._drawing(survival, shown, height=300),
            table=task_table(comparison, self._statistics, task),
        )

    def _drawing(self, figure: Figure, shown: Sequence[str], *, height: int) -> Drawing:
        styles = {name: Style(role.ink, css=role.css) for name, role in self._roles.items()}
        picture = chart.draw(figure, styles, height=height)
        return Drawing(name=figure.name, picture=picture, roles=tuple(self._roles[name] for name in shown))

    def _point_styles(self) -> dict[str, Style]:
        return {
            name: Style(role.ink) if role.highlighted else Style(QUIET, "hollow") for name, role in self._roles.items()
        }

    def _by_place(self, names: Sequence[str]) -> list[str]:
        return sorted(names, key=lambda name: self._roles[name].place)

    def _highlighted_first(self, names: Sequence[str] | dict[str, float]) -> list[str]:
        # False sorts before True, and sorting is stable: the highlighted ones first, each group in its order.
        return sorted(names, key=lambda name: not self._roles[name].highlighted)
