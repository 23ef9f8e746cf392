"""The decisions that leave a choice: what a package is given to choose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from optiproxy.spaces import Architecture, Space


@final
class OpenDecisions:
    """The decisions of a space that have more than one choice; several packages refuse those that have just one.

    Args:
        space: Whose decisions.

    Attributes:
        counts: Number of choices of each open decision.
    """

    def __init__(self, space: Space) -> None:
        self._closed = tuple(0 for _ in space.decisions)
        self._open = tuple(d for d, decision in enumerate(space.decisions) if len(decision.choices) > 1)
        self.counts = tuple(len(space.decisions[d].choices) for d in self._open)

    def chosen(self, architecture: Architecture) -> tuple[int, ...]:
        """The positions chosen by the open decisions alone."""
        return tuple(architecture[d] for d in self._open)

    def architecture(self, chosen: Sequence[int]) -> Architecture:
        """The inverse of `chosen`."""
        whole = list(self._closed)
        for d, position in zip(self._open, chosen, strict=True):
            whole[d] = int(position)
        return tuple(whole)
