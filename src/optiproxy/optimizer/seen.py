"""Which architectures are known already, and which are still to be seen."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from optiproxy.spaces import Architecture, Space

if TYPE_CHECKING:
    import numpy as np

ENUMERABLE = 100_000
"""Largest `Space.size` that is gone through one by one to find what random draws miss."""

DRAWS = 50
"""Rounds of random draws before that; with half of a space known, missing 50 times has a chance below 1e-15."""


class Seen:
    """A set of architectures in which isomorphic ones are the same.

    Args:
        space: Says which architectures are isomorphic.
        architectures: The first members.
    """

    def __init__(self, space: Space, architectures: Iterable[Architecture] = ()) -> None:
        self._space = space
        self._keys: set[Architecture] = set()
        self.update(architectures)

    def add(self, architecture: Architecture) -> None:
        """Count this architecture, and all that are isomorphic to it, as known."""
        self._keys.add(self._space.canonical(architecture))

    def update(self, architectures: Iterable[Architecture]) -> None:
        """`add` each of them."""
        self._keys.update(map(self._space.canonical, architectures))

    def union(self, architectures: Iterable[Architecture]) -> Seen:
        """A new set with these in addition; this one stays as it is."""
        more = Seen(self._space, architectures)
        more._keys |= self._keys
        return more

    def __contains__(self, architecture: Architecture) -> bool:
        return self._space.canonical(architecture) in self._keys

    def __len__(self) -> int:
        """Number of classes of isomorphic architectures."""
        return len(self._keys)

    def unseen(self, candidates: Iterable[Architecture]) -> list[Architecture]:
        """The candidates that are not known, in their order; of isomorphic ones the first."""
        found: dict[Architecture, Architecture] = {}
        for candidate in candidates:
            key = self._space.canonical(candidate)
            if key not in self._keys:
                found.setdefault(key, candidate)
        return list(found.values())

    def draw(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Up to ``n`` valid, unknown architectures, no two isomorphic.

        Each decision is drawn uniformly and what is known is drawn again. Where that finds too few, a space of at most
        `ENUMERABLE` combinations is searched completely: fewer than ``n`` then means that no more exist. A larger one is
        asked for what it can reach (`Space.reach`): fewer then means that long searches have found no more.
        """
        found: list[Architecture] = []
        for _ in range(DRAWS):
            drawn = self._space.sample(rng, n - len(found))
            found = self.unseen([*found, *drawn])
            if len(found) >= n or not drawn:
                break
        if len(found) < n:
            left = self.union(found).remaining()
            found += [left[i] for i in rng.permutation(len(left))[: n - len(found)]]
        if len(found) < n and self._space.size > ENUMERABLE:
            known = self.union(found)
            new = (architecture for architecture in self._space.reach() if architecture not in known)
            found += islice(new, n - len(found))
        return found

    def remaining(self) -> list[Architecture]:
        """Every valid, unknown architecture, one of each class, in lexicographic order.

        Empty for a space of more than `ENUMERABLE` combinations.
        """
        if self._space.size > ENUMERABLE:
            return []
        found: dict[Architecture, Architecture] = {}
        for architecture in self._space.everything():
            key = self._space.canonical(architecture)
            # Validity may be expensive, so it is asked last.
            if key not in self._keys and key not in found and self._space.is_valid(architecture):
                found[key] = architecture
        return list(found.values())
