"""A space of which only listed architectures have values."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from optiproxy.errors import UsageError
from optiproxy.spaces.decisions import SPREAD, Architecture
from optiproxy.spaces.space import Space, digest, plain_fingerprint
from optiproxy.spaces.wrapper import SpaceWrapper

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Generator, Tensor

NEIGHBOURS = 100
"""Members that count as near another: about as many as one decision away in a large space."""

LEAST_PROBABILITY = 1e-12
"""What even a choice that is ruled out keeps, so that without any doubt some members are still likelier than others."""


class PoolSpace(SpaceWrapper):
    """Another space, of which only these architectures are valid: those that a benchmark has trained.

    The search stays in the pool by construction, whatever share of the base it is: whatever is drawn, near, or gone
    through is a member, and nothing is found by rejection.

    Args:
        base: Says what an architecture is and how it is encoded.
        architectures: ``(n, d)`` positions, in any order; each is kept under its canonical form.
        name: Part of the study's identity; None derives it from the base's.

    Raises:
        UsageError: If there is no member, one is no valid architecture of the base, or two are the same network.
    """

    def __init__(
        self, base: Space, architectures: Sequence[Architecture] | NDArray[np.integer], *, name: str | None = None
    ) -> None:
        import numpy as np

        super().__init__(base, name=name or f"{base.name}-pool")
        self._members = _members(base, architectures)
        # One decision after the other is much quicker to compare than one member after the other.
        self._columns = np.ascontiguousarray(self._members.T)
        # Rows as bytes, because a set of as many tuples takes several times the memory.
        self._keys = frozenset(row.tobytes() for row in self._members)

    @property
    def members(self) -> NDArray[np.integer]:
        """``(n, d)`` canonical forms in lexicographic order; read-only."""
        return self._members

    @cached_property
    def size(self) -> int:
        """Number of members."""
        return len(self._members)

    @cached_property
    def continuous(self) -> int:
        """None: members are counted, whatever their numbers."""
        return 0

    @cached_property
    def fingerprint(self) -> str:
        """A digest of name, decisions and members, in whatever order they were given."""
        return digest(plain_fingerprint(self) + hashlib.sha256(self._members.tobytes()).hexdigest())

    def is_valid(self, architecture: Architecture) -> bool:
        return self._is_member(architecture) or (
            self.base.is_valid(architecture) and self._is_member(self.base.canonical(architecture))
        )

    def canonical(self, architecture: Architecture) -> Architecture:
        # Members are canonical already, and nearly all architectures that a search meets are members.
        return architecture if self._is_member(architecture) else self.base.canonical(architecture)

    def canonical_rows(self, architectures: NDArray[np.integer]) -> NDArray[np.integer]:
        # The base would let pass what is no member.
        return Space.canonical_rows(self, architectures)

    def sample(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Draw ``n`` members, each as likely as any other; one may be drawn again."""
        return self._rows(rng.integers(0, self.size, size=n))

    def examples(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Draw members, too, and no architectures of the base: the search can propose nothing else."""
        return self.sample(rng, n)

    def neighbours(self, architecture: Architecture) -> list[Architecture]:
        """Return the other members that differ from the canonical form in the fewest decisions; ties in their order.

        A number with many values differs by its distance on the scale, of which 1 is the whole.
        """
        import numpy as np

        near = self.canonical(architecture)
        columns = self._columns != np.array(near, dtype=self._members.dtype)[:, None]
        differing = columns.sum(axis=0, dtype=np.uint16, where=self._listed[:, None])
        for d, units in self._units.items():
            differing = differing + np.abs(units - self.points[d].unit(near[d]))
        # One more than is wanted, because the architecture itself may be among them, at distance 0.
        order = np.argsort(differing, kind="stable")[: NEIGHBOURS + 1]
        return self._rows(order[differing[order] > 0][:NEIGHBOURS])

    def draw(self, probabilities: Tensor, n: int, generator: Generator) -> list[Architecture]:
        """Return the likeliest member of each relaxed architecture, and ``n`` distinct random ones.

        The likelihood of a member is the product of the probabilities of its choices, and on a scale of a normal density
        around the point. The ``n`` are drawn in proportion to it without replacement (Gumbel top-k, Kool et al. 2019); all
        members where there are fewer.
        """
        import numpy as np
        import torch

        columns = torch.from_numpy(self._columns.astype(np.int32))
        logarithms = probabilities.clamp_min(LEAST_PROBABILITY).log()
        likelihoods = logarithms.new_zeros(len(probabilities), self.size)
        for d, units in self._units.items():
            distances = torch.from_numpy(units).to(likelihoods) - probabilities[:, d, :1]
            likelihoods -= (distances / SPREAD).square() / 2
        for d, column in enumerate(columns):
            if d in self._units:
                continue
            likelihoods += logarithms[:, d].index_select(1, column)
        # The highest of log-likelihoods with Gumbel noise, -log(-log(uniform)), are such a draw.
        uniform = torch.rand(likelihoods.shape, generator=generator, dtype=likelihoods.dtype)
        drawn = (likelihoods - uniform.log().neg().log()).topk(min(n, self.size), dim=1).indices
        rows: NDArray[np.int64] = torch.cat([likelihoods.argmax(1), drawn.flatten()]).numpy()
        return self._rows(rows)

    def everything(self) -> Iterator[Architecture]:
        """Yield the members in lexicographic order."""
        return (tuple(row) for row in self._members.tolist())

    @cached_property
    def _units(self) -> dict[int, NDArray[np.float64]]:
        """Decision of `points` -> ``(n,)`` where each member lies on its scale."""
        import numpy as np

        return {d: np.array(scale.units(self._columns[d].tolist())) for d, scale in self.points.items()}

    @cached_property
    def _listed(self) -> NDArray[np.bool_]:
        """``(d,)`` whether a decision has no point."""
        import numpy as np

        return np.array([d not in self.points for d in range(len(self.decisions))])

    def violation(self, architecture: Architecture) -> float:
        return Space.violation(self, architecture)

    def reach(self) -> Iterator[Architecture]:
        return self.everything()

    def _rows(self, positions: NDArray[np.integer]) -> list[Architecture]:
        return [tuple(row) for row in self._members[positions].tolist()]

    def _is_member(self, architecture: Architecture) -> bool:
        try:
            # The bytes of a row of numpy's. Asked of nearly every architecture, and quicker so than through numpy.
            return array(self._members.dtype.char, architecture).tobytes() in self._keys
        except OverflowError:  # a position that no decision has
            return False


def _members(base: Space, architectures: Sequence[Architecture] | NDArray[np.integer]) -> NDArray[np.integer]:
    """Check ``(n, d)`` architectures; return their canonical forms, sorted, in the smallest type that holds every choice."""
    import numpy as np

    d = len(base.decisions)
    if len(architectures) == 0:
        raise UsageError("A pool needs at least one architecture, got none.")
    wrong = next((a for a in architectures if len(a) != d), None)
    if wrong is not None:
        raise UsageError(f"Expected one position for each of the {d} decisions of {base.name}, got {len(wrong)}.")
    given = np.asarray(architectures)
    counts = [len(decision.choices) for decision in base.decisions]
    if not np.issubdtype(given.dtype, np.integer):
        raise UsageError(f"Expected positions in the list of choices, whole numbers from 0, got {given.dtype} values.")
    outside = np.flatnonzero(((given < 0) | (given >= counts)).any(axis=1))
    if len(outside):
        row = tuple(given[outside[0]].tolist())
        raise UsageError(f"Expected architectures of {base.name}, but entry {outside[0]} is none: {row}.")
    canonical = np.ascontiguousarray(base.canonical_rows(given), dtype=np.min_scalar_type(max(counts) - 1))
    order = np.lexsort(canonical.T[::-1])
    members = canonical[order]
    equal = np.flatnonzero((members[1:] == members[:-1]).all(axis=1))
    if len(equal):
        first, second = sorted(order[equal[0] : equal[0] + 2].tolist())
        raise UsageError(
            f"Entries {first} and {second} of the pool are the same network. Keep one of them, with one value."
        )
    members.flags.writeable = False
    return members
