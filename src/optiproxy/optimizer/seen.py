"""Which architectures are known already, and which are still to be seen."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from optiproxy.spaces import Architecture, Space
from optiproxy.spaces.scales import Scale

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENUMERABLE = 100_000
"""Largest `Space.size` that is gone through one by one to find what random draws miss."""

DRAWS = 50
"""Rounds of random draws before that; with half of a space known, missing 50 times has a chance below 1e-15."""

FINE = 0.1
"""Steps on a scale from 0 to 1 that are at least so long are never too short to tell architectures apart."""


class Seen:
    """A set of architectures in which isomorphic ones are the same.

    Args:
        space: Says which architectures are isomorphic.
        architectures: The first members.
        spacing: How far from each member, on some scale from 0 to 1, another one is to be that agrees with it in all
            categories, and in all orders whose steps are longer than `FINE`; nearer ones do not count as `unseen`.
    """

    def __init__(self, space: Space, architectures: Iterable[Architecture] = (), *, spacing: float = 0.0) -> None:
        self._space = space
        self._spacing = spacing
        self._keys: set[Architecture] = set()
        self._scales = _fine_scales(space)
        # What `_lines` says of all that was ever asked for; sets that come from each other share them.
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
        from scipy.spatial.distance import cdist

        known, near = self._lines(self._keys), self._lines(found)
        close = {
            key
            for line, (keys, units) in near.items()
            if line in known
            # How far each is from the nearest known one, on the scale on which they are farthest apart.
            for key, distance in zip(keys, cdist(units, known[line][1], "chebyshev").min(1).tolist(), strict=True)
            if distance < self._spacing
        }
        return [candidate for key, candidate in found.items() if key not in close]

    def _lines(
        self, keys: Iterable[Architecture]
    ) -> dict[Architecture, tuple[list[Architecture], NDArray[np.float64]]]:
        """What agrees in all but fine scales, by what it agrees in; with places ``(k, number of fine scales)`` on these."""
        import numpy as np

        keys = list(keys)
        new = [key for key in keys if key not in self._places]
        columns = [scale.units([key[d] for key in new]) for d, scale in self._scales.items()]
        for key, *places in zip(new, *columns, strict=True):
            line = tuple(position for d, position in enumerate(key) if d not in self._scales)
            self._places[key] = line, places
        lines: dict[Architecture, list[Architecture]] = {}
        for key in keys:
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


def _fine_scales(space: Space) -> dict[int, Scale]:
    """The scales with steps shorter than `FINE`, by the position of their decision."""
    scales = {d: decision.scale for d, decision in enumerate(space.decisions) if decision.scale is not None}
    return {d: scale for d, scale in scales.items() if d in space.points or _shortest_step(scale) < FINE}


def _shortest_step(scale: Scale) -> float:
    units = scale.units(range(len(scale)))
    return min((after - before for before, after in pairwise(units)), default=1.0)
