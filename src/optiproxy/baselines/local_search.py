"""Local search (White, Nolen and Savani, UAI 2021, arXiv 2005.02960)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from optiproxy.baselines.baseline import Baseline
from optiproxy.metrics import Goal
from optiproxy.optimizer.seen import Seen
from optiproxy.spaces import Architecture, Space


@final
class LocalSearch(Baseline):
    """An `Algorithm`: hill climbing; from the best of some random trials to any better neighbor, and at a local optimum anew.

    Published: algorithm 1 of the paper starts from one random architecture and evaluates all of its neighbors before it
    moves to the best of them. In large spaces that is more than a budget. Ten random trials before each walk, and the move
    at the first improvement, are the defaults of the authors' later release (naszilla); both were measured
    (docs/decisions/baselines.md).

    Differences, for the equal terms of a comparison: utilities are those of `scalarized_utilities`. Neighbors are
    evaluated in random order and none twice; one that an earlier walk has evaluated counts. While the last neighbors of
    a walk are pending, random trials of the next walk are proposed.

    Args:
        space: The space to search.
        goal: Objectives and limits. Several objectives are weighed by a preference drawn once.
        seed: Seed of the random numbers.
        starts: Random trials before each walk.
    """

    def __init__(self, space: Space, goal: Goal, *, seed: int, starts: int = 10) -> None:
        super().__init__(space, goal, seed=seed)
        self._starts = starts
        self._neighborhoods: dict[Architecture, list[Architecture]] = {}

    def _candidates(self, rng: np.random.Generator) -> Sequence[Architecture]:  # noqa: ARG002 - a walk draws nothing
        """Return the neighbors that the first unfinished walk has yet to evaluate; none if it has yet to begin."""
        # All walks are retraced from the trials at each proposal: so no state has to be stored with a study, and a
        # search that was interrupted goes on where it was.
        utility: dict[Architecture, float] = {}
        for trial, value in zip(self._trials, self._utilities(self._trials), strict=True):
            utility.setdefault(self._space.canonical(trial.architecture), float(value))
        visited: set[Architecture] = set()
        # Trials that no walk has passed were drawn at random; the next walk begins at the best of as many as it needs.
        while len(drawn := [a for a in utility if a not in visited][: self._starts]) == self._starts:
            visited.update(drawn)
            here = max(drawn, key=lambda a: utility[a])
            while True:
                neighbors = self._neighbors(here)
                visited.update(neighbors)
                better = next((a for a in neighbors if utility.get(a, -np.inf) > utility[here]), None)
                if better is not None:
                    here = better
                elif unseen := [a for a in neighbors if a not in utility]:
                    return unseen
                else:
                    break  # a local optimum: all neighbors were evaluated and none is better
        return ()

    def _neighbors(self, architecture: Architecture) -> list[Architecture]:
        """Return its valid neighbors, no two isomorphic, in a random order that is the same at each call."""
        if architecture not in self._neighborhoods:
            rng = np.random.default_rng([self._seed, *architecture])
            around = Seen(self._space, [architecture]).unseen(self._space.neighbours(architecture))
            valid = [self._space.canonical(a) for a in around if self._space.is_valid(a)]
            self._neighborhoods[architecture] = [valid[i] for i in rng.permutation(len(valid))]
        return self._neighborhoods[architecture]
