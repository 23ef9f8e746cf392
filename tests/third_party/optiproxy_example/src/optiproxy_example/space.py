"""A space: stacks of one to four layers.

A space names its decisions and encodes them as a graph, which is all that the learned proxy sees. This one also says
which combinations are no architecture and which are the same network. Where decisions are independent and no graph is
known, `optiproxy.FlatSpace({"width": [16, 32], "depth": [2, 4]})` does all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from optiproxy.graph import GraphBatch
from optiproxy.spaces import Architecture, Decision, Space

if TYPE_CHECKING:
    from torch import Tensor

LAYERS = ("none", "conv3x3", "conv5x5", "pool")
NONE = LAYERS.index("none")


class StackSpace(Space):
    """4^4 = 256 combinations. ``none`` leaves a layer out, so its place in the stack makes no difference."""

    name = "stack"
    decisions = tuple(Decision(f"layer{i}", LAYERS) for i in range(1, 5))

    def encode(self, weights: Tensor) -> GraphBatch:
        """A path of ``v = d + 2`` nodes: the input, the layers, the output; ``f = c + 2`` operations.

        Args:
            weights: ``(b, d, c)``, how much of each choice a decision is. One-hot rows are a discrete architecture.
        """
        b, d, c = weights.shape
        operations = weights.new_zeros(b, d + 2, c + 2)
        operations[:, 0, c] = 1.0
        operations[:, 1:-1, :c] = weights
        operations[:, -1, c + 1] = 1.0
        path = weights.new_ones(d + 1).diag(1)  # from each node to the next
        return GraphBatch(operations, path.expand(b, -1, -1), inputs=(0,), outputs=(d + 1,))

    def is_valid(self, architecture: Architecture) -> bool:
        """A stack has at least one layer."""
        return any(layer != NONE for layer in architecture)

    def canonical(self, architecture: Architecture) -> Architecture:
        """The one spelling of a network, so that none is trained twice: the layers first, then what is left out."""
        return tuple(sorted(architecture, key=lambda layer: layer == NONE))
