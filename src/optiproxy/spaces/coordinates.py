"""The decisions themselves as numbers, beside what a graph shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

from optiproxy.spaces.decisions import Decision

if TYPE_CHECKING:
    from torch import Tensor

APART = 0.5**0.5
"""Coordinate of a chosen category: two different ones are at distance 1."""

SHORT = 16
"""An order of at most so many values is shown by its values, too: what comes in a row need not act in that row."""


@final
class Coordinates:
    """A linear map of relaxed architectures to ``k`` plain coordinates; see `GraphBatch.decisions`.

    Args:
        decisions: ``d`` of them.
        widest: ``c``.

    Attributes:
        owners: Position of the decision that each coordinate belongs to.
        groups: Number of the coordinates that are relevant together: those of a category, the place on a scale, and by
            themselves the values of a short one.
    """

    def __init__(self, decisions: Sequence[Decision], widest: int) -> None:
        import torch

        columns: list[dict[int, float]] = []
        offsets: list[float] = []
        owners: list[int] = []
        groups: list[int] = []

        def add(decision: int, found: Sequence[dict[int, float]], offset: float) -> None:
            group = groups[-1] + 1 if groups else 0
            columns.extend({decision * widest + i: entry for i, entry in column.items()} for column in found)
            offsets.extend([offset] * len(found))
            owners.extend([decision] * len(found))
            groups.extend([group] * len(found))

        for d, decision in enumerate(decisions):
            scale, n = decision.scale, len(decision.choices)
            if scale is None:
                add(d, [{i: APART} for i in range(n)], 0.0)
                continue
            # The mean place on the scale; 0 is in the middle, where what does not matter is.
            add(d, [{0: 1.0} if decision.point else {i: scale.unit(i) for i in range(n)}], 0.5)
            if 2 < n <= SHORT:
                # Half as far apart as categories are, because an order mostly means something.
                add(d, [{i: APART / 2} for i in range(n)], 0.0)
        self.owners, self.groups = tuple(owners), tuple(groups)
        self._offsets = torch.tensor(offsets)
        self._matrix = torch.zeros(len(decisions) * widest, len(columns))
        for k, column in enumerate(columns):
            for row, entry in column.items():
                self._matrix[row, k] = entry

    def __call__(self, weights: Tensor, activity: Tensor) -> Tensor:
        """Return ``(b, k)``, differentiable in both arguments.

        Args:
            weights: ``(b, d, c)``.
            activity: ``(b, d)``: how much each decision matters, from 0 to 1.
        """
        flat = weights.flatten(1) @ self._matrix.to(weights) - self._offsets.to(weights)
        return flat * activity[:, list(self.owners)]
