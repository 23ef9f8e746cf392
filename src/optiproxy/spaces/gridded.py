"""A space whose numbers are laid on a grid, for methods that know nothing but choices."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optiproxy.spaces.decisions import Architecture, Decision
from optiproxy.spaces.scales import Ordered, Scale
from optiproxy.spaces.space import Space
from optiproxy.spaces.wrapper import SpaceWrapper

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Generator, Tensor

    from optiproxy.graph import GraphBatch

LEVELS = 16
"""Levels of a number on a grid: as many as a search of some dozens of queries can tell apart."""


class GriddedSpace(SpaceWrapper):
    """Another space, of whose numbers with many values only levels are left, equally far apart on their scales.

    An architecture of the grid stands for that of the base with the same values. Decisions of few choices stay as they are,
    so that without a number of many values the two are the same. Graphs are those of the base. What is near, and what is
    drawn from probabilities, follows from the decisions of the grid alone.

    Args:
        base: The space to lay on a grid.
        levels: Of each number, at equal distances and with the ends half as far; fewer where rounding makes them equal.

    Attributes:
        decisions: Those of the base, with an `Ordered` of the levels in place of each number of many values.
    """

    def __init__(self, base: Space, *, levels: int = LEVELS) -> None:
        super().__init__(base, name=f"{base.name}-grid")
        self._levels = {d: _levels(scale, levels) for d, scale in base.points.items()}
        self.decisions = tuple(
            Decision(decision.name, Ordered([decision.choices[position] for position in self._levels[d]]))
            if d in self._levels
            else decision
            for d, decision in enumerate(base.decisions)
        )

    def whole(self, architecture: Architecture) -> Architecture:
        """Return the architecture of the base that one of the grid stands for."""
        return tuple(self._levels[d][i] if d in self._levels else i for d, i in enumerate(architecture))

    def nearest(self, architecture: Architecture) -> Architecture:
        """Return the architecture of the grid that is nearest to one of the base; the inverse of `whole` on the grid."""
        row = list(architecture)
        for d, units in self._units.items():
            unit = self.base.points[d].unit(row[d])
            row[d] = min(range(len(units)), key=lambda level: abs(units[level] - unit))
        return tuple(row)

    @cached_property
    def size(self) -> int:
        """Number of combinations on the grid."""
        return math.prod(len(decision.choices) for decision in self.decisions)

    @cached_property
    def continuous(self) -> int:
        """None: levels are counted."""
        return 0

    def encode(self, weights: Tensor) -> GraphBatch:
        return self.base.encode(self._onto_scales(weights))

    def activity(self, weights: Tensor) -> Tensor:
        return self.base.activity(self._onto_scales(weights))

    def is_valid(self, architecture: Architecture) -> bool:
        return self.base.is_valid(self.whole(architecture))

    def canonical(self, architecture: Architecture) -> Architecture:
        return self.nearest(self.base.canonical(self.whole(architecture)))

    def canonical_rows(self, architectures: NDArray[np.integer]) -> NDArray[np.integer]:
        return Space.canonical_rows(self, architectures)

    def sample(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Draw from the grid alone: what is valid between its levels need not be so on them."""
        return Space.sample(self, rng, n)

    def examples(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        return [self.nearest(architecture) for architecture in self.base.examples(rng, n)]

    def neighbours(self, architecture: Architecture) -> list[Architecture]:
        return Space.neighbours(self, architecture)

    def draw(self, probabilities: Tensor, n: int, generator: Generator) -> list[Architecture]:
        return Space.draw(self, probabilities, n, generator)

    def build(self, architecture: Architecture | Mapping[str, object], *, seed: int = 0) -> Any:  # noqa: ANN401 - as the base has it
        return self.base.build(self.whole(self.architecture(architecture)), seed=seed)

    def everything(self) -> Iterator[Architecture]:
        return Space.everything(self)

    @cached_property
    def _units(self) -> dict[int, list[float]]:
        """Position of each decision that is laid on the grid -> the places of its levels on the scale."""
        return {d: list(map(self.base.points[d].unit, levels)) for d, levels in self._levels.items()}

    def _onto_scales(self, weights: Tensor) -> Tensor:
        """Turn ``(b, d, c)`` weights of the levels into those of the base, with mean places on the scales."""
        relaxed = weights.new_zeros(*weights.shape[:2], self.base.widest)
        for d, decision in enumerate(self.base.decisions):
            units = self._units.get(d)
            if units is None:
                relaxed[:, d, : decision.columns] = weights[:, d, : decision.columns]
            else:
                relaxed[:, d, 0] = weights[:, d, : len(units)] @ weights.new_tensor(units)
        return relaxed


def _levels(scale: Scale, levels: int) -> list[int]:
    """Return positions at equal distances on the scale, each once: the middles of as many parts of it."""
    return list(dict.fromkeys(scale.at((level + 0.5) / levels) for level in range(levels)))
