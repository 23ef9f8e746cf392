"""One chart: axes, bands, lines and points, drawn in the order in which they are added."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal
from xml.etree.ElementTree import Element

from markupsafe import Markup

from optiproxy.reporting.svg.labels import beside
from optiproxy.reporting.svg.scale import Axis, LogAxis
from optiproxy.reporting.svg.svg import element, figure

Mark = Literal["filled", "hollow", "cross"]
Point = tuple[float, float]

LEFT, RIGHT, TOP, BOTTOM = 58, 18, 30, 42


@dataclass(frozen=True)
class Ink:
    """How a series is drawn: a CSS color, and dashes where color alone would not tell it from another."""

    color: str
    dash: str = "none"


class Chart:
    """Builds one SVG.

    Args:
        x: Horizontal axis.
        y: Vertical axis.
        label: What a screen reader says.
        width: In CSS pixels; the page may scale it.
        height: In CSS pixels.
    """

    def __init__(
        self, x: Axis | LogAxis, y: Axis | LogAxis, *, label: str, width: int = 640, height: int = 330
    ) -> None:
        self._x, self._y, self._label, self._width, self._height = x, y, label, width, height
        self._drawn: list[Element] = self._frame()

    def line(self, points: Sequence[Point], ink: Ink, *, name: str = "", css: str = "") -> None:
        """A polyline; points that are not finite are left out. ``css`` names further classes."""
        self._path(self._screen(points), ink, name, css)

    def steps(self, points: Sequence[Point], ink: Ink, *, name: str = "") -> None:
        """A staircase that holds each value until the next point: a best-so-far curve."""
        kept = self._screen(points)
        corners = kept[:1]
        for (_, before), (x, y) in pairwise(kept):
            corners += [(x, before), (x, y)]
        self._path(corners, ink, name, "")

    def band(self, low: Sequence[Point], high: Sequence[Point], ink: Ink, *, css: str = "") -> None:
        """The area between two curves over the same x."""
        outline = self._screen(low) + self._screen(high)[::-1]
        if len(outline) > 3:
            corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in outline)
            self._drawn.append(element("polygon", points=corners, fill=ink.color, class_=f"band {css}".strip()))

    def points(self, points: Sequence[Point], ink: Ink, *, mark: Mark = "filled", names: Sequence[str]) -> None:
        """One mark per finite point, with a tooltip; what lies beyond an axis is a triangle at its edge."""
        for point, name in zip(points, names, strict=True):
            if math.isfinite(point[0]) and math.isfinite(point[1]):
                self._drawn.append(self._mark(point, ink, mark, name))

    def labels(self, points: Sequence[Point], names: Sequence[str]) -> None:
        """A name beside each finite point, where there is room for it; the first ones have the choice."""
        finite = [
            (p, name) for p, name in zip(points, names, strict=True) if math.isfinite(p[0]) and math.isfinite(p[1])
        ]
        anchors = [self._at(*point) for point, _ in finite]
        texts = [name for _, name in finite]
        for text, place in zip(texts, beside(anchors, texts, right=self._width - 2, left=LEFT), strict=True):
            if place is not None:
                self._drawn.append(element("text", text, x=place[0], y=place[1], class_="tick"))

    def level(self, y: float, name: str) -> None:
        """A horizontal reference line with its name: a known optimum, a limit."""
        if self._y.shows(y):
            (start, height), (end, _) = self._at(self._x.low, y), self._at(self._x.high, y)
            self._drawn.append(element("line", x1=start, x2=end, y1=height, y2=height, class_="reference"))
            self._drawn.append(element("text", name, x=end - 4, y=height - 5, class_="tick end"))

    def upright(self, x: float, name: str) -> None:
        """A vertical reference line with its name."""
        if self._x.shows(x):
            (across, bottom), (_, top) = self._at(x, self._y.low), self._at(x, self._y.high)
            self._drawn.append(element("line", x1=across, x2=across, y1=top, y2=bottom, class_="reference"))
            self._drawn.append(element("text", name, x=across - 5, y=bottom - 6, class_="tick end"))

    def diagonal(self) -> None:
        """Where x equals y."""
        low, high = max(self._x.low, self._y.low), min(self._x.high, self._y.high)
        if low < high:
            (x1, y1), (x2, y2) = self._at(low, low), self._at(high, high)
            self._drawn.append(element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_="reference"))

    def draw(self) -> Markup:
        """The finished SVG."""
        return figure(self._width, self._height, *self._drawn, label=self._label)

    def _at(self, x: float, y: float) -> Point:
        inner_width, inner_height = self._width - LEFT - RIGHT, self._height - TOP - BOTTOM
        return LEFT + self._x.position(x) * inner_width, self._height - BOTTOM - self._y.position(y) * inner_height

    def _screen(self, points: Sequence[Point]) -> list[Point]:
        return [self._at(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]

    def _path(self, points: Sequence[Point], ink: Ink, name: str, css: str) -> None:
        if points:
            through = "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in points)
            title = [element("title", name)] if name else []
            self._drawn.append(
                element(
                    "path",
                    *title,
                    d=through,
                    stroke=ink.color,
                    stroke_dasharray=ink.dash,
                    class_=f"curve {css}".strip(),
                )
            )

    def _mark(self, point: Point, ink: Ink, mark: Mark, name: str) -> Element:
        x, y = self._at(*point)
        title = element("title", name)
        if not (self._x.shows(point[0]) and self._y.shows(point[1])):
            up = -1 if point[1] > self._y.high else 1
            corners = f"M{x - 4:.1f},{y - 6 * up:.1f} L{x + 4:.1f},{y - 6 * up:.1f} L{x:.1f},{y:.1f} Z"
            return element("path", title, d=corners, fill=ink.color, fill_opacity=0.55, stroke="none")
        if mark == "cross":
            arms = f"M{x - 4:.1f},{y - 4:.1f} l8,8 m0,-8 l-8,8"
            return element("path", title, d=arms, stroke=ink.color, stroke_width=1.8, fill="none")
        fill = ink.color if mark == "filled" else "var(--paper)"
        return element("circle", title, cx=x, cy=y, r=3.6, fill=fill, stroke=ink.color, stroke_width=1.3, class_=mark)

    def _frame(self) -> list[Element]:
        drawn: list[Element] = []
        left, right = self._at(self._x.low, self._y.low)[0], self._at(self._x.high, self._y.low)[0]
        base = self._height - BOTTOM
        for value, text in self._y.labels(max(4, self._height // 60)):
            height = self._at(self._x.low, value)[1]
            drawn.append(element("line", x1=left, x2=right, y1=height, y2=height, class_="grid"))
            drawn.append(element("text", text, x=left - 8, y=height + 4, class_="tick end"))
        for value, text in self._x.labels(max(5, self._width // 90)):
            across = self._at(value, self._y.low)[0]
            drawn.append(element("line", x1=across, x2=across, y1=base, y2=base + 4, class_="axis"))
            drawn.append(element("text", text, x=across, y=base + 18, class_="tick middle"))
        drawn.append(element("line", x1=left, x2=right, y1=base, y2=base, class_="axis"))
        drawn.append(element("text", self._y.label, x=8, y=14, class_="title"))
        drawn.append(element("text", self._x.label, x=right, y=self._height - 6, class_="title end"))
        return drawn
