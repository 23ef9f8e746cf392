"""The DARTS space (Liu, Simonyan and Yang, ICLR 2019, arXiv 1806.09055) of NAS-Bench-301 (Zela et al., arXiv 2008.09777).

An architecture is a normal and a reduction cell. A cell has the inputs 0 and 1 and the intermediate nodes 2 to 5, each
the sum of two operations on different earlier nodes. Inside an architecture it is a row of positions, node after node:
the node's pair of sources (but for node 2, which has no choice), the operation on the lower source, the operation on the
higher one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from optiproxy.errors import UsageError, unknown
from optiproxy.graph import GraphBatch
from optiproxy.spaces.decisions import Architecture, Decision
from optiproxy.spaces.space import Space

if TYPE_CHECKING:
    from torch import Tensor

OPERATIONS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
CELLS = ("normal", "reduce")
NODES = (2, 3, 4, 5)
"""The intermediate nodes of a cell."""

PAIRS = {node: tuple(combinations(range(node), 2)) for node in NODES}
"""Node -> the pairs of sources that it may have, in lexicographic order."""

Node: TypeAlias = tuple[int, int, int, int]
"""Lower source, higher source, and for each the position in `OPERATIONS`."""


def decisions_of(cell: str) -> tuple[Decision, ...]:
    """Return the decisions of one cell, in the order of its row."""
    # Node 2 has a single pair of sources, and thus no decision on it.
    decisions: list[Decision] = []
    for node, pairs in PAIRS.items():
        if len(pairs) > 1:
            decisions.append(Decision(f"{cell}_inputs_{node}", tuple(f"{low}_{high}" for low, high in pairs)))
        decisions += [Decision(f"{cell}_op_{node}_{source}", OPERATIONS) for source in ("low", "high")]
    return tuple(decisions)


ROW = len(decisions_of(CELLS[0]))
"""Positions in a cell's row."""


_CELL_NODES = 2 + 2 * len(NODES) + 1
"""A cell in the graph has its two inputs, the operations on the lower and the higher source of each node, its output."""

_CELL_FEATURES = len(OPERATIONS) + 3
"""The nodes of a cell tell the operations, either input and the output apart; the two cells share no feature."""

_OPERATION_POSITIONS = [i for i, decision in enumerate(decisions_of(CELLS[0])) if decision.choices == OPERATIONS]
_PAIR_POSITIONS = [i for i in range(ROW) if i not in _OPERATION_POSITIONS]
"""Where in a cell's row the operations stand, and where the pairs of sources."""


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
        # Prepared once, so that the edges of a whole batch are one product of matrices.
        always, per_pair = (edges.to(weights) for edges in _edges(weights.shape[2]))
        for k in range(cells):
            row, nodes = weights[:, k * ROW : (k + 1) * ROW], slice(k * v, (k + 1) * v)
            features = operations[:, nodes, k * f : (k + 1) * f]
            # A cell's features stand in columns of its own: normal and reduction cell do different things.
            features[:, 0, -3] = features[:, 1, -2] = features[:, -1, -1] = 1.0
            features[:, 2:-1, : len(OPERATIONS)] = row[:, _OPERATION_POSITIONS, : len(OPERATIONS)]
            adjacency[:, nodes, nodes] = always + (row[:, _PAIR_POSITIONS].flatten(1) @ per_pair).view(b, v, v)
        inputs = tuple(k * v + i for k in range(cells) for i in range(2))
        return GraphBatch(operations, adjacency, inputs, outputs=tuple((k + 1) * v - 1 for k in range(cells)))

    def canonical(self, architecture: Architecture) -> Architecture:
        # The two cells are numbered independently of each other.
        return canonical_row(architecture[:ROW]) + canonical_row(architecture[ROW:])


@cache
def _edges(c: int) -> tuple[Tensor, Tensor]:
    """Return the edges that a cell always has ``(v, v)``, and those of each pair of sources ``(3 c, v v)``."""
    import torch

    v = _CELL_NODES
    always, per_pair = torch.zeros(v, v), torch.zeros(len(_PAIR_POSITIONS), c, v, v)
    # All intermediate nodes are concatenated to the output, so every operation feeds it.
    always[2:-1, -1] = 1.0
    # Who reads an intermediate node is fed by both of its operations, which stand for their sum.
    senders = {0: [0], 1: [1]} | {node: [2 * node - 2, 2 * node - 1] for node in NODES}
    choices = iter(per_pair)
    for node, pairs in PAIRS.items():
        of_pair = next(choices) if len(pairs) > 1 else [always]
        for edges, pair in zip(of_pair, pairs, strict=False):  # beyond the pairs there are no choices
            for source, operation in zip(pair, senders[node], strict=True):
                edges[senders[source], operation] = 1.0
    return always, per_pair.view(-1, v * v)


def nodes_of(row: Sequence[int]) -> tuple[Node, ...]:
    """Read one cell's row."""
    positions = iter(row)
    return tuple(
        (*pairs[next(positions) if len(pairs) > 1 else 0], next(positions), next(positions)) for pairs in PAIRS.values()
    )


def row_of(nodes: Sequence[Node]) -> tuple[int, ...]:
    """Return the inverse of `nodes_of`."""
    row: list[int] = []
    for pairs, (low, high, *operations) in zip(PAIRS.values(), nodes, strict=True):
        if len(pairs) > 1:
            row.append(pairs.index((low, high)))
        row += operations
    return tuple(row)


@lru_cache(maxsize=2**16)
def canonical_row(row: tuple[int, ...]) -> tuple[int, ...]:
    """Return the lexicographically first of all rows that number the intermediate nodes of this cell in another order.

    Numbers are given one by one, each to the node that comes first among those whose sources have numbers. Where two come
    first alike, both ways are followed, because a later node may have only one of them for its source. This is
    `building.cells.canonical_wiring` for two sources a node, three times as quick: a search asks for thousands of forms.
    """
    nodes = dict(zip(NODES, nodes_of(row), strict=True))
    numbered: list[Node] = []
    # The two inputs keep their numbers: they are the outputs of different cells.
    orders: list[tuple[int, ...]] = [(0, 1)]
    for _ in NODES:
        grown = [
            (renumbered, (*order, node))
            for order in orders
            for node, content in nodes.items()
            if node not in order and (renumbered := _renumbered(content, order))
        ]
        numbered.append(min(renumbered for renumbered, _ in grown))
        orders = [order for renumbered, order in grown if renumbered == numbered[-1]]
    return row_of(numbered)


def _renumbered(node: Node, order: tuple[int, ...]) -> Node | None:
    """Return the node with each source's place in ``order`` for its number; None where one has no place yet."""
    a, b, on_a, on_b = node
    if a not in order or b not in order:
        return None
    low, high = order.index(a), order.index(b)
    # The operations go with their sources.
    return (low, high, on_a, on_b) if low < high else (high, low, on_b, on_a)


@dataclass(frozen=True)
class Genotype:
    """Both cells in the field's usual form: for each, eight pairs of operation and source, two for each node in turn."""

    normal: tuple[tuple[str, int], ...]
    reduce: tuple[tuple[str, int], ...]


def genotype(architecture: Architecture) -> Genotype:
    """Write an architecture in the usual form, the lower source of each node first."""

    def edges(row: Architecture) -> tuple[tuple[str, int], ...]:
        return tuple(
            edge for low, high, a, b in nodes_of(row) for edge in ((OPERATIONS[a], low), (OPERATIONS[b], high))
        )

    return Genotype(edges(architecture[:ROW]), edges(architecture[ROW:]))


def from_genotype(genotype: Genotype) -> Architecture:
    """Read the usual form; the two edges of a node may come in any order.

    Raises:
        UsageError: If a cell is none of this space.
    """
    return _row("normal", genotype.normal) + _row("reduce", genotype.reduce)


def _row(cell: str, edges: Sequence[tuple[str, int]]) -> tuple[int, ...]:
    if len(edges) != 2 * len(NODES):
        raise UsageError(f"Expected {2 * len(NODES)} edges in the {cell} cell, got {len(edges)}.")
    nodes: list[Node] = []
    for node, first, second in zip(NODES, edges[::2], edges[1::2], strict=True):
        for operation, _ in (first, second):
            if operation not in OPERATIONS:
                raise unknown("operation", operation, OPERATIONS)
        # By source, because a genotype may have the two edges of a node in any order, and a row may not.
        (a, low), (b, high) = sorted((first, second), key=lambda edge: edge[1])
        if (low, high) not in PAIRS[node]:
            raise UsageError(
                f"Expected node {node} of the {cell} cell to have two different sources from 0 to {node - 1}, "
                f"got {low} and {high}."
            )
        nodes.append((low, high, OPERATIONS.index(a), OPERATIONS.index(b)))
    return row_of(nodes)
