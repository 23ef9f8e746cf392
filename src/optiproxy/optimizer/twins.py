"""Architectures that compute the same but are measured one by one: how many queries they deserve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optiproxy.spaces import Architecture, Space


@dataclass(frozen=True, kw_only=True)
class Twins:
    """A rule for spaces that tell isomorphic architectures apart (`Space.function`); without effect in all others.

    Twins differ by little, by the noise of their trainings and by what a device does with dead operations; so a new
    function is worth more than another twin, except a twin of the very best. Left to the gain alone, a search stays among
    the hundreds of twins of a safe architecture.

    Attributes:
        every: One proposal in so many goes to a twin of a leader, all others to functions not tried yet.
        leaders: The best feasible trials, whose twins are tried.
    """

    every: int = 3
    leaders: int = 3

    def admitted(
        self,
        space: Space,
        candidates: Sequence[Architecture],
        *,
        tried: Sequence[Architecture],
        best: Sequence[Architecture],
    ) -> list[Architecture]:
        """The candidates whose turn it is, in their order; all of them where none would be left.

        Args:
            space: Says what is a twin.
            candidates: Unknown architectures.
            tried: All trials, and what is pending.
            best: The feasible trials, best first.
        """
        if len(tried) % self.every == self.every - 1:
            leading = {space.function(architecture) for architecture in best[: self.leaders]}
            twins = [a for a in candidates if space.function(a) in leading]
            if twins:
                return twins
        functions = {space.function(architecture) for architecture in tried}
        return [a for a in candidates if space.function(a) not in functions] or list(candidates)
