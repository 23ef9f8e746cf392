"""A space in which some decisions have been taken already."""

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


class FixedSpace(SpaceWrapper):
    """Another space, of which only the architectures with certain choices are valid: those that a user has fixed.

    Whatever is drawn, near, or gone through has these choices; nothing is found by rejection but what the base rules out. Where
    they do not matter, the canonical form has them, too; only where the base's puts the same network differently it may lack
    them. What has been evaluated with other choices is encoded as it is, so that it can be learned from.

    Args:
        base: The space of which some decisions are fixed.
        fixed: Position of a decision -> position of its choice.
    """

    def __init__(self, base: Space, fixed: Mapping[int, int]) -> None:
        super().__init__(base)
        self._fixed = {**base.fixed, **fixed}

    @property
    def fixed(self) -> Mapping[int, int]:
        """What the base is left without a choice of, and what is fixed here."""
        return self._fixed

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

    @property
    def _combinations(self) -> int:
        """Number of combinations of the choices that are left."""
        return math.prod(len(d.choices) for i, d in enumerate(self.decisions) if i not in self.fixed)

    def is_valid(self, architecture: Architecture) -> bool:
        return architecture == self._placed(architecture) and self.base.is_valid(architecture)

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the canonical form of the base, with the fixed choices where it is the same network with them."""
        canonical = self.base.canonical(architecture)
        placed = self._placed(canonical)
        return placed if placed == canonical or self.base.canonical(placed) == canonical else canonical

    def canonical_rows(self, architectures: NDArray[np.integer]) -> NDArray[np.integer]:
        # The base would let pass what is ruled out here.
        return Space.canonical_rows(self, architectures)

    def sample(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Draw from the base and put in the fixed choices; fewer only where few architectures can have them."""
        found: list[Architecture] = []
        for _ in range(ROUNDS):
            drawn = self.base.sample(rng, n)
            found += filter(self.is_valid, map(self._placed, drawn))
            # A base that has nothing to draw will have nothing in the next round either.
            if len(found) >= n or not drawn:
                break
        return found[:n]

    def neighbours(self, architecture: Architecture) -> list[Architecture]:
        """Return neighbours of the base with the fixed choices, and the architecture itself with them, if it has others."""
        near = [architecture, *self.base.neighbours(self._placed(architecture))]
        return [placed for placed in dict.fromkeys(map(self._placed, near)) if placed != architecture]

    def draw(self, probabilities: Tensor, n: int, generator: Generator) -> list[Architecture]:
        return list(map(self._placed, self.base.draw(probabilities, n, generator)))

    def everything(self) -> Iterator[Architecture]:
        """Yield every combination with the fixed choices, in lexicographic order."""
        if self._combinations > self.base.size:  # the base is a short list
            return (
                architecture for architecture in self.base.everything() if architecture == self._placed(architecture)
            )
        left = (
            (self.fixed[i],) if i in self.fixed else range(len(decision.choices))
            for i, decision in enumerate(self.decisions)
        )
        return product(*left)

    def _placed(self, architecture: Architecture) -> Architecture:
        """Put the fixed choices in the place of others."""
        return tuple(self.fixed.get(d, choice) for d, choice in enumerate(architecture))
