"""The NAS-Bench-101 cell (Ying et al., ICML 2019, arXiv 1902.09635): up to seven nodes, nine edges, three operations."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.graph import GraphBatch
from optiproxy.spaces.decisions import Architecture, Decision
from optiproxy.spaces.published.nasbench101_cells import (
    EDGES,
    INNER,
    MAX_EDGES,
    NODES,
    OPERATIONS,
    Cells,
    canonical_numbers,
    rows_of,
)
from optiproxy.spaces.space import Space

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Generator, Tensor

NETWORKS = 423_624
"""Cells of the space that are not isomorphic."""


class NASBench101(Space):
    """423,624 cells up to isomorphism, seen by the proxy as 7 nodes: input, five operations, output.

    Any combination of edges and operations is pruned first: a node that lies on no path from input to output is dead and
    does not count, nor do its edges. The cell is valid where a path exists and at most nine edges are left.

    In the graph an edge carries its weight times the degrees to which the input reaches its source and its target
    reaches the output, a node its operation times both; so what is dead at a one-hot architecture is not there, and the
    forms of a cell differ in nothing but the order of its nodes.
    """

    name = "nasbench101"
    decisions = (
        *(Decision(f"edge_{i}_{j}", (False, True)) for i, j in EDGES),
        *(Decision(f"op_{i}", OPERATIONS) for i in INNER),
    )

    def encode(self, weights: Tensor) -> GraphBatch:
        b, c = len(weights), len(OPERATIONS)
        sources, targets = zip(*EDGES, strict=True)
        edges = weights.new_zeros(b, NODES, NODES)
        # On the simplex this is the weight of True. Written with both, so that either has a gradient.
        edges[:, sources, targets] = (1.0 + weights[:, : len(EDGES), 1] - weights[:, : len(EDGES), 0]) / 2
        reached = _reached(edges)
        # To reach the output is to be reached from it in the reversed graph.
        reaching = _reached(edges.flip(1, 2).transpose(1, 2)).flip(1)
        operations = weights.new_zeros(b, NODES, c + 2)
        operations[:, 0, c] = 1.0
        operations[:, 1:-1, :c] = weights[:, len(EDGES) :] * (reached * reaching)[:, 1:-1, None]
        operations[:, -1, c + 1] = 1.0
        adjacency = edges * reached[:, :, None] * reaching[:, None, :]
        return GraphBatch(operations, adjacency, inputs=(0,), outputs=(NODES - 1,))

    def is_valid(self, architecture: Architecture) -> bool:
        return bool(Cells.of(np.array([architecture])).valid()[0])

    def canonical(self, architecture: Architecture) -> Architecture:
        return _architectures(Cells.of(np.array([architecture])).canonical())[0]

    def canonical_rows(self, architectures: NDArray[np.integer]) -> NDArray[np.integer]:
        cells = Cells.of(architectures)
        # The general way names the first cell that is not valid.
        return rows_of(cells.canonical()) if cells.valid().all() else super().canonical_rows(architectures)

    def sample(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Draw canonical forms, each network as likely as any other.

        Uniform decisions would hardly show the space: five of six networks have seven live nodes, but only one in three
        hundred valid draws.
        """
        return _architectures(rng.choice(_networks(), size=n))

    def neighbours(self, architecture: Architecture) -> list[Architecture]:
        """Return the networks that one other operation, or one or two edges more or less, make of the pruned cell.

        Two edges, because none can be added to nine, and no single one brings a dead node to life.
        """
        itself = np.array([self.canonical(architecture)])
        # Modulo the choices an edge that is added twice is gone, and an operation becomes one of the two others.
        cells = Cells.of((itself + _changes()) % _counts())
        found = dict.fromkeys(cells[cells.valid()].canonical().tolist())
        # A change of what is dead leads back to the cell itself.
        found.pop(int(Cells.of(itself).numbers()[0]), None)
        return _architectures(np.array(list(found), dtype=np.int64))

    def draw(self, probabilities: Tensor, n: int, generator: Generator) -> list[Architecture]:
        """Draw as any space does; where that gives more than nine edges, keep the likeliest nine."""
        drawn = np.array(super().draw(probabilities, n, generator))
        edges, likely = drawn[:, : len(EDGES)], probabilities[:, : len(EDGES), 1].numpy()
        likely = np.concatenate([likely, np.repeat(likely, n, axis=0)])
        # Counted before pruning, so that a few cells end with fewer edges than they might have.
        surplus = np.argsort(-likely * edges, axis=1, kind="stable")[:, MAX_EDGES:]
        np.put_along_axis(edges, surplus, 0, axis=1)
        return [tuple(row) for row in drawn.tolist()]


def _reached(edges: Tensor) -> Tensor:
    """Return ``(b, v)`` probabilities that a node is reached from the first, were weights those of the edges.

    Taken as if the ways to a node were independent of each other, which is exact where all weights are 0 or 1.
    """
    import torch

    found = [edges.new_ones(len(edges))]
    for node in range(1, edges.shape[1]):
        missed = 1.0 - edges[:, :node, node] * torch.stack(found, 1)
        found.append(1.0 - missed.prod(1))
    return torch.stack(found, 1)


def _architectures(numbers: NDArray[np.int64]) -> list[Architecture]:
    return [tuple(row) for row in rows_of(numbers).tolist()]


@cache
def _networks() -> NDArray[np.int64]:
    """Return `NETWORKS` numbers of all canonical forms; takes about a second and 3 MB."""
    return np.concatenate([part for nodes in range(2, NODES + 1) for part in canonical_numbers(nodes)])


@cache
def _counts() -> NDArray[np.int64]:
    """Return ``(26,)`` choices of each decision."""
    return np.array([len(decision.choices) for decision in NASBench101.decisions])


@cache
def _changes() -> NDArray[np.int64]:
    """Return ``(n, 26)`` what is added to a row, modulo the choices: single changes first, then each pair of edges."""
    one = np.eye(len(EDGES) + len(INNER), dtype=np.int64)
    pairs = [one[i] + one[j] for i, j in combinations(range(len(EDGES)), 2)]
    return np.concatenate([one, 2 * one[len(EDGES) :], pairs])
