"""Which algorithms stand out on a page, and with which ink each is drawn everywhere on it."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from optiproxy.comparison.stats.comparison import Comparison
from optiproxy.comparison.stats.findings import Findings
from optiproxy.reporting.svg.chart import Ink
from optiproxy.reporting.svg.palette import series
from optiproxy.reporting.svg.svg import element, figure

LIT = 6
"""More curves in color than these are hard to follow: the others are drawn gray until a reader asks for one."""


@dataclass(frozen=True, kw_only=True)
class Role:
    """One algorithm on the page.

    Attributes:
        name: Its name.
        ink: Of its curves when they are lit.
        place: Its number in the order of the legends: the reference, then by rank.
        lit: Whether it stands out from the start.
    """

    name: str
    ink: Ink
    place: int
    lit: bool

    @property
    def key(self) -> str:
        """The class of everything drawn for it."""
        return f"s{self.place}"

    @property
    def css(self) -> str:
        """Classes of what is drawn for it."""
        return self.key if self.lit else f"{self.key} quiet"

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
        return figure(26, 10, line, label="")


def cast(comparison: Comparison, findings: Findings) -> dict[str, Role]:
    """The roles, in the order of the algorithms: the reference and the best of the others are lit."""
    ranked = [name for found in findings.rankings[-1:] for name in found.ranks]
    order = list(dict.fromkeys([findings.reference, *ranked, *comparison.algorithms]))
    lit = len(order) if len(order) <= LIT + 1 else LIT
    place = {name: i for i, name in enumerate(order)}
    return {
        name: Role(name=name, ink=series(place[name]), place=place[name], lit=place[name] < lit)
        for name in comparison.algorithms
    }
