"""Valid architectures where they are too rare to be met by chance: random walks that never lead farther from valid.

One kind of step serves twice. It redraws one decision, seldom more, and is taken unless the architecture is then farther from
valid than before. Where it began outside, it finds the way in; once inside, it stays there and meets all that it can reach
alike, because a step and the step back are equally likely.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain, combinations, product
from typing import TYPE_CHECKING, NamedTuple

from optiproxy.spaces.decisions import Architecture

if TYPE_CHECKING:
    import numpy as np

    from optiproxy.spaces.space import Space

WALKERS = 32
"""Walks from different starts; also so many architectures are known before a sample goes on from one of them."""

DIAGONAL = 8
"""Steps from the first choice of everything to the last."""

HOPELESS = 50
"""A walk is given up that was not nearer to valid after so many steps for each decision."""

MIXING = 4
"""Steps for each decision that a walk takes once it is inside, to leave the border over which it came."""

LISTED = 100_000
"""Largest `Space.size` of which all is gone through in random order; up to `BLIND` it is gone through after blind draws."""

BLIND = 3_000_000
"""Draws without anything new after which no further one is expected: one in a million is met with a chance of 95 %."""

PATIENCE = 60.0
"""Seconds without anything new after which a search is given up however few draws they were: each may be a measurement."""

BATCH = 1000


class Step(NamedTuple):
    """Where a walk is.

    Attributes:
        architecture: Valid or not.
        violation: Its `Space.violation`.
    """

    architecture: Architecture
    violation: float


def walk(space: Space, start: Step, rng: np.random.Generator, steps: int) -> Step:
    """Take random steps of which none leads farther from valid."""
    here = start
    free = [d for d, decision in enumerate(space.decisions) if len(decision.choices) > 1]
    for _ in range(steps if free else 0):
        # One decision half of the time, two a quarter of it: what is tied together has to change together.
        changed = {free[i] for i in rng.integers(len(free), size=rng.geometric(0.5)).tolist()}
        row = list(here.architecture)
        for d in sorted(changed):
            row[d] = space.decisions[d].redraw(row[d], rng)
        violation = space.violation(tuple(row))
        if violation <= here.violation:
            here = Step(tuple(row), violation)
    return here


class Reach:
    """The valid architectures of a space in a fixed order, each class of isomorphic ones once, as far as they can be found.

    They are looked for when they are asked for, and kept. First come those that walks reach, each from a start of its own;
    then whatever differs from one that is known in one or two decisions; then what blind draws meet or a small space lists,
    and what differs little from that. It ends where nothing new was found for long; in a space that was gone through, nothing
    is left then.

    Args:
        space: Whose.
        base: The same without any rules: starts and blind draws are samples of it.
    """

    def __init__(self, space: Space, base: Space) -> None:
        self._space = space
        self._base = base
        self._keys: set[Architecture] = set()
        self._found: list[Architecture] = []
        self._centres = 0  # of how many of them all around is known
        self._walked: int | None = None  # how many there were when blind draws began
        self._more = self._search()

    def __iter__(self) -> Iterator[Architecture]:
        position = 0
        while self._finds(position + 1):
            yield self._found[position]
            position += 1

    def first(self, n: int) -> list[Architecture]:
        """Return up to ``n``, as many as walks reach; what takes blind draws only where they reach none."""
        while len(self._found) < n and not self._walked and next(self._more, self) is None:
            pass
        # However many others have asked for since.
        return self._found[: min(n, self._walked or n)]

    def _finds(self, n: int) -> bool:
        """Go on until ``n`` are found; False where they are not."""
        return len(self._found) >= n or any(len(self._found) >= n for _ in self._more)

    def _search(self) -> Iterator[None]:
        """Add to what was found; come back whenever something has been."""
        import numpy as np

        # A fixed seed: what there is does not depend on who asks.
        rng = np.random.default_rng(0)
        diagonal = self._diagonal()
        for start in [*diagonal, *self._base.sample(rng, WALKERS - len(diagonal))]:
            inside = self._descend(start, rng)
            if inside is not None:
                mixed = walk(self._space, inside, rng, MIXING * len(self._space.decisions))
                yield from self._keep(mixed.architecture)
        # Where no walk knows the way in, the ends of the space may still be near to it.
        for start in [] if self._found else diagonal:
            yield from self._near(start)
        yield from self._spread()
        self._walked = len(self._found)
        yield
        for _ in self._blindly(rng):
            yield
            yield from self._spread()

    def _spread(self) -> Iterator[None]:
        """Add what is near to all that was found, and near to that."""
        while self._centres < len(self._found):
            centre = self._found[self._centres]
            self._centres += 1
            yield from self._near(centre)

    def _near(self, centre: Architecture) -> Iterator[None]:
        """Add what differs in one decision, and then in two."""
        decisions = enumerate(self._space.decisions)
        others = [[(d, other) for other in decision.others(centre[d])] for d, decision in decisions]
        pairs = (product(first, second) for first, second in combinations(others, 2))
        for changes in chain(((change,) for change in chain(*others)), chain.from_iterable(pairs)):
            row = list(centre)
            for d, other in changes:
                row[d] = other
            if self._space.is_valid(tuple(row)):
                yield from self._keep(tuple(row))

    def _diagonal(self) -> list[Architecture]:
        """Return starts from the first choice of everything to the last: what is least or greatest in total lies there."""
        lasts = [len(decision.choices) - 1 for decision in self._space.decisions]
        return list(dict.fromkeys(tuple(last * part // DIAGONAL for last in lasts) for part in range(DIAGONAL + 1)))

    def _descend(self, start: Architecture, rng: np.random.Generator) -> Step | None:
        """Walk until inside; None where that does not succeed."""
        here, idle = Step(start, self._space.violation(start)), 0
        while here.violation > 0:
            there = walk(self._space, here, rng, 1)
            idle = 0 if there.violation < here.violation else idle + 1
            if idle > HOPELESS * len(self._space.decisions):
                return None
            here = there
        return here

    def _blindly(self, rng: np.random.Generator) -> Iterator[None]:
        drawn, since = 0, time.monotonic()
        for architecture in self._anywhere(rng):
            drawn += 1
            if self._space.is_valid(architecture):
                for _ in self._keep(architecture):
                    yield
                    drawn, since = 0, time.monotonic()
            if drawn > BLIND or (drawn % BATCH == 0 and time.monotonic() - since > PATIENCE):
                return

    def _anywhere(self, rng: np.random.Generator) -> Iterator[Architecture]:
        if self._base.size <= LISTED:
            rows = list(self._base.everything())
            yield from (rows[i] for i in rng.permutation(len(rows)).tolist())
            return
        listed = self._base.size <= BLIND
        # Blind draws first, though the list is complete: its first ones are all alike.
        for _ in range(BLIND // BATCH // 10 if listed else BLIND):
            yield from self._base.sample(rng, BATCH)
        if listed:
            yield from self._base.everything()

    def _keep(self, architecture: Architecture) -> Iterator[None]:
        """Add it if it is new."""
        key = self._space.canonical(architecture)
        if key not in self._keys:
            self._keys.add(key)
            self._found.append(architecture)
            yield
