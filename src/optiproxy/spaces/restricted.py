"""A space with some of its architectures ruled out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from optiproxy.spaces.space import Architecture, Space

if TYPE_CHECKING:
    from torch import Tensor

    from optiproxy.spaces.graph import GraphBatch


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

    def encode(self, weights: Tensor) -> GraphBatch:
        return self.base.encode(weights)

    def canonical(self, architecture: Architecture) -> Architecture:
        return self.base.canonical(architecture)

    def is_valid(self, architecture: Architecture) -> bool:
        if not self.base.is_valid(architecture):
            return False
        key = self.canonical(architecture)
        if key not in self._known:
            self._known[key] = self._admits(key)
        return self._known[key]
