"""An architecture as a picture: boxes for operations, curves for the flow of data.

Nodes are laid out by the layered method (Sugiyama, Tagawa and Toda 1981): nodes in layers by longest path, long edges bent at
a virtual node in every layer that they cross, neighbors' mean positions to order each layer, then least squares to straighten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.etree.ElementTree import Element

import numpy as np
from markupsafe import Markup

from optiproxy.reporting.figures import Node, Structure
from optiproxy.reporting.svg.elements import element, fit, image, tint

Edge = tuple[int, int]
Place = tuple[float, float]

BOX_WIDTH, BOX_HEIGHT, EDGE = 128, 44, 2
"""CSS pixels: the size of a box, and a margin for its outline."""

LONGEST_ROW = 6
"""More layers than this run down the page instead of across."""

SWEEPS = 8
"""Passes over the layers that order them by their neighbors; further ones change nothing on graphs of this size."""


@dataclass(frozen=True)
class _Flow:
    """The way in which places turn into points on the page.

    Attributes:
        along: Distance between layers.
        across: Distance between neighbors in a layer.
        half: Distance from the center of a box to its side, in the direction of the flow.
        turn: Makes ``(along, across)`` an ``(x, y)``.
    """

    along: float
    across: float
    half: float
    turn: Callable[[float, float], Place]

    def center(self, place: Place) -> Place:
        """The center of the box at a place, in pixels."""
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
    """The architecture as SVG; ``label`` is what a screen reader says."""
    layout = layered(len(structure.nodes), structure.edges)
    deepest = max(along for along, _ in layout.places)
    widest = max(across for _, across in [*layout.places, *(place for route in layout.routes for place in route)])
    # A long chain would be too small to read across the page.
    flow = ACROSS_THE_PAGE if deepest < LONGEST_ROW else DOWN_THE_PAGE
    arrow = element("path", d="M0,0 L7,3.5 L0,7 Z", class_="arrow")
    marker = element("marker", arrow, id="arrow", markerWidth=7, markerHeight=7, refX=7, refY=3.5, orient="auto")
    # The marker's size is in pixels: by default it would be in stroke widths.
    marker.set("markerUnits", "userSpaceOnUse")
    drawn = [element("defs", marker)]
    drawn += [element("path", d=flow.curve(route), class_="edge", marker_end="url(#arrow)") for route in layout.routes]
    for node, place in zip(structure.nodes, layout.places, strict=True):
        drawn += _box(node, flow.center(place))
    right, bottom = flow.center((deepest, widest))
    return image(right + BOX_WIDTH / 2 + EDGE, bottom + BOX_HEIGHT / 2 + EDGE, *drawn, label=label)


def _box(node: Node, center: Place) -> list[Element]:
    x, y = center
    fixed = not node.detail
    # Gray for what was not chosen, or chosen from a list of its own.
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
    drawn = [box, element("text", fit(node.label, 17), x=x, y=y + (5 if fixed else -1), class_="operation")]
    if node.detail:
        drawn.append(element("text", fit(node.detail, 21), x=x, y=y + 14, class_="decision"))
    return drawn


@dataclass(frozen=True)
class Layout:
    """Positions in units of one layer along the flow and one node across it.

    Attributes:
        places: ``(along, across)`` per node; the smallest of each is 0.
        routes: Per edge, in the order given, the places through which it runs, ends included.
    """

    places: tuple[Place, ...]
    routes: tuple[tuple[Place, ...], ...]


def layered(count: int, edges: Sequence[Edge]) -> Layout:
    """Lay out ``count`` nodes, whose edges all lead from lower to higher ones."""
    layer = [0] * count
    # In the order of their sources, so that the layer of a source is final when it is used.
    for i, j in sorted(edges):
        layer[j] = max(layer[j], layer[i] + 1)
    chains: list[list[int]] = []
    short: list[Edge] = []
    for i, j in edges:
        chain = [i]
        for between in range(layer[i] + 1, layer[j]):
            # A virtual node in every layer that the edge crosses keeps room for it between the boxes.
            chain.append(len(layer))
            layer.append(between)
        chain.append(j)
        chains.append(chain)
        short.extend(pairwise(chain))
    across = _across(layer, short)
    places = [(float(along), float(a)) for along, a in zip(layer, across - across.min(initial=0.0), strict=True)]
    return Layout(tuple(places[:count]), tuple(tuple(places[k] for k in chain) for chain in chains))


def _across(layer: Sequence[int], edges: Sequence[Edge]) -> np.ndarray:
    """One coordinate per node, at least 1 apart within a layer."""
    n = len(layer)
    before: list[list[int]] = [[] for _ in range(n)]
    after: list[list[int]] = [[] for _ in range(n)]
    for i, j in edges:
        before[j].append(i)
        after[i].append(j)
    layers = [[k for k in range(n) if layer[k] == at] for at in range(max(layer, default=-1) + 1)]
    position = np.zeros(n)
    for members in layers:
        position[members] = np.arange(len(members)) - (len(members) - 1) / 2
    # In turn from the first and from the last layer, each ordered by the neighbors that were placed before.
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for members in layers if forward else layers[::-1]:
            near = before if forward else after
            wanted = np.array([position[near[k]].mean() if near[k] else position[k] for k in members])
            order = np.argsort(wanted, kind="stable")
            members[:] = [members[k] for k in order]
            position[members] = _at_least_one_apart(wanted[order])
    # At last each node is drawn to all its neighbors, as far as the order within its layer allows.
    for members in layers:
        wanted = np.array([position[[*before[k], *after[k], k]].mean() for k in members])
        position[members] = _at_least_one_apart(np.maximum.accumulate(wanted))
    return position


def _at_least_one_apart(wanted: np.ndarray) -> np.ndarray:
    """The nearest positions, by least squares, that are at least 1 apart and keep the order of the wanted ones."""
    from scipy.optimize import isotonic_regression

    # Less its rank, each position only has to be as large as the one before: isotonic regression.
    ranks = np.arange(len(wanted))
    return isotonic_regression(wanted - ranks).x + ranks
