"""A space from any mapping of choices: independent decisions, as a chain of nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from optiproxy.errors import UsageError
from optiproxy.graph import GraphBatch
from optiproxy.spaces.decisions import Choice, Decision
from optiproxy.spaces.scales import Scale
from optiproxy.spaces.space import Space

if TYPE_CHECKING:
    from torch import Tensor


class FlatSpace(Space):
    """Every combination of the given choices.

    The graph is a chain: input, one node per decision in the given order, output. Each choice of each decision is a
    node feature of its own, so that "kernel = 3" and "depth = 3" share nothing.

    Args:
        choices: Decision name -> its choices, for example ``{"kernel": [3, 5, 7], "lr": Float(1e-4, 1e-1, log=True)}``.
        name: Part of the study's identity.

    Raises:
        UsageError: If the mapping is empty, or a decision has no choice or one twice.
    """

    def __init__(self, choices: Mapping[str, Sequence[Choice]], *, name: str = "flat") -> None:
        if not choices:
            raise UsageError("A search space needs at least one decision, got an empty mapping.")
        self.name = name
        self.decisions = tuple(
            Decision(key, options if isinstance(options, Scale) else tuple(options)) for key, options in choices.items()
        )

    def encode(self, weights: Tensor) -> GraphBatch:
        b = len(weights)
        counts = [decision.columns for decision in self.decisions]
        v, f = len(counts) + 2, sum(counts) + 2
        operations = weights.new_zeros(b, v, f)
        # The last two features are those of input and output.
        operations[:, 0, -2] = 1.0
        operations[:, -1, -1] = 1.0
        # Every choice of every decision has a column of its own, decision after decision.
        start = 0
        for d, count in enumerate(counts):
            operations[:, d + 1, start : start + count] = weights[:, d, :count]
            start += count
        # The diagonal above the main one: each node feeds the next. It is the same for all, hence not copied.
        adjacency = weights.new_ones(v - 1).diag(1).expand(b, v, v)
        return GraphBatch(operations, adjacency, inputs=(0,), outputs=(v - 1,))
