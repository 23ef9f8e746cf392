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
    """An `Algorithm`: from the best of some random trials, move to any better neighbour; where none is better, start afresh.

    Ten random trials before each walk and the move at the first improvement are the defaults of the authors' later release
    (naszilla). The paper's algorithm 1 starts from one and evaluates all neighbours before it moves, which in large spaces
    is more than a budget. Each proposal retraces the walks through all trials, so that a search that was interrupted goes
    on where it was.

    Differences, for the equal terms of a comparison: see `ranking.utilities`. Neighbours are evaluated in random order,
    none twice; one that an earlier walk has evaluated counts. While the last neighbours of a walk are pending, random
    trials of the next one are proposed.

    Args:
        space: Where to search.
        goal: What is good. Several objectives are weighed by a preference drawn once.
        seed: Names the stream of random numbers.
        starts: Random trials before each walk.
    """

    def __init__(self, space: Space, goal: Goal, *, seed: int, starts: int = 10) -> None:
        super().__init__(space, goal, seed=seed)
        self._starts = starts
        self._around: dict[Architecture, list[Architecture]] = {}

    def _candidates(self, rng: np.random.Generator) -> Sequence[Architecture]:  # noqa: ARG002 - a walk draws nothing
        """The neighbours still to be evaluated where the first unfinished walk is; none if it has yet to begin."""
        values = self._utilities(self._trials)
        reached: dict[Architecture, float] = {}
        for trial, value in zip(self._trials, values, strict=True):
            reached.setdefault(self._space.canonical(trial.architecture), float(value))
        visited: set[Architecture] = set()
        while len(drawn := [a for a in reached if a not in visited][: self._starts]) == self._starts:
            visited.update(drawn)
            here = max(drawn, key=lambda a: reached[a])
            while True:
                around = self._neighbours(here)
                visited.update(around)
                better = next((n for n in around if reached.get(n, -np.inf) > reached[here]), None)
                if better is not None:
                    here = better
                elif unseen := [n for n in around if n not in reached]:
                    return unseen
                else:
                    break
        return ()

    def _neighbours(self, architecture: Architecture) -> list[Architecture]:
        """Its valid neighbours, no two isomorphic, in random order, the same at each call."""
        if architecture not in self._around:
            rng = np.random.default_rng([self._seed, *architecture])
            around = Seen(self._space, [architecture]).unseen(self._space.neighbours(architecture))
            valid = [self._space.canonical(n) for n in around if self._space.is_valid(n)]
            self._around[architecture] = [valid[i] for i in rng.permutation(len(valid))]
        return self._around[architecture]
