"""Parallel coordinates: one `Parallel` drawn as upright axes and lines across them."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from markupsafe import Markup

from optiproxy.reporting.figures import Axis, Parallel, Series
from optiproxy.reporting.svg.chart import Style
from optiproxy.reporting.svg.elements import LETTER, element, fit, image, position, tick_label

SIDE, TOP, BOTTOM = 58, 50, 14
"""CSS pixels beside the outer axes, for their labels, above the axes and below."""


def draw(figure: Parallel, styles: Mapping[str, Style], *, width: int = 880, height: int = 360) -> Markup:
    """The lines and axes as SVG.

    Args:
        figure: What is shown.
        styles: Style of each kind of line, by the name of its series.
        width: Width in CSS pixels; the page may scale it.
        height: Height in CSS pixels.
    """
    # A single axis stands on the left.
    apart = (width - 2 * SIDE) / max(len(figure.axes) - 1, 1)
    across = [SIDE + apart * k for k in range(len(figure.axes))]
    drawn = [line for series in figure.series for line in _line(figure, series, styles[series.name], across, height)]
    for axis, x in zip(figure.axes, across, strict=True):
        drawn += _axis(axis, x, height, letters=max(int(apart / LETTER) - 1, 4))
    return image(width, height, element("text", figure.title, x=0, y=14, class_="title"), *drawn, label=figure.title)


def _up(axis: Axis, value: float, height: int) -> float:
    return height - BOTTOM - position(axis, value) * (height - TOP - BOTTOM)


def _line(figure: Parallel, series: Series, style: Style, across: list[float], height: int) -> list[Element]:
    corners = [
        f"{across[round(k)]:.1f},{_up(figure.axes[round(k)], value, height):.1f}"
        for k, value in zip(series.x, series.y, strict=True)
        if value is not None
    ]
    note = element("title", series.notes[0] if series.notes else series.name)
    css = f"curve line {style.css}".strip()
    return [element("path", note, d="M" + " L".join(corners), stroke=style.ink.color, class_=css)] if corners else []


def _axis(axis: Axis, x: float, height: int, *, letters: int) -> list[Element]:
    title = element("text", fit(axis.title, letters), x=x, y=TOP - 14, class_="tick middle")
    title.append(element("title", axis.title))
    drawn = [element("line", x1=x, x2=x, y1=TOP, y2=height - BOTTOM, class_="axis"), title]
    labelled = enumerate(axis.labels) if axis.labels else ((v, _end(axis, v)) for v in (axis.low, axis.high))
    for value, text in labelled:
        up = _up(axis, value, height)
        # A halo keeps the text readable above the lines.
        drawn.append(element("text", fit(text, letters), x=x + 4, y=up + 4, class_="tick halo"))
    return drawn


def _end(axis: Axis, value: float) -> str:
    return f"{value:.4g}" if axis.scale == "log" else tick_label(value, (axis.high - axis.low) / 10)
