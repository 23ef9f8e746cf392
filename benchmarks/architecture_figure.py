"""Draw docs/images/architecture.svg from the tables of docs/architecture.md: ``python benchmarks/architecture_figure.py``.

On the left the rooms, layer below layer; on the right a lane for each layer, through which one query passes from left to right.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).parent.parent
DOCS, PACKAGE = ROOT / "docs", ROOT / "src" / "optiproxy"
PAGE = DOCS / "architecture.md"
FIGURE = DOCS / "images" / "architecture.svg"

ROW, STEP = 38, 34
LEFT, ROOM, GAP = 40, 96, 8
LANES = LEFT + 3 * (ROOM + GAP) + 34
TOP = 96
REPEATED = ("phase", "tell")
"""The first and the last step that every query takes; the others are taken once."""

STYLE = """
text { font-family: Inter, "Segoe UI", "Helvetica Neue", Roboto, "Noto Sans", Arial, sans-serif; font-size: 12.5px; fill: #1c2430; }
.small { font-size: 11px; fill: #55606e; }
.title { font-size: 13px; font-weight: 600; }
.number { font-size: 10.5px; font-weight: 600; fill: #ffffff; text-anchor: middle; }
.middle { text-anchor: middle; }
.end { text-anchor: end; }
.folder { fill: #e3edf9; stroke: #7ba3d3; }
.file { fill: #f4f6f8; stroke: #a3adb8; }
.lane { stroke: #e2e6ea; stroke-width: 1; }
.repeated { fill: #fff6e5; }
.way { fill: none; stroke: #b45309; stroke-width: 2; stroke-linejoin: round; }
.dot { fill: #b45309; }
"""


def cells(section: str) -> list[list[str]]:
    """The rows of the table in a section of the page, cell by cell, without code marks."""
    text = re.split(rf"^## {section}$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().replace("`", "") for cell in row] for row in rows]


def layers() -> list[list[str]]:
    """The rooms, layer by layer from the top."""
    found: dict[str, list[str]] = {}
    for layer, room, *_ in cells("Rooms"):
        found.setdefault(layer, []).append(room)
    return list(found.values())


def steps() -> list[tuple[str, str, str]]:
    """Number, word and room of each step of a query."""
    return [(number, word, call.partition(".")[0]) for number, word, call, _ in cells("The way of one query")]


def drawn() -> str:
    """The figure."""
    rooms, way = layers(), steps()
    row = {room: i for i, layer in enumerate(rooms) for room in layer}
    width, height = LANES + len(way) * STEP + 20, TOP + len(rooms) * ROW + 20
    parts: list[str] = []

    def x(i: int) -> float:
        return LANES + (i + 0.5) * STEP

    def y(i: int) -> float:
        return TOP + (i + 0.5) * ROW

    def text(x: float, y: float, told: str, style: str = "", turn: str = "") -> None:
        parts.append(f'<text x="{x:g}" y="{y:g}" class="{style}"{turn}>{escape(told)}</text>')

    words = [word for _, word, _ in way]
    first, last = (words.index(word) for word in REPEATED)
    parts.append(
        f'<rect x="{x(first) - STEP / 2:g}" y="{TOP - 66}" width="{(last - first + 1) * STEP}" '
        f'height="{height - TOP + 56}" rx="6" class="repeated" />'
    )
    text(LEFT, 24, "Rooms: each imports only from layers below", "title")
    text(LANES, 24, "The way of one query; the shaded steps repeat until the budget is spent", "title")
    for i, layer in enumerate(rooms):
        parts.append(
            f'<line x1="{LEFT - 24}" x2="{width - 20}" y1="{y(i) + ROW / 2:g}" y2="{y(i) + ROW / 2:g}" class="lane" />'
        )
        text(LEFT - 10, y(i) + 4, str(i + 1), "small end")
        for j, room in enumerate(layer):
            left = LEFT + j * (ROOM + GAP)
            kind = "folder" if (PACKAGE / room).is_dir() else "file"
            parts.append(
                f'<rect x="{left}" y="{y(i) - ROW / 2 + 5:g}" width="{ROOM}" height="{ROW - 10}" rx="5" class="{kind}" />'
            )
            text(left + ROOM / 2, y(i) + 4, room, "middle")
    points = [(x(i), y(row[room])) for i, (_, _, room) in enumerate(way)]
    parts.append(f'<polyline points="{" ".join(f"{px:g},{py:g}" for px, py in points)}" class="way" />')
    for (px, py), (number, word, _) in zip(points, way, strict=True):
        parts.append(f'<circle cx="{px:g}" cy="{py:g}" r="10" class="dot" />')
        text(px, py + 4, number, "number")
        text(px + 4, TOP - 8, word, "small", f' transform="rotate(-50 {px + 4:g} {TOP - 8})"')
    label = "The rooms of the package in layers, and the way of one query through them"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{label}">\n<style>{STYLE}</style>\n'
        # A ground of its own, so that the figure reads the same on a light and on a dark page.
        f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff" />\n' + "\n".join(parts) + "\n</svg>\n"
    )


if __name__ == "__main__":
    FIGURE.write_text(drawn(), encoding="utf-8")
