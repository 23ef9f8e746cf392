"""An architecture as a picture: boxes for operations, curves for the flow of data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.etree.ElementTree import Element

from markupsafe import Markup

from optiproxy.reporting.search.structure import Node, Structure
from optiproxy.reporting.svg.layout import Place, layered
from optiproxy.reporting.svg.palette import tint
from optiproxy.reporting.svg.svg import element, figure

BOX_WIDTH, BOX_HEIGHT, EDGE = 128, 44, 2
LONGEST_ROW = 6
"""More layers than this run down the page instead of across."""


@dataclass(frozen=True)
class _Flow:
    """How places turn into points on the page.

    Attributes:
        along: Distance between layers.
        across: Distance between neighbors in a layer.
        half: From a box's center to its side, in the direction of the flow.
        turn: Makes ``(along, across)`` an ``(x, y)``.
    """

    along: float
    across: float
    half: float
    turn: Callable[[float, float], Place]

    def center(self, place: Place) -> Place:
        """The middle of a box."""
        x, y = self.turn(place[0] * self.along, place[1] * self.across)
        return x + BOX_WIDTH / 2 + EDGE, y + BOX_HEIGHT / 2 + EDGE

    def curve(self, route: Sequence[Place]) -> str:
        """An SVG path that leaves and enters the boxes in the direction of the flow."""
        stops = [(along * self.along, across * self.across) for along, across in route]
        stops[0] = (stops[0][0] + self.half, stops[0][1])
        stops[-1] = (stops[-1][0] - self.half - 1, stops[-1][1])
        path = "M" + self._point(*stops[0])
        for (a0, c0), (a1, c1) in pairwise(stops):
            middle = (a0 + a1) / 2
            path += f" C{self._point(middle, c0)} {self._point(middle, c1)} {self._point(a1, c1)}"
        return path

    def _point(self, along: float, across: float) -> str:
        x, y = self.turn(along, across)
        return f"{x + BOX_WIDTH / 2 + EDGE:.1f},{y + BOX_HEIGHT / 2 + EDGE:.1f}"


ACROSS_THE_PAGE = _Flow(BOX_WIDTH + 44, BOX_HEIGHT + 20, BOX_WIDTH / 2, lambda along, across: (along, across))
DOWN_THE_PAGE = _Flow(BOX_HEIGHT + 26, BOX_WIDTH + 20, BOX_HEIGHT / 2, lambda along, across: (across, along))


def draw(structure: Structure, *, label: str) -> Markup:
    """The SVG of one architecture."""
    layout = layered(len(structure.nodes), structure.edges)
    deepest = max(along for along, _ in layout.places)
    widest = max(across for _, across in [*layout.places, *(place for route in layout.routes for place in route)])
    flow = ACROSS_THE_PAGE if deepest < LONGEST_ROW else DOWN_THE_PAGE
    arrow = element("path", d="M0,0 L7,3.5 L0,7 Z", class_="arrow")
    marker = element("marker", arrow, id="arrow", markerWidth=7, markerHeight=7, refX=7, refY=3.5, orient="auto")
    # The marker's size is in pixels, not in stroke widths.
    marker.set("markerUnits", "userSpaceOnUse")
    drawn = [element("defs", marker)]
    drawn += [element("path", d=flow.curve(route), class_="edge", marker_end="url(#arrow)") for route in layout.routes]
    for node, place in zip(structure.nodes, layout.places, strict=True):
        drawn += _box(node, flow.center(place))
    right, bottom = flow.center((deepest, widest))
    return figure(right + BOX_WIDTH / 2 + EDGE, bottom + BOX_HEIGHT / 2 + EDGE, *drawn, label=label)


def _box(node: Node, center: Place) -> list[Element]:
    x, y = center
    fixed = not node.detail
    fill, edge = ("var(--wash)", "var(--faint)") if node.hue is None else tint(node.hue)
    box = element(
        "rect",
        element("title", f"{node.detail} = {node.label}" if node.detail else node.label),
        x=x - BOX_WIDTH / 2,
        y=y - BOX_HEIGHT / 2,
        width=BOX_WIDTH,
        height=BOX_HEIGHT,
        rx=BOX_HEIGHT / 2 if fixed else 7,
        fill=fill,
        stroke=edge,
    )
    drawn = [box, element("text", _fit(node.label, 17), x=x, y=y + (5 if fixed else -1), class_="operation")]
    if node.detail:
        drawn.append(element("text", _fit(node.detail, 21), x=x, y=y + 14, class_="decision"))
    return drawn


def _fit(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
