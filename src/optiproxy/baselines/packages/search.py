"""Any package's optimizer as an `Algorithm` that never proposes an architecture twice."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Protocol, final

import numpy as np

from optiproxy.metrics import Goal
from optiproxy.optimizer.algorithm import ObservingAlgorithm, Proposal, Trial
from optiproxy.optimizer.seen import Seen
from optiproxy.spaces import Architecture, Space


class Suggester(Protocol):
    """A package's optimizer, seen from here."""

    def suggest(
        self, trials: Sequence[Trial], pending: Sequence[Architecture], *, seed: int
    ) -> Generator[Architecture, None, None]:
        """Return what the package would evaluate next, most wanted first, asked one by one.

        It ends where asking once more would be of little use or cost too much, and depends on nothing but the arguments
        and the seed of the search.

        Args:
            trials: All that have finished, in their order; from call to call they only grow at their end.
            pending: Still running; a package that has no notion of that passes them over.
            seed: Another one for each proposal.
        """
        ...


@final
class PackageSearch(ObservingAlgorithm):
    """An `Algorithm`: the first suggestion that is valid and new; else what is near; else what is left.

    A package is told of all trials, whoever proposed them. A suggestion costs no query where the same network has been
    evaluated or is pending, or where it is no architecture of the space at all: the next suggestion is taken. Where the
    suggestions end, the nearest of the `Space.neighbours` of the first of them is taken, and where all of these have been
    seen, any new architecture. Without a decision to take, that is also how the search begins.

    Args:
        space: The space to search.
        goal: Objectives and limits.
        seed: Seed of the random numbers.
        suggester: The package, for this space and this goal.
    """

    def __init__(self, space: Space, goal: Goal, *, seed: int, suggester: Suggester) -> None:
        super().__init__(space, goal, seed=seed)
        self._suggester = suggester

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        """Return up to ``n`` new architectures, chosen one by one: each is pending for the next."""
        chosen: list[Architecture] = []
        while len(chosen) < n:
            running = [*pending, *chosen]
            found = self._choose(self._seen.union(running), running)
            if found is None:
                break
            chosen.append(found)
        return [Proposal(architecture) for architecture in chosen]

    def _choose(self, seen: Seen, running: Sequence[Architecture]) -> Architecture | None:
        # Seeded by how much is known, so that a search that is replayed asks and draws the same again.
        rng = np.random.default_rng([self._seed, len(seen)])
        wanted: Architecture | None = None
        suggestions = self._suggester.suggest(self._trials, running, seed=int(rng.integers(2**31)))
        # Closed at once, because a package behind a pipe answers nobody else while its suggestions are open.
        with closing(suggestions):
            for suggestion in suggestions:
                if self._acceptable(suggestion, seen):
                    return suggestion
                wanted = suggestion if wanted is None else wanted
        for near in () if wanted is None else self._around(wanted, rng):
            if self._acceptable(near, seen):
                return near
        # Neither the package nor the surroundings of its suggestion have anything new: any architecture that is left.
        return next(iter(seen.draw(rng, 1)), None)

    def _around(self, wanted: Architecture, rng: np.random.Generator) -> list[Architecture]:
        """Sort the neighbors of a suggestion by the number of decisions that differ, equals in random order.

        In a pool, nearly every suggestion of a package that knows the decisions alone lies outside, and its neighbors may
        be far away.
        """
        # The sort is stable, so that a permutation beforehand puts equally near ones in random order.
        around = self._space.neighbours(wanted)
        order = rng.permutation(len(around))
        return sorted(
            (around[i] for i in order), key=lambda near: sum(a != b for a, b in zip(near, wanted, strict=True))
        )

    def _acceptable(self, architecture: Architecture, seen: Seen) -> bool:
        # Validity may be expensive, so it is asked last.
        return architecture not in seen and self._space.is_valid(architecture)


@final
class OpenDecisions:
    """The decisions of a space that have more than one choice, which are all that a package is given to choose.

    Several packages refuse a parameter with just one choice.

    Args:
        space: The space that has the decisions.

    Attributes:
        decisions: The open ones.
    """

    def __init__(self, space: Space) -> None:
        self._first_choices = tuple(0 for _ in space.decisions)
        self._open = tuple(d for d, decision in enumerate(space.decisions) if len(decision.choices) > 1)
        self.decisions = tuple(space.decisions[d] for d in self._open)

    def choices(self, architecture: Architecture) -> tuple[int, ...]:
        """Return the positions chosen by the open decisions alone."""
        return tuple(architecture[d] for d in self._open)

    def architecture(self, choices: Sequence[int]) -> Architecture:
        """Return the inverse of `choices`."""
        # A decision with one choice is always at position 0, whatever the package was told.
        whole = list(self._first_choices)
        for d, position in zip(self._open, choices, strict=True):
            whole[d] = int(position)
        return tuple(whole)
