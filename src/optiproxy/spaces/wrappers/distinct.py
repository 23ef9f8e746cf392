"""A space whose isomorphic architectures are told apart."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from optiproxy.spaces.space import Architecture, Space

if TYPE_CHECKING:
    import numpy as np
    from torch import Generator, Tensor

    from optiproxy.graph import GraphBatch


class DistinctSpace(Space):
    """Another space, for tasks in which isomorphic architectures are measured one by one and differ.

    A device spends time on operations whose result nobody reads, so that the fastest of several isomorphic cells may keep
    a limit that the others break.

    Args:
        base: The space whose architectures are told apart.
    """

    def __init__(self, base: Space) -> None:
        self.base = base
        self.name = f"{base.name}-distinct"
        self.decisions = base.decisions

    @cached_property
    def size(self) -> int:
        """That of the base."""
        return self.base.size

    def encode(self, weights: Tensor) -> GraphBatch:
        return self.base.encode(weights)

    def is_valid(self, architecture: Architecture) -> bool:
        return self.base.is_valid(architecture)

    def sample(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        return self.base.sample(rng, n)

    def examples(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        return self.base.examples(rng, n)

    def neighbours(self, architecture: Architecture) -> list[Architecture]:
        return self.base.neighbours(architecture)

    def draw(self, chances: Tensor, n: int, generator: Generator) -> list[Architecture]:
        return self.base.draw(chances, n, generator)

    def everything(self) -> Iterator[Architecture]:
        return self.base.everything()
