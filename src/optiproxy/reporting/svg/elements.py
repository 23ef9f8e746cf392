"""The parts of a drawing: SVG elements, inks and colors, and where things go on a chart.

Elements form a tree, so that every name and number is escaped once, by the serializer.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from optiproxy.reporting.figures import Axis

# Variables of figure.css, because a page in the dark has others.
_STRONG = tuple(f"var(--line{i})" for i in range(7))
_DASHES = ("none", "7 4", "2 3", "9 3 2 3")
_TINTS = tuple((f"var(--tint{i})", f"var(--edge{i})") for i in range(8))


@dataclass(frozen=True)
class Ink:
    """How a series is drawn: a CSS color, and dashes where color alone would not tell it from another."""

    color: str
    dash: str = "none"


BEST, QUIET, BAD = Ink("var(--accent)"), Ink("var(--quiet)"), Ink("var(--failed)")
"""Inks of what is best, what is ordinary, and what failed."""


def ink(index: int) -> Ink:
    """The ink of the ``index``-th line of a chart: colors first, then dashes."""
    return Ink(_STRONG[index % len(_STRONG)], _DASHES[index // len(_STRONG) % len(_DASHES)])


def tint(index: int) -> tuple[str, str]:
    """Fill and outline of a box."""
    return _TINTS[index % len(_TINTS)]


def element(tag: str, *children: ET.Element | str, **attributes: object) -> ET.Element:
    """One element; ``class_`` and ``stroke_width`` become ``class`` and ``stroke-width``, floats two decimals.

    At most one child may be text, and it comes first.
    """
    made = ET.Element(tag, {name.strip("_").replace("_", "-"): _text(value) for name, value in attributes.items()})
    for child in children:
        if isinstance(child, str):
            made.text = _printable(child)
        else:
            made.append(child)
    return made


def image(width: float, height: float, *children: ET.Element, label: str) -> Markup:
    """A whole drawing that scales with the page; ``label`` is what a screen reader says."""
    root = element("svg", *children, viewBox=f"0 0 {width:g} {height:g}", width=width, role="img", aria_label=label)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - the serializer has escaped it


def fit(text: str, length: int) -> str:
    """The text, cut where it has more letters."""
    return text if len(text) <= length else text[: length - 1] + "…"


def _text(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else _printable(str(value))


def _printable(text: str) -> str:
    """The text without the control characters that no XML document may hold."""
    return "".join(c if c.isprintable() else " " for c in text)


LETTER, LINE, GAP = 6.3, 12.0, 7.0
"""Width of a letter, height of a line, distance of a name from its point; CSS pixels in the size of tick labels."""

Point = tuple[float, float]
Box = tuple[float, float, float, float]


def position(axis: Axis, value: float) -> float:
    """0 at the beginning of the axis, 1 at its end; values beyond it are held at the nearer end."""
    if axis.scale == "log":
        share = min(math.log10(max(value, axis.low) / axis.low) / math.log10(axis.high / axis.low), 1.0)
    else:
        share = min(max((value - axis.low) / (axis.high - axis.low), 0.0), 1.0)
    return 1 - share if axis.descending else share


def shows(axis: Axis, value: float) -> bool:
    """Whether the value lies on the axis."""
    return axis.low <= value <= axis.high


def ticks(axis: Axis, about: int) -> list[tuple[float, str]]:
    """Round values on the axis with their labels, near ``about`` of them."""
    if axis.scale == "log":
        first, last = round(math.log10(axis.low)), round(math.log10(axis.high))
        # Every power of ten, or every second, third, ... where there are too many.
        return [(10.0**k, f"{10.0**k:g}") for k in range(first, last + 1, math.ceil((last - first + 1) / about))]
    values = round_values(axis.low, axis.high, about)
    step = values[1] - values[0] if len(values) > 1 else axis.high - axis.low
    return [(value, tick_label(value, step)) for value in values]


def round_values(low: float, high: float, about: int) -> list[float]:
    """Near ``about`` values between two others: multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    # A little less than it takes will do: quotients of floats are not exact.
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * (1 - 1e-9))
    # A tick that misses the end of the axis by rounding is shown.
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    if first > last:
        # Asked for two values, a short axis may lie between two multiples of the step.
        return round_values(low, high, 2 * about)
    digits = 1 - math.floor(math.log10(step))
    return [round(k * step, digits) for k in range(first, last + 1)]


def tick_label(value: float, step: float) -> str:
    """A tick's value with as many decimals as the distance between ticks needs."""
    if abs(value) >= 1_000_000 or step >= 1_000_000:
        return f"{value / 1e6:g}M"
    if step >= 1000:
        return f"{value / 1e3:g}k"
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:,.{decimals}f}" if decimals <= 5 else f"{value:g}"


def beside(points: Sequence[Point], texts: Sequence[str], *, left: float, right: float) -> list[Point | None]:
    """Where each text begins, on its baseline: right of its point, left of it, above or below; None where all is taken.

    No text covers another or a point; the first ones have the choice.

    Args:
        points: On the screen, y downward.
        texts: One for each.
        left: Nothing is put left of this.
        right: Nothing is put right of this.
    """
    # The points themselves are taken too.
    taken: list[Box] = [(x - 4, y - 4, x + 4, y + 4) for x, y in points]
    places: list[Point | None] = []
    for (x, y), text in zip(points, texts, strict=True):
        # An estimate: with which font the page is shown is not known here.
        width = LETTER * len(text)
        starts = [(across, y + up) for up in (4.0, -3.0, 11.0, -10.0, 18.0) for across in (x + GAP, x - GAP - width)]
        # Above and below come last: there a name may be taken for that of a point over or under it.
        starts += [(x - width / 2, y - GAP - 1), (x - width / 2, y + GAP + LINE - 2)]
        free = (
            place
            for place in starts
            if place[0] >= left
            and place[0] + width <= right
            and not any(_overlap(_box(place, width), other) for other in taken)
        )
        found = next(free, None)
        places.append(found)
        if found is not None:
            taken.append(_box(found, width))
    return places


def _box(place: Point, width: float) -> Box:
    x, y = place
    return x, y - LINE + 3, x + width, y + 2


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
