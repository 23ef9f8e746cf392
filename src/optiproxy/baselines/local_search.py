"""Local search (White, Nolen and Savani, UAI 2021, arXiv 2005.02960)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from optiproxy.baselines.ranking import utilities
from optiproxy.metrics import Goal
from optiproxy.optimizer.algorithm import Proposal, Trial
from optiproxy.optimizer.unseen import Known
from optiproxy.spaces import Architecture, Space


@final
class LocalSearch:
    """An `Algorithm`: evaluate all neighbours of an architecture, move to the best if it is better, else start afresh.

    The paper's algorithm 1, from one random start; at a local optimum another random start follows. Each proposal retraces
    the walks through all trials, so that a search that was interrupted goes on where it was.

    Differences, for the equal terms of a comparison: see `ranking.utilities`. Neighbours are evaluated in random order,
    none twice. While the last neighbours of a walk are pending, the next walk's start is proposed.

    Args:
        space: Where to search.
        goal: What is good. Several objectives are weighed by a preference drawn once.
        seed: Names the stream of random numbers.
    """

    def __init__(self, space: Space, goal: Goal, *, seed: int) -> None:
        self._space = space
        self._goal = goal
        self._seed = seed
        self._preference = np.random.default_rng([seed, 0, 1]).dirichlet(np.ones(len(goal.objectives)))
        self._around: dict[Architecture, list[Architecture]] = {}
        self._known = Known(space)
        self._trials: Sequence[Trial] = ()

    def observe(self, trials: Sequence[Trial]) -> None:
        """Take note of the trials since the last call."""
        self._known.update(trial.architecture for trial in trials[len(self._trials) :])
        self._trials = tuple(trials)

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        """Up to ``n`` neighbours that the walk has not seen, then random starts."""
        known = self._known.plus(pending)
        rng = np.random.default_rng([self._seed, len(known)])
        found = known.fresh(self._unseen())[:n]
        found += known.plus(found).draw(rng, n - len(found))
        return [Proposal(architecture) for architecture in found]

    def _unseen(self) -> Sequence[Architecture]:
        """The neighbours still to be evaluated where the first unfinished walk is; none if all have ended."""
        values = utilities(self._goal, [trial.metrics for trial in self._trials], self._preference)
        reached: dict[Architecture, float] = {}
        for trial, value in zip(self._trials, values, strict=True):
            reached.setdefault(self._space.canonical(trial.architecture), float(value))
        visited: set[Architecture] = set()
        for start in reached:
            if start in visited:
                continue  # found on an earlier walk
            here = start
            while True:
                around = self._neighbours(here)
                visited.update((here, *around))
                unseen = [n for n in around if n not in reached]
                if unseen:
                    return unseen
                best = max(around, key=lambda n: reached[n], default=here)
                if reached[best] <= reached[here]:
                    break
                here = best
        return ()

    def _neighbours(self, architecture: Architecture) -> list[Architecture]:
        """Its valid neighbours, no two isomorphic, in random order, the same at each call."""
        if architecture not in self._around:
            rng = np.random.default_rng([self._seed, *architecture])
            around = Known(self._space, [architecture]).fresh(self._space.neighbours(architecture))
            valid = [self._space.canonical(n) for n in around if self._space.is_valid(n)]
            self._around[architecture] = [valid[i] for i in rng.permutation(len(valid))]
        return self._around[architecture]
