"""A space of which a part is left: ranges that have become narrower, or decisions that have been taken already."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

from optiproxy.spaces.decisions import Architecture
from optiproxy.spaces.ranges import Float
from optiproxy.spaces.space import ROUNDS, Space
from optiproxy.spaces.wrapper import SpaceWrapper

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Generator, Tensor


class NarrowedSpace(SpaceWrapper):
    """Another space, of which only the architectures with choices in certain ranges are valid.

    Whatever is drawn, near, or gone through has these choices; nothing is found by rejection but what the base rules out. Where
    they do not matter, the canonical form has them, too; only where the base's puts the same network differently it may lack
    them. What has been evaluated with other choices is encoded as it is, so that it can be learned from.

    Args:
        base: The space to narrow.
        ranges: Position of a decision -> positions of the first and of the last choice that are left to it.
    """

    def __init__(self, base: Space, ranges: Mapping[int, tuple[int, int]]) -> None:
        super().__init__(base)
        self._ranges = dict(ranges)

    @property
    def fixed(self) -> Mapping[int, int]:
        """What the base is left without a choice of, and what has one choice here."""
        return {**self.base.fixed, **{d: low for d, (low, high) in self._ranges.items() if low == high}}

    @cached_property
    def size(self) -> int:
        """Number of combinations that `everything` goes through at most."""
        return min(self._combinations, self.base.size)

    @cached_property
    def continuous(self) -> int:
        """Number of floats that are left."""
        return sum(
            isinstance(scale, Float) and scale.step is None for i, scale in self.points.items() if i not in self.fixed
        )

    def is_valid(self, architecture: Architecture) -> bool:
        return architecture == self._inside(architecture) and self.base.is_valid(architecture)

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the canonical form of the base, with choices that are left where it is the same network with them."""
        canonical = self.base.canonical(architecture)
        inside = self._inside(canonical)
        return inside if inside == canonical or self.base.canonical(inside) == canonical else canonical

    def canonical_rows(self, architectures: NDArray[np.integer]) -> NDArray[np.integer]:
        # The base would let pass what is ruled out here.
        return Space.canonical_rows(self, architectures)

    def sample(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Draw from the base, and what is outside of a range anew; fewer only where few architectures can be there."""
        found: list[Architecture] = []
        for _ in range(ROUNDS):
            drawn = self.base.sample(rng, n)
            found += filter(self.is_valid, (self._redrawn(architecture, rng) for architecture in drawn))
            # A base that has nothing to draw will have nothing in the next round either.
            if len(found) >= n or not drawn:
                break
        return found[:n]

    def neighbours(self, architecture: Architecture) -> list[Architecture]:
        """Return neighbours of the base, moved into the ranges, and the architecture itself so, if it lies elsewhere."""
        near = [architecture, *self.base.neighbours(self._inside(architecture))]
        return [inside for inside in dict.fromkeys(map(self._inside, near)) if inside != architecture]

    def draw(self, probabilities: Tensor, n: int, generator: Generator) -> list[Architecture]:
        return list(map(self._inside, self.base.draw(probabilities, n, generator)))

    def everything(self) -> Iterator[Architecture]:
        """Yield every combination in the ranges, in lexicographic order."""
        if self._combinations > self.base.size:  # the base is a short list
            return (
                architecture for architecture in self.base.everything() if architecture == self._inside(architecture)
            )
        return product(*map(self._left, range(len(self.decisions))))

    @property
    def _combinations(self) -> int:
        """Number of combinations of the choices that are left."""
        return math.prod(len(self._left(d)) for d in range(len(self.decisions)))

    def _left(self, d: int) -> range:
        """Positions of the choices that are left to a decision."""
        low, high = self._ranges.get(d, (0, len(self.decisions[d].choices) - 1))
        return range(low, high + 1)

    def _inside(self, architecture: Architecture) -> Architecture:
        """Put the nearest choice that is left in the place of each other one."""
        row = list(architecture)
        for d, (low, high) in self._ranges.items():
            row[d] = min(max(row[d], low), high)
        return tuple(row)

    def _redrawn(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        """Put a random choice that is left, uniform on the scale where there is one, in the place of each other one."""
        row = list(architecture)
        for d, (low, high) in self._ranges.items():
            if low == high:
                row[d] = low
            elif not low <= row[d] <= high:
                row[d] = self._between(d, low, high, rng)
        return tuple(row)

    def _between(self, d: int, low: int, high: int, rng: np.random.Generator) -> int:
        scale = self.decisions[d].scale
        if scale is None:
            return int(rng.integers(low, high + 1))
        first, last = scale.units([low, high])
        return scale.at(rng.uniform(first, last))


def fixed(base: Space, choices: Mapping[int, int]) -> NarrowedSpace:
    """Return the space in which some decisions have been taken.

    Args:
        base: The space of which some decisions are fixed.
        choices: Position of a decision -> position of its choice.
    """
    return NarrowedSpace(base, {d: (choice, choice) for d, choice in choices.items()})
