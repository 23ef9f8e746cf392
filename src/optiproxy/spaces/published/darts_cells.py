"""The cells of DARTS (Liu, Simonyan and Yang, ICLR 2019, arXiv 1806.09055): how they are written down, and which are alike.

A cell has the inputs 0 and 1 and the intermediate nodes 2 to 5, each the sum of two operations on different earlier
nodes. Inside an architecture it is a row of positions, node after node: the node's pair of sources (but for node 2, which
has no choice), the operation on the lower source, the operation on the higher one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import TypeAlias

from optiproxy.errors import UsageError, unknown
from optiproxy.spaces.decisions import Architecture, Decision

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


@dataclass(frozen=True)
class Genotype:
    """Both cells in the field's usual form: for each, eight pairs of operation and source, two for each node in turn."""

    normal: tuple[tuple[str, int], ...]
    reduce: tuple[tuple[str, int], ...]


def decisions_of(cell: str) -> tuple[Decision, ...]:
    """The decisions of one cell, in the order of its row."""
    decisions: list[Decision] = []
    for node, pairs in PAIRS.items():
        if len(pairs) > 1:
            decisions.append(Decision(f"{cell}_inputs_{node}", tuple(f"{low}_{high}" for low, high in pairs)))
        decisions += [Decision(f"{cell}_op_{node}_{source}", OPERATIONS) for source in ("low", "high")]
    return tuple(decisions)


ROW = len(decisions_of(CELLS[0]))
"""Positions in a cell's row."""


def nodes_of(row: Sequence[int]) -> tuple[Node, ...]:
    """Read one cell's row."""
    positions = iter(row)
    return tuple(
        (*pairs[next(positions) if len(pairs) > 1 else 0], next(positions), next(positions)) for pairs in PAIRS.values()
    )


def row_of(nodes: Sequence[Node]) -> tuple[int, ...]:
    """The inverse of `nodes_of`."""
    row: list[int] = []
    for pairs, (low, high, *operations) in zip(PAIRS.values(), nodes, strict=True):
        if len(pairs) > 1:
            row.append(pairs.index((low, high)))
        row += operations
    return tuple(row)


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
        (a, low), (b, high) = sorted((first, second), key=lambda edge: edge[1])
        if (low, high) not in PAIRS[node]:
            raise UsageError(
                f"Expected node {node} of the {cell} cell to have two different sources from 0 to {node - 1}, "
                f"got {low} and {high}."
            )
        nodes.append((low, high, OPERATIONS.index(a), OPERATIONS.index(b)))
    return row_of(nodes)


@lru_cache(maxsize=2**16)
def canonical_row(row: tuple[int, ...]) -> tuple[int, ...]:
    """The lexicographically first of all rows that number the intermediate nodes of this cell in another order.

    Numbers are given one by one, each to the node that comes first among those whose sources have numbers. Where two come
    first alike, both ways are followed, because a later node may have only one of them for its source.
    """
    nodes = dict(zip(NODES, nodes_of(row), strict=True))
    numbered: list[Node] = []
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
    """The node with each source's place in ``order`` for its number; None where one has no place yet."""
    a, b, on_a, on_b = node
    if a not in order or b not in order:
        return None
    low, high = order.index(a), order.index(b)
    return (low, high, on_a, on_b) if low < high else (high, low, on_b, on_a)
