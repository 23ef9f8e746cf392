"""Where the nodes of a small directed acyclic graph are drawn.

The layered method (Sugiyama, Tagawa and Toda 1981): nodes in layers by longest path, long edges bent at a virtual node
in every layer that they cross, neighbors' mean positions to order each layer, then least squares to straighten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

Edge = tuple[int, int]
Place = tuple[float, float]

SWEEPS = 8


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
    """Lay out ``count`` nodes; every edge leads from a lower to a higher node."""
    layer = [0] * count
    for i, j in sorted(edges):
        layer[j] = max(layer[j], layer[i] + 1)
    chains: list[list[int]] = []
    short: list[Edge] = []
    for i, j in edges:
        chain = [i]
        for between in range(layer[i] + 1, layer[j]):
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
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for members in layers if forward else layers[::-1]:
            near = before if forward else after
            wanted = np.array([position[near[k]].mean() if near[k] else position[k] for k in members])
            order = np.argsort(wanted, kind="stable")
            members[:] = [members[k] for k in order]
            position[members] = _spread(wanted[order])
    for members in layers:
        wanted = np.array([position[[*before[k], *after[k], k]].mean() for k in members])
        position[members] = _spread(np.maximum.accumulate(wanted))
    return position


def _spread(wanted: np.ndarray) -> np.ndarray:
    """The nearest positions, by least squares, that are at least 1 apart and keep the order.

    Subtracting the rank turns the gaps into monotonicity: pooling adjacent violators solves that exactly.
    """
    blocks: list[tuple[float, int]] = []
    for value in wanted - np.arange(len(wanted)):
        mean, size = float(value), 1
        while blocks and blocks[-1][0] > mean:
            other, many = blocks.pop()
            mean, size = (mean * size + other * many) / (size + many), size + many
        blocks.append((mean, size))
    return np.concatenate([np.full(size, mean) for mean, size in blocks]) + np.arange(len(wanted))
