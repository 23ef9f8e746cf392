"""`GraphBatch`: the one thing that spaces and proxies share, and the alphabet of tensor axes.

Every docstring of the package that gives a shape uses these letters:

    b  batch of architectures        m  metrics, the objectives first and then the limits
    d  decisions of a space          o  objectives alone
    c  choices of a decision         n  finished trials
    v  nodes of a graph              e  members of an ensemble
    f  features of a node            h  hidden units
    q  features of a whole graph     k  anything else, which the docstring then names
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class GraphBatch:
    """A batch of relaxed architectures as weighted directed acyclic graphs.

    All ``b`` graphs share the number of nodes ``v``, the node features ``f`` and the topological order ``0 .. v-1``.
    At a discrete architecture every weight is 0 or 1; between, weights lie in [0, 1] and are differentiable in the
    weights that were encoded.

    Attributes:
        operations: ``(b, v, f)`` how much of each operation a node is.
        adjacency: ``(b, v, v)`` weight of the edge i -> j, zero unless i < j.
        inputs: Nodes where data enters.
        outputs: Nodes where the result leaves.
        carried: Further nodes where data enters or leaves, such as the states of a recurrent cell, with their names. Drawings
            show them; to a proxy they are nodes like any other.
        decisions: ``(b, k)`` the decisions themselves, beside what the graph shows of them: for each category a coordinate
            per choice, for each order or number its place on a scale, centred, and of a short one its values as well; 0
            where a decision does not matter. Two choices of a category, and the places of the two ends of a scale, are
            at distance 1. None where `Space.encode` was asked directly.
        owners: Position of the decision that each of these coordinates belongs to.
        groups: Number of the coordinates that are relevant together.
    """

    operations: Tensor
    adjacency: Tensor
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    carried: Mapping[int, str] = field(default_factory=dict[int, str])
    decisions: Tensor | None = None
    owners: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.operations)

    def split(self, size: int) -> list[GraphBatch]:
        """The same graphs in batches of at most ``size``."""
        return [self[start : start + size] for start in range(0, max(len(self), 1), size)]

    def __getitem__(self, rows: slice | Tensor) -> GraphBatch:
        """Some of the graphs."""
        decisions = None if self.decisions is None else self.decisions[rows]
        return replace(self, operations=self.operations[rows], adjacency=self.adjacency[rows], decisions=decisions)
