"""Cells of any size: a directed graph of which sources and operations are decided, as in NASNet (arXiv 1707.07012)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, final

from optiproxy.errors import UsageError
from optiproxy.spaces.building.blocks import Block, Entry
from optiproxy.spaces.decisions import Architecture, Decision

if TYPE_CHECKING:
    from torch import Tensor


class Edge(NamedTuple):
    """What a node of a cell makes of one of its sources.

    Attributes:
        source: 0 for the cell's input, else an earlier node.
        operation: Position among the operations.
    """

    source: int
    operation: int


Wiring: TypeAlias = tuple[tuple[Edge, ...], ...]
"""The edges of node 1, of node 2, and so on; each node's in the order of their sources."""


class Node(NamedTuple):
    """What is decided about a node.

    Attributes:
        sources: The sets of sources that it may have.
        choice: Position of the decision among them; None where there is only one set.
        operations: Positions of the decisions on the operation of each source.
    """

    sources: tuple[tuple[int, ...], ...]
    choice: int | None
    operations: tuple[int, ...]


@final
class CellBlock(Block):
    """The decisions of one cell: for each node a set of sources, and for each of these an operation.

    Node 0 is the cell's input; every further node adds up what its operations make of its sources; the output adds up
    the nodes that no other node reads. So every node counts, and two rows are the same cell only where they number its
    nodes in another order.

    In the graph the operations are nodes, and the nodes of the cell are none: what reads one is fed by all of its
    operations.

    Args:
        name: Prefix of the decisions' names.
        operations: Labels.
        nodes: Number of nodes besides the input.
        inputs: Sources of each node; fewer where there are not so many earlier nodes.

    Raises:
        UsageError: If there is no operation, or one twice, or no node, or no source.

    Attributes:
        nodes: One entry for each node but the input.
    """

    def __init__(self, name: str, operations: Sequence[str], *, nodes: int, inputs: int) -> None:
        if nodes < 1 or inputs < 1:
            raise UsageError(
                f"Expected cell {name!r} to have at least 1 node with at least 1 input, got {nodes} with {inputs}."
            )
        decisions: list[Decision] = []
        layout: list[Node] = []
        for node in range(1, nodes + 1):
            # Node k has only k earlier ones, the input of the cell included.
            count = min(inputs, node)
            sets = tuple(combinations(range(node), count))
            # Where there is only one set, as for the first nodes, nothing is to be decided.
            choice = len(decisions) if len(sets) > 1 else None
            if choice is not None:
                decisions.append(Decision(f"{name}_inputs_{node}", tuple("_".join(map(str, found)) for found in sets)))
            slots = range(count)
            layout.append(Node(sets, choice, tuple(len(decisions) + slot for slot in slots)))
            decisions += [Decision(f"{name}_op_{node}_{slot}", tuple(operations)) for slot in slots]
        self.nodes = tuple(layout)
        self.decisions = tuple(decisions)
        on_operations = [d for node in layout for d in node.operations]
        self.size = 2 + len(on_operations)
        self.marks = ((0, (name, "input")), (self.size - 1, (name, "output")))
        # Equal labels are equal features, in all cells of this name: what an operation does is learned once.
        self.entries = tuple(
            Entry(v, (name, "operation", label), d, choice)
            for v, d in enumerate(on_operations, start=1)
            for choice, label in enumerate(operations)
        )

    def wiring(self, row: Architecture) -> Wiring:
        """Read a row."""
        return tuple(
            tuple(
                Edge(source, row[d])
                for source, d in zip(
                    node.sources[0 if node.choice is None else row[node.choice]], node.operations, strict=True
                )
            )
            for node in self.nodes
        )

    def row(self, wiring: Wiring) -> Architecture:
        """Return the inverse of `wiring`."""
        row = [0] * len(self.decisions)
        for node, edges in zip(self.nodes, wiring, strict=True):
            if node.choice is not None:
                row[node.choice] = node.sources.index(tuple(edge.source for edge in edges))
            for d, edge in zip(node.operations, edges, strict=True):
                row[d] = edge.operation
        return tuple(row)

    def canonical(self, row: Architecture) -> Architecture:
        return self.row(canonical_wiring(self.wiring(row)))

    def wire(self, weights: Tensor) -> Tensor:
        b, v, n = len(weights), self.size, 1 + len(self.nodes)
        c = max(len(decision.choices) for decision in self.decisions)
        tables = [table.to(weights) for table in self._tables]
        # A space may have wider decisions than this cell, whose columns beyond `c` are zero here.
        flat = weights[:, :, :c].flatten(1)
        edges, reads = (fixed + flat @ chosen for fixed, chosen in zip(tables[::2], tables[1::2], strict=True))
        # The output reads what no node reads. As if the readers decided independently, which is exact where weights are
        # 0 or 1.
        unread = (1.0 - reads.view(b, n, n)).prod(2)
        of_operation = [k for k, node in enumerate(self.nodes, start=1) for _ in node.operations]
        out = edges.view(b, v, v).clone()
        out[:, 1:-1, -1] = unread[:, of_operation]
        return out

    @cached_property
    def _tables(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Edges ``(v v)`` that are always there, and of each choice ``(d c, v v)``; the same for reads ``(n n)``.

        A read says that a node, in the column, has another, in the row, for a source.
        """
        import torch

        v, n, d = self.size, 1 + len(self.nodes), len(self.decisions)
        c = max(len(decision.choices) for decision in self.decisions)
        edges, chosen_edges = torch.zeros(v, v), torch.zeros(d, c, v, v)
        reads, chosen_reads = torch.zeros(n, n), torch.zeros(d, c, n, n)
        # Who reads a node is fed by the node of the graph that stands for the input, or by the operations of that node.
        senders, last = {0: [0]}, 0
        for k, node in enumerate(self.nodes, start=1):
            senders[k] = [last + 1 + slot for slot in range(len(node.operations))]
            last = senders[k][-1]
            for position, sources in enumerate(node.sources):
                at = node.choice, position
                to_edges = edges if node.choice is None else chosen_edges[at]
                to_reads = reads if node.choice is None else chosen_reads[at]
                for source, receiver in zip(sources, senders[k], strict=True):
                    to_edges[senders[source], receiver] = 1.0
                    to_reads[source, k] = 1.0
        return edges.flatten(), chosen_edges.view(d * c, -1), reads.flatten(), chosen_reads.view(d * c, -1)


@lru_cache(maxsize=2**16)
def canonical_wiring(wiring: Wiring) -> Wiring:
    """Return the lexicographically first wiring, by sources before operations, that numbers the nodes in another order.

    Numbers are given one by one, each to the node that comes first among those whose sources have numbers. Where several
    come first alike, every way is followed, because a later node may have only one of them for its source.
    """
    numbered: list[tuple[Edge, ...]] = []
    # All orders that lead to the same edges so far; most cells have only one after a few nodes.
    orders: list[tuple[int, ...]] = [(0,)]
    for _ in wiring:
        grown = [
            # Sorted by their new numbers, because the sources of a node are a set.
            (tuple(sorted(Edge(order.index(edge.source), edge.operation) for edge in edges)), (*order, node))
            for order in orders
            for node, edges in enumerate(wiring, start=1)
            if node not in order and all(edge.source in order for edge in edges)
        ]
        # Sources before operations: the wiring alone settles most of the order, whatever the operations are.
        first = min((edges for edges, _ in grown), key=_by_sources)
        numbered.append(first)
        orders = [order for edges, order in grown if edges == first]
    return tuple(numbered)


def _by_sources(edges: tuple[Edge, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(edge.source for edge in edges), tuple(edge.operation for edge in edges)
