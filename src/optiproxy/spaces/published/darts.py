"""The DARTS space of NAS-Bench-301 (Zela et al., ICLR 2022, arXiv 2008.09777): a normal and a reduction cell."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from optiproxy.graph import GraphBatch
from optiproxy.spaces.decisions import Architecture
from optiproxy.spaces.published.darts_cells import CELLS, NODES, OPERATIONS, PAIRS, ROW, canonical_row, decisions_of
from optiproxy.spaces.space import Space

if TYPE_CHECKING:
    from torch import Tensor

_CELL_NODES = 2 + 2 * len(NODES) + 1
"""Of a cell in the graph: its two inputs, the operations on the lower and the higher source of each node, its output."""

_CELL_FEATURES = len(OPERATIONS) + 3
"""Of a cell's nodes: the operations, either input, the output. The cells share none, for they do different things."""

_OPERATION_POSITIONS = [i for i, decision in enumerate(decisions_of(CELLS[0])) if decision.choices == OPERATIONS]
_PAIR_POSITIONS = [i for i in range(ROW) if i not in _OPERATION_POSITIONS]
"""In a cell's row."""


class DARTS(Space):
    """10^18 pairs of cells, seen by the proxy as 2 x 11 nodes: of each cell two inputs, eight operations, the output.

    An intermediate node of a cell is a sum and no node of the graph: what has it for a source is fed by both of its
    operations. All four are concatenated to the output. Sources and operations are relaxed together: half a pair of
    sources is half of either edge.
    """

    name = "darts"
    decisions = tuple(decision for cell in CELLS for decision in decisions_of(cell))

    def encode(self, weights: Tensor) -> GraphBatch:
        b, cells = len(weights), len(CELLS)
        v, f = _CELL_NODES, _CELL_FEATURES
        operations = weights.new_zeros(b, cells * v, cells * f)
        adjacency = weights.new_zeros(b, cells * v, cells * v)
        always, per_pair = (edges.to(weights) for edges in _edges(weights.shape[2]))
        for k in range(cells):
            row, nodes = weights[:, k * ROW : (k + 1) * ROW], slice(k * v, (k + 1) * v)
            features = operations[:, nodes, k * f : (k + 1) * f]
            features[:, 0, -3] = features[:, 1, -2] = features[:, -1, -1] = 1.0
            features[:, 2:-1, : len(OPERATIONS)] = row[:, _OPERATION_POSITIONS, : len(OPERATIONS)]
            adjacency[:, nodes, nodes] = always + (row[:, _PAIR_POSITIONS].flatten(1) @ per_pair).view(b, v, v)
        inputs = tuple(k * v + i for k in range(cells) for i in range(2))
        return GraphBatch(operations, adjacency, inputs, outputs=tuple((k + 1) * v - 1 for k in range(cells)))

    def canonical(self, architecture: Architecture) -> Architecture:
        return canonical_row(architecture[:ROW]) + canonical_row(architecture[ROW:])


@cache
def _edges(c: int) -> tuple[Tensor, Tensor]:
    """Edges of a cell with ``v`` nodes: those it always has ``(v, v)``, and those of each pair of sources ``(3 c, v v)``."""
    import torch

    v = _CELL_NODES
    always, per_pair = torch.zeros(v, v), torch.zeros(len(_PAIR_POSITIONS), c, v, v)
    always[2:-1, -1] = 1.0
    senders = {0: [0], 1: [1]} | {node: [2 * node - 2, 2 * node - 1] for node in NODES}
    choices = iter(per_pair)
    for node, pairs in PAIRS.items():
        of_pair = next(choices) if len(pairs) > 1 else [always]
        for edges, pair in zip(of_pair, pairs, strict=False):  # beyond the pairs there are no choices
            for source, operation in zip(pair, senders[node], strict=True):
                edges[senders[source], operation] = 1.0
    return always, per_pair.view(-1, v * v)
