"""Pages and image files that need nothing but themselves: style, script and drawings are inside."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from optiproxy.errors import printable
from optiproxy.reporting.svg.elements import Ink, element
from optiproxy.reporting.words import number

if TYPE_CHECKING:
    from jinja2 import Environment

MARGIN, ROW, SAMPLE, LETTER = 14, 18, 26, 7.0
"""CSS pixels of an image file: its margin, the height of a row of the legend, its lines, the width of a letter."""


def render(template: str, **content: object) -> str:
    """Fill in one of the templates; everything but drawings is escaped."""
    return _environment().get_template(template).render(**content)


def _shown(value: object) -> object:
    """A value as it stands on a page: names and outputs may hold characters that no text has."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("optiproxy.reporting", "templates")
    made = Environment(
        loader=loader,
        autoescape=True,
        # A misspelt name in a template is an error, not an empty place.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    made.filters["number"] = number
    return made


def standalone(drawing: Markup, legend: Sequence[tuple[str, Ink]]) -> str:
    """The content of an SVG file, for a paper or a slide: with its style and legend inside.

    Args:
        drawing: A drawing of a page.
        legend: Names and inks; empty where the drawing names everything itself.
    """
    inner = ET.fromstring(drawing)  # noqa: S314 - our own drawing
    _, _, width, height = (float(part) for part in inner.attrib["viewBox"].split())
    # An SVG inside another one keeps its own coordinates.
    inner.attrib.update(x=str(MARGIN), y=str(MARGIN), width=f"{width:g}", height=f"{height:g}", overflow="visible")
    keys = _legend(legend, width)
    # Rows count from 0; without a legend there is none.
    rows = max((row for row, _, _, _ in keys), default=-1) + 1
    whole_width, whole_height = width + 2 * MARGIN, height + 2 * MARGIN + ROW * rows
    drawn = [element("rect", width=whole_width, height=whole_height, fill="var(--paper)"), inner]
    for row, x, name, ink in keys:
        y = height + MARGIN + ROW * (row + 0.6)
        drawn.append(
            element(
                "line",
                x1=x,
                x2=x + SAMPLE,
                y1=y,
                y2=y,
                stroke=ink.color,
                stroke_width=2.4,
                stroke_dasharray=ink.dash,
            )
        )
        drawn.append(element("text", name, x=x + SAMPLE + 6, y=y + 4))
    # The style is put in after serializing, which would escape the selectors.
    root = element("svg", element("style", "{style}"), *drawn, viewBox=f"0 0 {whole_width:g} {whole_height:g}")
    root.attrib.update(xmlns="http://www.w3.org/2000/svg", width=f"{whole_width:g}", height=f"{whole_height:g}")
    style, values = _style()
    text = ET.tostring(root, encoding="unicode").replace("{style}", style, 1)
    # Few programs but browsers know the variables of CSS.
    return re.sub(r"var\((--\w+)\)", lambda found: values[found[1]], text) + "\n"


def _legend(entries: Sequence[tuple[str, Ink]], width: float) -> list[tuple[int, float, str, Ink]]:
    """Row and x of each entry, filled row by row."""
    placed: list[tuple[int, float, str, Ink]] = []
    row, x = 0, float(MARGIN)
    for name, ink in entries:
        room = SAMPLE + 6 + LETTER * len(name) + 18
        if x + room > width and x > MARGIN:
            row, x = row + 1, float(MARGIN)
        placed.append((row, x, name, ink))
        x += room
    return placed


@cache
def _style() -> tuple[str, dict[str, str]]:
    """The style of drawings, and the value of each of its variables."""
    css = render("figure.css")
    values = {name: " ".join(value.split()) for name, value in re.findall(r"(--\w+):\s*([^;]+);", css)}
    rules = css[css.index("}") + 1 :]
    return rules.replace("<", "").strip(), values
