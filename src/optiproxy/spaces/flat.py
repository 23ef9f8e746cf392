"""A space from any mapping of choices: independent decisions, as a chain of nodes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from optiproxy.errors import UsageError
from optiproxy.graph import GraphBatch
from optiproxy.spaces.decisions import Decision
from optiproxy.spaces.space import Space

if TYPE_CHECKING:
    from torch import Tensor


class FlatSpace(Space):
    """Every combination of the given choices.

    The graph is a chain: input, one node per decision in the given order, output. Each choice of each decision is a
    node feature of its own, so that "kernel = 3" and "depth = 3" share nothing.

    Args:
        choices: Decision name -> its choices, for example ``{"kernel": [3, 5, 7], "lr": Float(1e-4, 1e-1, log=True)}``. Lists
            are read by `Decision.of`: numbers in their order, as here, are known to be in one.
        name: Part of the study's identity.

    Raises:
        UsageError: If there is no decision, or one has no choice, one twice, or none in a list.

    Warns:
        UserWarning: If choices are a pair of numbers, which elsewhere is how a range is written.
    """

    def __init__(self, choices: Mapping[str, Iterable[Any]], *, name: str = "flat") -> None:
        if not isinstance(choices, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - of a user without a type checker
            raise UsageError(f"Expected decisions by name, like {{'depth': [2, 4, 8]}}, got {choices!r}.")
        if not choices:
            raise UsageError("A search space needs at least one decision, got an empty mapping.")
        for key, options in choices.items():
            if (
                isinstance(options, tuple)
                and len(options) == 2
                and all(type(bound) in (int, float) for bound in options)
            ):
                low, high = options
                ranges = "Int" if type(low) is type(high) is int else "Float"
                warnings.warn(
                    f"Decision {key!r} is taken between two numbers, {low} and {high}. Write {ranges}({low}, {high}) for all "
                    f"between them, or the list [{low}, {high}] for these two.",
                    stacklevel=2,
                )
        self.name = name
        self.decisions = tuple(Decision.of(key, options) for key, options in choices.items())

    def encode(self, weights: Tensor) -> GraphBatch:
        b, v = len(weights), len(self.decisions) + 2
        # Every choice of every decision has a column of its own, decision after decision; the last two are of input, output.
        node, choice = self.choice_mask.nonzero(as_tuple=True)
        f = len(node) + 2
        operations = weights.new_zeros(b, v, f)
        operations[:, 0, -2] = 1.0
        operations[:, -1, -1] = 1.0
        operations[:, node + 1, range(len(node))] = weights[:, node, choice]
        # The diagonal above the main one: each node feeds the next. It is the same for all, hence not copied.
        adjacency = weights.new_ones(v - 1).diag(1).expand(b, v, v)
        return GraphBatch(operations, adjacency, inputs=(0,), outputs=(v - 1,))
