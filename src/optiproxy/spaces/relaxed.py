"""Architectures as numbers and back, as far as decisions alone say how: `Space` offers all of this in its methods.

A relaxed architecture is ``(d, c)`` weights: of few choices a point on the simplex over them, and of a number with many values a
point on its scale from 0 to 1, in column 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Generator, Tensor

from optiproxy.spaces.decisions import SPREAD, Architecture, Decision

APART = 0.5**0.5
"""Coordinate of a chosen category: two different ones are at distance 1."""

SHORT = 16
"""An order of at most so many values is shown by its values, too: what comes in a row need not act in that row."""


def mask(decisions: Sequence[Decision]) -> Tensor:
    """Return ``(d, c)`` booleans: True where a relaxed architecture has a number for that decision."""
    counts = torch.tensor([decision.columns for decision in decisions])
    return torch.arange(_widest(decisions))[None, :] < counts[:, None]


def one_hot(decisions: Sequence[Decision], architectures: Sequence[Architecture]) -> Tensor:
    """Return ``(b, d, c)`` float weights of discrete architectures."""
    rows = list(map(list, architectures))
    units: dict[int, list[float]] = {}
    for i, decision in enumerate(decisions):
        if decision.point is not None:
            units[i] = decision.point.units([row[i] for row in rows])
            for row in rows:
                row[i] = 0
    # Reshaped for the sake of no architectures at all, which would lose their number of decisions.
    chosen = torch.tensor(rows, dtype=torch.long).reshape(len(rows), len(decisions))
    weights = torch.nn.functional.one_hot(chosen, _widest(decisions)).to(torch.float32)
    for i, column in units.items():
        weights[:, i, 0] = torch.tensor(column, dtype=torch.float32)
    return weights


def drawn(decisions: Sequence[Decision], probabilities: Tensor, n: int, generator: Generator) -> list[Architecture]:
    """Return discrete architectures from relaxed ones: of each the likeliest, and then ``n`` random ones.

    Args:
        decisions: ``d``, of which each is drawn by itself.
        probabilities: ``(b, d, c)``.
        n: Random ones per relaxed architecture; 0 leaves the likeliest.
        generator: Draws.
    """
    b, d, c = probabilities.shape
    points = {i: decision.point for i, decision in enumerate(decisions) if decision.point is not None}
    on_scales = probabilities
    if points:
        probabilities = probabilities.clone()
        probabilities[:, list(points), 0] = 1.0  # nothing to be drawn there
    # The likeliest ones come first, then the random ones.
    rows = probabilities.argmax(-1)
    if n:  # torch refuses to draw nothing
        # torch draws from the rows of a matrix, so batch and decisions become one axis for a moment.
        random = torch.multinomial(probabilities.reshape(b * d, c), n, replacement=True, generator=generator)
        rows = torch.cat([rows, random.view(b, d, n).transpose(1, 2).reshape(-1, d)])
    columns: list[list[int]] = rows.T.tolist()
    for i, scale in points.items():
        near = on_scales[:, i, 0]
        if n:
            # Around the point at all distances, so that some refine it and some explore.
            size = (b, n)
            spread = SPREAD ** (1 + 2 * torch.rand(size, generator=generator))
            around = near[:, None] + spread * torch.randn(size, generator=generator)
            near = torch.cat([near, around.flatten()])
        columns[i] = [scale.at(unit) for unit in near.tolist()]
    return list(zip(*columns, strict=True))


@final
class Coordinates:
    """A linear map of relaxed architectures to ``k`` plain coordinates; see `GraphBatch.decisions`.

    Args:
        decisions: ``d`` of them.

    Attributes:
        owners: Position of the decision that each coordinate belongs to.
        groups: Number of the coordinates that are relevant together: those of a category, the place on a scale, and by
            themselves the values of a short one.
    """

    def __init__(self, decisions: Sequence[Decision]) -> None:
        widest = _widest(decisions)
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


def _widest(decisions: Sequence[Decision]) -> int:
    return max(decision.columns for decision in decisions)
