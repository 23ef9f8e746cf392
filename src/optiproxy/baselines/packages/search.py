"""Any package's optimizer as an `Algorithm` that never proposes an architecture twice."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Protocol, final

import numpy as np

from optiproxy.optimizer.algorithm import Proposal, Trial
from optiproxy.optimizer.seen import Seen
from optiproxy.spaces import Architecture, Space


class Suggester(Protocol):
    """A package's optimizer, seen from here."""

    def observe(self, trials: Sequence[Trial]) -> None:
        """Take note of all finished trials, in their order; called before `suggest`, whenever there are new ones."""
        ...

    def suggest(self, pending: Sequence[Architecture], *, seed: int) -> Generator[Architecture, None, None]:
        """What the package would evaluate next, most wanted first, asked one by one.

        It ends where asking once more would be of little use or cost too much, and depends on nothing but the trials,
        the arguments and the seed of the search.

        Args:
            pending: Still running; a package that has no notion of that passes them over.
            seed: Another one for each proposal.
        """
        ...


@final
class PackageSearch:
    """An `Algorithm`: the first suggestion that is valid and new; else what is near; else what is left.

    Known to a package are the trials, whoever proposed them. What it suggests although the same network is known or
    pending, or no architecture of the space at all, costs no query: the next suggestion is taken. Where the suggestions
    end, the nearest of the `Space.neighbours` of the first of them is, and where these are all known, any unknown
    architecture. Without a decision to take, that is also how the search begins.

    Args:
        space: Where to search.
        suggester: The package.
        seed: Names the streams of random numbers.
    """

    def __init__(self, space: Space, suggester: Suggester, *, seed: int) -> None:
        self._space = space
        self._suggester = suggester
        self._seed = seed
        self._known = Seen(space)
        self._observed = 0

    def observe(self, trials: Sequence[Trial]) -> None:
        """Tell the package."""
        if len(trials) > self._observed:
            self._known.update(trial.architecture for trial in trials[self._observed :])
            self._observed = len(trials)
            self._suggester.observe(trials)

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        """Up to ``n`` unknown architectures, chosen one by one: each is pending for the next."""
        chosen: list[Architecture] = []
        while len(chosen) < n:
            running = [*pending, *chosen]
            found = self._choose(self._known.union(running), running)
            if found is None:
                break
            chosen.append(found)
        return [Proposal(architecture) for architecture in chosen]

    def _choose(self, known: Seen, running: Sequence[Architecture]) -> Architecture | None:
        rng = np.random.default_rng([self._seed, len(known)])
        wanted: Architecture | None = None
        with closing(self._suggester.suggest(running, seed=int(rng.integers(2**31)))) as suggestions:
            for suggestion in suggestions:
                if self._acceptable(suggestion, known):
                    return suggestion
                wanted = suggestion if wanted is None else wanted
        for near in () if wanted is None else self._around(wanted, rng):
            if self._acceptable(near, known):
                return near
        return next(iter(known.draw(rng, 1)), None)

    def _around(self, wanted: Architecture, rng: np.random.Generator) -> list[Architecture]:
        """The neighbours of a wish by the number of decisions in which they differ from it, equals in random order.

        In a pool nearly every wish of a package that knows the decisions alone lies outside, and its neighbours anywhere.
        """
        around = self._space.neighbours(wanted)
        order = rng.permutation(len(around))
        return sorted(
            (around[i] for i in order), key=lambda near: sum(a != b for a, b in zip(near, wanted, strict=True))
        )

    def _acceptable(self, architecture: Architecture, known: Seen) -> bool:
        # Validity may be expensive, so it is asked last.
        return architecture not in known and self._space.is_valid(architecture)
