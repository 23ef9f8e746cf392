"""A space with some of its architectures ruled out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optiproxy.spaces.space import Architecture, Space

if TYPE_CHECKING:
    import numpy as np
    from torch import Generator, Tensor

    from optiproxy.graph import GraphBatch


ROUNDS = 100
"""Draws from the base before a sample is given up."""


class RestrictedSpace(Space):
    """Another space, of which only the architectures that a predicate admits are valid.

    Used for limits on free metrics: what breaks one is never proposed, so never trained, whatever algorithm searches.
    The predicate is asked last, once per canonical architecture, and its answers are kept.

    Args:
        base: The space to restrict.
        admits: Called with the canonical form of architectures that are valid in ``base``.
    """

    def __init__(self, base: Space, admits: Callable[[Architecture], bool]) -> None:
        self.base = base
        self.name = base.name
        self.decisions = base.decisions
        self._admits = admits
        self._known: dict[Architecture, bool] = {}

    @cached_property
    def size(self) -> int:
        """That of the base: what is ruled out is known only once it has been asked for."""
        return self.base.size

    def encode(self, weights: Tensor) -> GraphBatch:
        return self.base.encode(weights)

    def build(self, architecture: Architecture, *, seed: int = 0) -> Any:  # noqa: ANN401 - as the base has it
        return self.base.build(architecture, seed=seed)

    def canonical(self, architecture: Architecture) -> Architecture:
        return self.base.canonical(architecture)

    def is_valid(self, architecture: Architecture) -> bool:
        if not self.base.is_valid(architecture):
            return False
        key = self.canonical(architecture)
        if key not in self._known:
            self._known[key] = self._admits(key)
        return self._known[key]

    def sample(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Draw from the base until ``n`` are admitted; fewer only where those are too rare to meet."""
        found: list[Architecture] = []
        for _ in range(ROUNDS):
            drawn = self.base.sample(rng, n)
            found += [architecture for architecture in drawn if len(found) < n and self.is_valid(architecture)]
            if len(found) >= n or not drawn:
                break
        return found[:n]

    def examples(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        return self.base.examples(rng, n)

    def neighbours(self, architecture: Architecture) -> list[Architecture]:
        return self.base.neighbours(architecture)

    def draw(self, chances: Tensor, n: int, generator: Generator) -> list[Architecture]:
        return self.base.draw(chances, n, generator)

    def everything(self) -> Iterator[Architecture]:
        return self.base.everything()
