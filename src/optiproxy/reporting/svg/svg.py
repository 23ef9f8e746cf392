"""SVG elements, built as a tree so that every name and number is escaped once, by the serializer."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from markupsafe import Markup


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


def figure(width: float, height: float, *children: ET.Element, label: str) -> Markup:
    """A whole drawing that scales with the page; ``label`` is what a screen reader says."""
    root = element("svg", *children, viewBox=f"0 0 {width:g} {height:g}", width=width, role="img", aria_label=label)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - the serializer has escaped it


def _text(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else _printable(str(value))


def _printable(text: str) -> str:
    """Without the control characters that no XML document may hold."""
    return "".join(c if c.isprintable() else " " for c in text)
