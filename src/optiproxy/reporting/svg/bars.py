"""Bars: one number for each of several things, with its name on the left."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from markupsafe import Markup

from optiproxy.reporting.figures import Bars
from optiproxy.reporting.svg.elements import element, fit, image

ROW, BAR, NAMES, VALUES, LETTERS = 24, 13, 150, 50, 22
"""CSS pixels: height of a row and its bar, room for names and for values; letters of a name that fit."""


def draw(figure: Bars, *, width: int = 430) -> Markup:
    """The bars as SVG.

    Args:
        figure: What is shown.
        width: Width in CSS pixels; the height follows from how many there are.
    """
    # All of nothing is drawn as nothing.
    longest = max(figure.values, default=0.0) or 1.0
    room = width - NAMES - VALUES
    drawn: list[Element] = [element("text", figure.title, x=0, y=14, class_="title")]
    for row, (name, value) in enumerate(zip(figure.names, figure.values, strict=True)):
        y, length = 28 + ROW * row, room * value / longest
        label = element("text", fit(name, LETTERS), x=NAMES - 8, y=y + BAR - 2, class_="tick end")
        label.append(element("title", name))
        drawn += [
            label,
            element(
                "rect", element("title", f"{name}: {value:.3g}"), x=NAMES, y=y, width=length, height=BAR, class_="bar"
            ),
            element(
                "text", f"{value:.0%}" if value >= 0.01 else "<1%", x=NAMES + length + 6, y=y + BAR - 2, class_="tick"
            ),
        ]
    return image(width, 32 + ROW * len(figure.names), *drawn, label=figure.title)
