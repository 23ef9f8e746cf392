"""SVG elements and colors. Elements form a tree, so that every name and number is escaped once, by the serializer."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass

from markupsafe import Markup

# Colors that most people with a color vision deficiency tell apart (Okabe and Ito 2008), darkened for thin lines.
_STRONG = ("#0072b2", "#d55e00", "#008f6b", "#b0568a", "#a67c00", "#3d97c9", "#555555")
_DASHES = ("none", "7 4", "2 3", "9 3 2 3")
_TINTS = ("#e9edf1", "#dcebf7", "#fbe6d4", "#d8f0e6", "#f6e2ee", "#fbf1cc", "#e2e4f6", "#eadfd6")
_EDGES = ("#9aa5b1", "#6fa8d3", "#dd9a62", "#5fb796", "#c98bb0", "#cdb04a", "#9096cf", "#b1977f")


@dataclass(frozen=True)
class Ink:
    """How a series is drawn: a CSS color, and dashes where color alone would not tell it from another."""

    color: str
    dash: str = "none"


BEST, QUIET, BAD = Ink("#0072b2"), Ink("#7a8794"), Ink("#d55e00")
"""Inks of what is best, what is ordinary, and what failed."""


def ink(index: int) -> Ink:
    """The ink of the ``index``-th line of a chart: colors first, then dashes."""
    return Ink(_STRONG[index % len(_STRONG)], _DASHES[index // len(_STRONG) % len(_DASHES)])


def tint(index: int) -> tuple[str, str]:
    """Fill and outline of a box."""
    return _TINTS[index % len(_TINTS)], _EDGES[index % len(_EDGES)]


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


def _text(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else _printable(str(value))


def _printable(text: str) -> str:
    """The text without the control characters that no XML document may hold."""
    return "".join(c if c.isprintable() else " " for c in text)
