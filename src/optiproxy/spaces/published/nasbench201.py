"""The NAS-Bench-201 cell (Dong and Yang, ICLR 2020, arXiv 2001.00326): six edges, five operations."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from optiproxy.graph import GraphBatch
from optiproxy.spaces.decisions import Architecture, Decision
from optiproxy.spaces.space import Space

if TYPE_CHECKING:
    from torch import Tensor

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""(from node, to node) in the order of the official architecture string."""

NONE, SKIP = OPERATIONS.index("none"), OPERATIONS.index("skip_connect")


class NASBench201(Space):
    """15,625 cells, 6,466 up to isomorphism, seen by the proxy as 8 nodes: input, the six edges' operations, output.

    The published graph form keeps a node for the operation ``none``. Here its connections carry the weight
    ``1 - none`` as well, so that what is dead at a one-hot architecture is dead in the graph.
    """

    name = "nasbench201"
    decisions = tuple(Decision(f"op_{i}_{j}", OPERATIONS) for i, j in EDGES)

    def encode(self, weights: Tensor) -> GraphBatch:
        b, d, c = weights.shape
        operations = weights.new_zeros(b, d + 2, c + 2)
        operations[:, 0, c] = 1.0
        operations[:, 1:-1, :c] = weights
        operations[:, -1, c + 1] = 1.0
        # An operation none passes nothing on: it is fed by nothing and feeds nothing, as far as it is chosen.
        alive = 1.0 - operations[:, :, NONE]
        adjacency = weights.new_tensor(_line_graph()) * alive[:, :, None] * alive[:, None, :]
        return GraphBatch(operations, adjacency, inputs=(0,), outputs=(d + 1,))

    def canonical(self, architecture: Architecture) -> Architecture:
        return _representatives()[architecture]


@cache
def _line_graph() -> tuple[tuple[float, ...], ...]:
    """Return ``(v, v)`` edges between input, the cell's edges and output: (i, j) feeds every (j, k), the input node 0."""
    ends = [(-1, 0), *EDGES, (3, 4)]
    return tuple(tuple(float(a[1] == b[0]) for b in ends) for a in ends)


def _expression(architecture: Architecture) -> str:
    """Return what the output node computes, written as a sorted sum; equal text means the same network.

    ``skip_connect`` passes its input on; ``none``, or anything applied to nothing, is written ``#``. The notation is the
    benchmark's, because its count of 6,466 classes hangs on it: each ``#`` stays a term of its sum, and a sum that is
    passed on is not taken apart, so that a few cells which compute the same remain distinct.
    """
    sums = ["0", "", "", ""]
    for node in range(1, 4):
        terms: list[str] = []
        for (source, target), operation in zip(EDGES, architecture, strict=True):
            if target == node:
                dead = operation == NONE or sums[source] == "#"
                terms.append(
                    "#" if dead else sums[source] if operation == SKIP else f"({sums[source]})@{OPERATIONS[operation]}"
                )
        # Sorted, because a sum does not depend on the order of its terms.
        sums[node] = "+".join(sorted(terms))
    return sums[3]


@cache
def _representatives() -> dict[Architecture, Architecture]:
    """Map each architecture to the first one, in lexicographic order, that computes the same."""
    first: dict[str, Architecture] = {}
    # In lexicographic order, so that the first one of a class is its smallest. All 15,625 take a few tenths of a
    # second.
    everything = product(range(len(OPERATIONS)), repeat=len(EDGES))
    return {architecture: first.setdefault(_expression(architecture), architecture) for architecture in everything}
