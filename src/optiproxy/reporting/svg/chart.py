"""A chart: one `Figure` drawn as axes, bands, steps and points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal
from xml.etree.ElementTree import Element

from markupsafe import Markup

from optiproxy.reporting.figures import Figure, Series, Values
from optiproxy.reporting.svg.elements import Ink, Point, beside, element, image, position, shows, ticks

LEFT, RIGHT, TOP, BOTTOM = 58, 18, 30, 42
"""CSS pixels around the inner rectangle."""


@dataclass(frozen=True)
class Style:
    """How a series is drawn.

    Attributes:
        ink: Color and dashes.
        marker: What stands at a point.
        css: Classes of its curves and bands, so that a page can dim them.
    """

    ink: Ink
    marker: Literal["filled", "hollow", "cross"] = "filled"
    css: str = ""


def draw(figure: Figure, styles: Mapping[str, Style], *, width: int = 880, height: int = 360) -> Markup:
    """The chart as SVG.

    Args:
        figure: What is shown.
        styles: Style of each series, by its name.
        width: Width in CSS pixels; the page may scale it.
        height: Height in CSS pixels.
    """
    return _Chart(figure, styles, width, height).draw()


class _Chart:
    """A figure on a rectangle of pixels."""

    def __init__(self, figure: Figure, styles: Mapping[str, Style], width: int, height: int) -> None:
        self._figure, self._styles, self._width, self._height = figure, styles, width, height

    def draw(self) -> Markup:
        series = self._figure.series
        # In the order of importance: what is drawn later lies on top.
        drawn = [*self._frame(), *self._references()]
        # All bands lie below all curves, or a later band would dim an earlier curve.
        drawn += [part for one in series if one.low for part in self._band(one)]
        for one in series:
            drawn += self._curve(one) if one.shape in {"steps", "lines"} else self._points(one)
        drawn += self._names() if self._figure.named else []
        return image(self._width, self._height, *drawn, label=self._figure.title)

    def _at(self, x: float, y: float) -> Point:
        # The origin of an SVG is the upper left corner, and y points down.
        inner_width, inner_height = self._width - LEFT - RIGHT, self._height - TOP - BOTTOM
        return (
            LEFT + position(self._figure.x, x) * inner_width,
            self._height - BOTTOM - position(self._figure.y, y) * inner_height,
        )

    def _staircase(self, x: Sequence[float], y: Values) -> list[Point]:
        """The corners of steps on the screen: each value holds until the next position; what does not exist is left out."""
        known = [self._at(a, b) for a, b in zip(x, y, strict=True) if b is not None]
        corners = known[:1]
        for (_, before), (across, up) in pairwise(known):
            corners += [(across, before), (across, up)]
        return corners

    def _band(self, series: Series) -> list[Element]:
        """The area between the lower and the upper ends."""
        style = self._styles[series.name]
        outline = self._staircase(series.x, series.low) + self._staircase(series.x, series.high)[::-1]
        # No area without two points on either side.
        if len(outline) <= 3:
            return []
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in outline)
        return [element("polygon", points=corners, fill=style.ink.color, class_=f"band {style.css}".strip())]

    def _curve(self, series: Series) -> list[Element]:
        style = self._styles[series.name]
        if series.shape == "lines":
            corners = [self._at(a, b) for a, b in zip(series.x, series.y, strict=True) if b is not None]
        else:
            corners = self._staircase(series.x, series.y)
        if not corners:
            return []
        return [
            element(
                "path",
                element("title", series.notes[0] if series.notes else series.name),
                d="M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in corners),
                stroke=style.ink.color,
                stroke_dasharray=style.ink.dash,
                class_=" ".join(filter(None, ("curve", "line" * (series.shape == "lines"), style.css))),
            )
        ]

    def _points(self, series: Series) -> list[Element]:
        """One marker per point, with a tooltip; a rug lies at the foot of the chart."""
        axis = self._figure.y
        # A little above the axis, whose line would hide it.
        foot = axis.low + 0.03 * (axis.high - axis.low)
        y = [foot] * len(series.x) if series.shape == "rug" else series.y
        notes = series.notes or [series.name] * len(series.x)
        return [
            self._marker((a, b), self._styles[series.name], note)
            for a, b, note in zip(series.x, y, notes, strict=True)
            if b is not None and math.isfinite(a)
        ]

    def _marker(self, point: Point, style: Style, note: str) -> Element:
        x, y = self._at(*point)
        title, color = element("title", note), style.ink.color
        if not (shows(self._figure.x, point[0]) and shows(self._figure.y, point[1])):
            # A triangle at the edge points to where the value lies.
            up = -1 if point[1] > self._figure.y.high else 1
            corners = f"M{x - 4:.1f},{y - 6 * up:.1f} L{x + 4:.1f},{y - 6 * up:.1f} L{x:.1f},{y:.1f} Z"
            return element("path", title, d=corners, fill=color, fill_opacity=0.55, stroke="none")
        if style.marker == "cross":
            arms = f"M{x - 4:.1f},{y - 4:.1f} l8,8 m0,-8 l-8,8"
            return element("path", title, d=arms, stroke=color, stroke_width=1.8, fill="none")
        # Filled with the page's color, because the curve below would show through a transparent marker.
        fill = color if style.marker == "filled" else "var(--paper)"
        return element(
            "circle", title, cx=x, cy=y, r=3.6, fill=fill, stroke=color, stroke_width=1.3, class_=style.marker
        )

    def _names(self) -> list[Element]:
        """The name of each series beside its points, where there is room for it."""
        known = [
            (self._at(a, b), one.name)
            for one in self._figure.series
            for a, b in zip(one.x, one.y, strict=True)
            if b is not None and math.isfinite(a)
        ]
        texts = [name for _, name in known]
        places = beside([point for point, _ in known], texts, right=self._width - 2, left=LEFT)
        return [
            element("text", text, x=place[0], y=place[1], class_="tick")
            for text, place in zip(texts, places, strict=True)
            if place is not None
        ]

    def _references(self) -> list[Element]:
        x, y = self._figure.x, self._figure.y
        drawn: list[Element] = []
        for line in self._figure.references:
            if line.axis == "y" and shows(y, line.value):
                (start, up), (end, _) = self._at(x.low, line.value), self._at(x.high, line.value)
                drawn.append(element("line", x1=start, x2=end, y1=up, y2=up, class_="reference"))
                drawn.append(element("text", line.name, x=end - 4, y=up - 5, class_="tick end"))
            elif line.axis == "x" and shows(x, line.value):
                (across, bottom), (_, top) = self._at(line.value, y.low), self._at(line.value, y.high)
                drawn.append(element("line", x1=across, x2=across, y1=top, y2=bottom, class_="reference"))
                drawn.append(element("text", line.name, x=across - 5, y=bottom - 6, class_="tick end"))
        # Only where both axes show a value can it lie on the diagonal.
        low, high = max(x.low, y.low), min(x.high, y.high)
        if self._figure.diagonal and low < high:
            (x1, y1), (x2, y2) = self._at(low, low), self._at(high, high)
            drawn.append(element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_="reference"))
        return drawn

    def _frame(self) -> list[Element]:
        x, y = self._figure.x, self._figure.y
        left, right, base = LEFT, self._width - RIGHT, self._height - BOTTOM
        drawn: list[Element] = []
        # Labels are wider than they are high, so ticks stand closer on the vertical axis.
        for value, text in ticks(y, max(4, self._height // 60)):
            up = self._at(x.low, value)[1]
            drawn.append(element("line", x1=left, x2=right, y1=up, y2=up, class_="grid"))
            drawn.append(element("text", text, x=left - 8, y=up + 4, class_="tick end"))
        for value, text in ticks(x, max(5, self._width // 90)):
            across = self._at(value, y.low)[0]
            drawn.append(element("line", x1=across, x2=across, y1=base, y2=base + 4, class_="axis"))
            drawn.append(element("text", text, x=across, y=base + 18, class_="tick middle"))
        drawn.append(element("line", x1=left, x2=right, y1=base, y2=base, class_="axis"))
        drawn.append(element("text", y.text, x=8, y=14, class_="title"))
        drawn.append(element("text", x.text, x=right, y=self._height - 6, class_="title end"))
        return drawn
