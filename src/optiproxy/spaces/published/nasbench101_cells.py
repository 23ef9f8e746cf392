"""NAS-Bench-101 cells, many at once: which nodes are dead, which cells are valid, which are isomorphic.

A cell is a row of 26 positions: 21 edges, by source and then by target, and five operations. It is also a number: its
bits are the edges, the last of the row on top, and below them the operations, that of node 1 on top. The smallest
number of all forms of a cell is its canonical form; so dead nodes come last, without edges and with the first operation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, permutations, product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.integer]

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
NODES = 7
EDGES = tuple(combinations(range(NODES), 2))
MAX_EDGES = 9

INNER = range(1, NODES - 1)
"""The nodes with an operation, between the input 0 and the output 6."""

DIRECT = 1 << len(INNER)
"""The bit of `Cells.first` that is the edge from input to output."""

CHUNK = 4096
"""Cells whose forms are compared at once: keeps the memory at some MB."""

_SHIFTS = np.array([2 * len(INNER) + k for k in range(len(EDGES))] + [2 * (INNER[-1] - i) for i in INNER])
"""Lowest bit of each position of a row in the cell's number."""

_MASKS = np.array([1] * len(EDGES) + [3] * len(INNER))

_BACKWARD = np.iinfo(np.uint32).max
"""Larger than any number: what a form with an edge against its order comes to."""


def rows_of(numbers: Ints) -> NDArray[np.uint8]:
    """Turn ``(n,)`` numbers into ``(n, 26)`` rows."""
    return (numbers[:, None] >> _SHIFTS & _MASKS).astype(np.uint8)


@dataclass(frozen=True)
class Cells:
    """``n`` cells, each in four small sets of bits, so that whatever concerns a set is looked up in a table.

    Attributes:
        first: ``(n,)`` edges from the input: to node 1 (the lowest bit), 2, ... and to the output.
        inner: ``(n,)`` edges between inner nodes, in the order of `EDGES`.
        last: ``(n,)`` edges to the output, from node 1, 2, ...
        operations: ``(n,)`` two bits for each inner node.
    """

    first: Ints
    inner: Ints
    last: Ints
    operations: Ints

    @classmethod
    def of(cls, rows: Ints) -> Cells:
        """Take ``(n, 26)`` rows apart."""
        return cls(*(rows.astype(np.int64) @ _tables().parts).T)

    def __len__(self) -> int:
        return len(self.first)

    def __getitem__(self, chosen: slice | NDArray[np.bool_] | Ints) -> Cells:
        return Cells(self.first[chosen], self.inner[chosen], self.last[chosen], self.operations[chosen])

    def live(self) -> Ints:
        """Return ``(n,)`` sets of the inner nodes that lie on a path from input to output."""
        # The edge straight to the output, which is cut off here, reaches no inner node.
        reached = _tables().reached[self.inner, self.first % DIRECT]
        return reached & _tables().reaching[self.inner, self.last]

    def pruned(self) -> Cells:
        """Return the same networks: dead nodes lose their edges and get the first operation."""
        live = self.live()
        return Cells(
            # That edge is alive by itself.
            self.first & (live | DIRECT),
            self.inner & _tables().edges_within[live],
            self.last & live,
            self.operations & _tables().operations_of[live],
        )

    def valid(self) -> NDArray[np.bool_]:
        """Say ``(n,)`` whether some path leads from input to output, and at most nine edges are left when pruned."""
        cells, ones = self.pruned(), _tables().ones
        # In a pruned cell every edge from the input leads on to the output.
        return (cells.first > 0) & (ones[cells.first] + ones[cells.inner] + ones[cells.last] <= MAX_EDGES)

    def numbers(self) -> NDArray[np.int64]:
        """Return ``(n,)`` numbers of the cells as they are."""
        return self._forms()[:, 0].astype(np.int64)

    def canonical(self) -> NDArray[np.int64]:
        """Return ``(n,)`` smallest numbers of any form of the pruned cells."""
        cells = self.pruned()
        # 120 forms of four bytes each: a whole benchmark at once would take hundreds of megabytes.
        chunks = [cells[start : start + CHUNK] for start in range(0, len(cells), CHUNK)]
        smallest = [chunk._forms().min(axis=1) for chunk in chunks]  # noqa: SLF001 - of the same class
        return np.concatenate([np.empty(0, dtype=np.int64), *smallest])

    def _forms(self) -> NDArray[np.uint32]:
        """Return ``(n, 120)`` numbers under each order of the inner nodes, first the given one."""
        first, inner, last, operations = _tables().forms
        return first[self.first] | inner[self.inner] | last[self.last] | operations[self.operations]


def canonical_numbers(nodes: int) -> Iterator[NDArray[np.int64]]:
    """Yield the canonical forms of all valid cells with so many live nodes, input and output included, in parts.

    Whether edges are canonical does not depend on the operations, so those few are found first.
    """
    k = nodes - 2
    first, last = (part.ravel() for part in np.meshgrid(np.arange(2 * DIRECT), np.arange(1 << k)))
    labels = np.array([sum(o << 2 * n for n, o in enumerate(chosen)) for chosen in product(range(3), repeat=k)])
    for edges in range(_tables().edges_within[(1 << k) - 1] + 1):
        graphs = Cells(first, np.full_like(first, edges), last, np.zeros_like(first))
        # Sets of edges beyond the first k nodes are among them; pruned they are others, and drop out here.
        graphs = graphs[graphs.valid() & (graphs.live() == (1 << k) - 1)]
        graphs = graphs[graphs.canonical() == graphs.numbers()]
        # Every labelling of every graph, of which the canonical ones are kept.
        each = graphs[np.repeat(np.arange(len(graphs)), len(labels))]
        cells = Cells(each.first, each.inner, each.last, np.tile(labels, len(graphs)))
        numbers = cells.numbers()
        yield numbers[cells.canonical() == numbers]


@dataclass(frozen=True, kw_only=True)
class _Tables:
    """What there is to know about sets of edges and nodes.

    Attributes:
        parts: ``(26, 4)``: from a row to the four sets of `Cells`.
        ones: Number of elements of a set.
        reached: ``[inner, first]``, the inner nodes that the input reaches.
        reaching: ``[inner, last]``, the inner nodes that reach the output.
        edges_within: For each set of nodes, the inner edges between its members.
        operations_of: For each set of nodes, all bits of their operations.
        forms: For each of the four sets ``[set, order]``, its part of the cell's number under each order of the inner nodes.
    """

    parts: Ints
    ones: Ints
    reached: Ints
    reaching: Ints
    edges_within: Ints
    operations_of: Ints
    forms: tuple[NDArray[np.uint32], ...]


@cache
def _tables() -> _Tables:
    groups = (
        [edge for edge in EDGES if edge[0] == 0],
        [edge for edge in EDGES if edge[0] in INNER and edge[1] in INNER],
        [edge for edge in EDGES if edge[0] in INNER and edge[1] not in INNER],
    )
    parts = np.zeros((len(EDGES) + len(INNER), 4), dtype=np.int64)
    for part, edges in enumerate(groups):
        parts[[EDGES.index(edge) for edge in edges], part] = 1 << np.arange(len(edges))
    parts[len(EDGES) :, 3] = 4 ** np.arange(len(INNER))

    nodes, edge_sets = np.arange(1 << len(INNER)), np.arange(1 << len(groups[1]))[:, None]
    reached, reaching = (np.tile(nodes, (len(edge_sets), 1)) for _ in range(2))
    edges_within, operations_of = np.zeros_like(nodes), np.zeros_like(nodes)
    # By source for what is reached, and backwards for what reaches: a node is complete before it is passed on.
    for bit, (i, j) in enumerate(groups[1]):
        reached |= (edge_sets >> bit & reached >> i - 1 & 1) << j - 1
        edges_within |= (nodes >> i - 1 & nodes >> j - 1 & 1) << bit
    for bit, (i, j) in reversed([*enumerate(groups[1])]):
        reaching |= (edge_sets >> bit & reaching >> j - 1 & 1) << i - 1
    for n in range(len(INNER)):
        # Two bits an operation.
        operations_of |= (nodes >> n & 1) * 3 << 2 * n

    orders = np.array([(0, *order, NODES - 1) for order in permutations(INNER)])
    position = np.full((NODES, NODES), -1)
    position[tuple(np.array(EDGES).T)] = _SHIFTS[: len(EDGES)]

    def edge_images(edges: Sequence[tuple[int, int]]) -> list[NDArray[np.uint32]]:
        shifts = [position[orders[:, i], orders[:, j]] for i, j in edges]
        # An order that turns an edge round is none of a directed acyclic graph: its form never is the smallest.
        return [np.where(shift < 0, _BACKWARD, 1 << shift.clip(0)).astype(np.uint32) for shift in shifts]

    lowest = _SHIFTS[len(EDGES) :][orders[:, 1:-1] - 1].T
    label_images = [(bit << shift).astype(np.uint32) for shift in lowest for bit in (1, 2)]
    return _Tables(
        parts=parts,
        ones=np.array([n.bit_count() for n in range(1 << len(groups[1]))]),
        reached=reached,
        reaching=reaching,
        edges_within=edges_within,
        operations_of=operations_of,
        forms=(*(_unions(edge_images(edges)) for edges in groups), _unions(label_images)),
    )


def _unions(images: Sequence[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    """Return ``(2^k, orders)`` unions of the images ``(orders,)`` of ``k`` elements, one for each set of them."""
    found = np.zeros((1, len(images[0])), dtype=np.uint32)
    for image in images:
        found = np.concatenate([found, found | image])
    return found
