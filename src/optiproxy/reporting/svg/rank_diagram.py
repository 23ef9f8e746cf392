"""The critical-difference diagram: average ranks on a line, and bars over those that are not told apart (Demšar 2006)."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from markupsafe import Markup

from optiproxy.comparison.stats.ranks import Ranking
from optiproxy.reporting.comparison.cast import Role
from optiproxy.reporting.svg.svg import element, figure

WIDTH, SIDE, LINE, AXIS = 880, 200, 20, 56
"""Pixels: whole width, room for names at either side, height of a name, where the axis lies."""


def rank_diagram(ranking: Ranking, roles: Mapping[str, Role]) -> Markup:
    """The drawing; without a critical difference, the ranks alone."""
    ranks = list(ranking.ranks.items())
    worst = max(len(ranks), 2)
    scale = (WIDTH - 2 * SIDE) / (worst - 1)

    def across(rank: float) -> float:
        return SIDE + (rank - 1) * scale

    together = groups([rank for _, rank in ranks], ranking.critical_difference or 0.0)
    top = AXIS + 16 + 7 * len(together)
    drawn = _axis(worst, across(1), scale)
    if ranking.critical_difference is not None:
        drawn += _span(
            min(ranking.critical_difference * scale, WIDTH - 2 * SIDE), across(1), ranking.critical_difference
        )
    for row, (first, last) in enumerate(together):
        y = AXIS + 12 + 7 * row
        drawn.append(
            element("line", x1=across(ranks[first][1]) - 5, x2=across(ranks[last][1]) + 5, y1=y, y2=y, class_="group")
        )
    half = (len(ranks) + 1) // 2
    for i, (name, rank) in enumerate(ranks):
        left = i < half
        # The outermost names are the highest ones, so that no line crosses another.
        y = top + 14 + LINE * (i if left else len(ranks) - 1 - i)
        drawn += _named(name, rank, across(rank), y, roles[name], left=left)
    return figure(WIDTH, top + 14 + LINE * half, *drawn, label=f"Average ranks: {ranking.words}")


def groups(ranks: list[float], difference: float) -> list[tuple[int, int]]:
    """The longest runs of ranks, as first and last position, within a critical difference of each other.

    Args:
        ranks: Ascending.
        difference: 0 groups none.
    """
    found: list[tuple[int, int]] = []
    for first, rank in enumerate(ranks):
        last = max(i for i, other in enumerate(ranks) if other - rank <= difference)
        if last > first and difference > 0 and not (found and found[-1][1] >= last):
            found.append((first, last))
    return found


def _axis(worst: int, start: float, scale: float) -> list[Element]:
    drawn = [element("line", x1=start, x2=start + (worst - 1) * scale, y1=AXIS, y2=AXIS, class_="axis")]
    for rank in range(1, worst + 1):
        x = start + (rank - 1) * scale
        drawn.append(element("line", x1=x, x2=x, y1=AXIS - 5, y2=AXIS, class_="axis"))
        drawn.append(element("text", str(rank), x=x, y=AXIS - 9, class_="tick middle"))
    return drawn


def _span(width: float, start: float, difference: float) -> list[Element]:
    ends = [
        element("line", x1=x, x2=x, y1=14, y2=22, stroke="var(--ink)", stroke_width=1.2) for x in (start, start + width)
    ]
    bar = element("line", x1=start, x2=start + width, y1=18, y2=18, stroke="var(--ink)", stroke_width=1.2)
    told = element("text", f"critical difference {difference:.2f}", x=start, y=9, class_="tick")
    return [bar, *ends, told]


def _named(name: str, rank: float, x: float, y: float, role: Role, *, left: bool) -> list[Element]:
    end = SIDE - 8 if left else WIDTH - SIDE + 8
    color = role.ink.color if role.lit else "var(--faint)"
    elbow = element(
        "polyline",
        element("title", f"{name}: {rank:.2f}"),
        points=f"{x:.1f},{AXIS} {x:.1f},{y - 4:.1f} {end},{y - 4:.1f}",
        fill="none",
        stroke=color,
        stroke_width=1.4,
    )
    told = f"{name}  {rank:.2f}" if left else f"{rank:.2f}  {name}"
    side = "tick end" if left else "tick"
    return [elbow, element("text", told, x=end - 5 if left else end + 5, y=y, class_=side)]
