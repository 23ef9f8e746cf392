"""Which architectures are known already, and which are still to be seen."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from optiproxy.spaces import Architecture, Space

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENUMERABLE = 100_000
"""Largest `Space.size` that is gone through one by one to find what random draws miss."""

DRAWS = 50
"""Rounds of random draws before that; with half of a space known, missing 50 times has a chance below 1e-15."""


class Seen:
    """A set of architectures in which isomorphic ones are the same.

    Args:
        space: Says which architectures are isomorphic.
        architectures: The first members.
        spacing: How far from each member, on some scale from 0 to 1, another one is to be that agrees with it in all
            categories; nearer ones do not count as `unseen`.
    """

    def __init__(self, space: Space, architectures: Iterable[Architecture] = (), *, spacing: float = 0.0) -> None:
        self._space = space
        self._spacing = spacing
        self._keys: set[Architecture] = set()
        self._scales = {d: decision.scale for d, decision in enumerate(space.decisions) if decision.scale is not None}
        # Categories and places on scales of all that was ever asked for; sets that come from each other share them.
        self._places: dict[Architecture, tuple[Architecture, list[float]]] = {}
        self.update(architectures)

    def add(self, architecture: Architecture) -> None:
        """Count this architecture, and all that are isomorphic to it, as known."""
        self._keys.add(self._space.canonical(architecture))

    def update(self, architectures: Iterable[Architecture]) -> None:
        """`add` each of them."""
        self._keys.update(map(self._space.canonical, architectures))

    def union(self, architectures: Iterable[Architecture]) -> Seen:
        """A new set with these in addition; this one stays as it is."""
        more = self.apart(self._spacing)
        more.update(architectures)
        return more

    def apart(self, spacing: float) -> Seen:
        """The same members, and another spacing."""
        spaced = Seen(self._space, spacing=spacing)
        spaced._keys |= self._keys
        spaced._places = self._places
        return spaced

    def __contains__(self, architecture: Architecture) -> bool:
        return self._space.canonical(architecture) in self._keys

    def __len__(self) -> int:
        """Number of classes of isomorphic architectures."""
        return len(self._keys)

    def unseen(self, candidates: Iterable[Architecture]) -> list[Architecture]:
        """The candidates that are not known, nor nearer to one than the spacing; of isomorphic ones the first."""
        found: dict[Architecture, Architecture] = {}
        for candidate in candidates:
            key = self._space.canonical(candidate)
            if key not in self._keys:
                found.setdefault(key, candidate)
        if not (self._spacing and self._scales and found and self._keys):
            return list(found.values())
        known, near = self._lines(self._keys), self._lines(found)
        close = {
            key
            for line, (keys, units) in near.items()
            if line in known
            for key, distance in zip(keys, _distances(units, known[line][1]).tolist(), strict=True)
            if distance < self._spacing
        }
        return [candidate for key, candidate in found.items() if key not in close]

    def _lines(
        self, keys: Iterable[Architecture]
    ) -> dict[Architecture, tuple[list[Architecture], NDArray[np.float64]]]:
        """What agrees in all categories, by these categories; with places ``(k, number of scales)`` on the scales."""
        import numpy as np

        lines: dict[Architecture, list[Architecture]] = {}
        for key in keys:
            if key not in self._places:
                line = tuple(position for d, position in enumerate(key) if d not in self._scales)
                self._places[key] = line, [scale.unit(key[d]) for d, scale in self._scales.items()]
            lines.setdefault(self._places[key][0], []).append(key)
        return {line: (found, np.array([self._places[key][1] for key in found])) for line, found in lines.items()}

    def draw(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Up to ``n`` valid, unknown architectures, no two isomorphic.

        Each decision is drawn uniformly and what is known is drawn again. Where that finds too few, a space of at most
        `ENUMERABLE` combinations is searched completely, unless it is continuous: fewer than ``n`` then means that no more
        exist. A larger one is asked for what it can reach (`Space.reach`): fewer then means that long searches have found no
        more.
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

        Empty for a space of more than `ENUMERABLE` combinations, or with continuous decisions.
        """
        if not self._space.enumerable(ENUMERABLE):
            return []
        found: dict[Architecture, Architecture] = {}
        for architecture in self._space.everything():
            key = self._space.canonical(architecture)
            # Validity may be expensive, so it is asked last.
            if key not in self._keys and key not in found and self._space.is_valid(architecture):
                found[key] = architecture
        return list(found.values())


def _distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(len(a),)``: how far each point is from the nearest of the others, on the scale on which they are farthest apart."""
    import numpy as np

    nearest = np.full(len(a), np.inf)
    for block in np.array_split(b, 1 + len(a) * b.size // 1_000_000):
        nearest = np.minimum(nearest, np.abs(a[:, None] - block[None]).max(2).min(1, initial=np.inf))
    return nearest
