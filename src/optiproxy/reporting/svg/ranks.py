"""The critical-difference diagram: mean ranks on a line, and bars over those that are not told apart (Demšar 2006)."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from markupsafe import Markup

from optiproxy.reporting.figures import RankFigure
from optiproxy.reporting.svg.elements import element, image

WIDTH, SIDE, LINE, AXIS = 880, 200, 20, 56
"""Pixels: whole width, room for names at either side, height of a name, where the axis lies."""


def draw(figure: RankFigure, colors: Mapping[str, str]) -> Markup:
    """The drawing; without a critical difference, the ranks alone.

    Args:
        figure: What is shown.
        colors: CSS color of each algorithm.
    """
    # One algorithm alone still needs an axis with two ends.
    worst = max(len(figure.names), 2)
    scale = (WIDTH - 2 * SIDE) / (worst - 1)

    def across(rank: float) -> float:
        return SIDE + (rank - 1) * scale

    top = AXIS + 16 + 7 * len(figure.groups)
    drawn = _axis(worst, across(1), scale)
    if figure.critical_difference is not None:
        width = min(figure.critical_difference * scale, WIDTH - 2 * SIDE)
        drawn += _span(width, across(1), figure.critical_difference)
    for row, (first, last) in enumerate(figure.groups):
        y = AXIS + 12 + 7 * row
        # A little over both ends, so that a bar visibly holds them.
        start, end = across(figure.ranks[first]) - 5, across(figure.ranks[last]) + 5
        drawn.append(element("line", x1=start, x2=end, y1=y, y2=y, class_="group"))
    # The better half has its names on the left, where their ranks are.
    half = (len(figure.names) + 1) // 2
    for i, (name, rank) in enumerate(zip(figure.names, figure.ranks, strict=True)):
        left = i < half
        # The outermost names are the highest ones, so that no line crosses another.
        y = top + 14 + LINE * (i if left else len(figure.names) - 1 - i)
        drawn += _named(name, rank, across(rank), y, colors[name], left=left)
    return image(WIDTH, top + 14 + LINE * half, *drawn, label=figure.title)


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


def _named(name: str, rank: float, x: float, y: float, color: str, *, left: bool) -> list[Element]:
    end = SIDE - 8 if left else WIDTH - SIDE + 8
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
