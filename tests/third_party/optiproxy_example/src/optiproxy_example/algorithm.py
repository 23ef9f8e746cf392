"""An algorithm: first what is near the best so far, then random architectures.

Any class that is made as ``(space, goal, seed=...)`` and has the two methods below is an algorithm; there is nothing to
inherit. It proposes the same for the same trials, pending architectures and seed, however often it is asked, so that an
interrupted search goes on as if nothing had happened: randomness comes from the seed and from what is known by then.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optiproxy.metrics import Goal
from optiproxy.optimizer import Proposal, Trial
from optiproxy.optimizer.seen import Seen
from optiproxy.spaces import Architecture, Space


class NearTheBest:
    """Local search around all incumbents: the best trial, or the Pareto front where there are several objectives."""

    def __init__(self, space: Space, goal: Goal, *, seed: int) -> None:
        self._space = space
        self._goal = goal
        self._seed = seed
        self._trials: Sequence[Trial] = ()

    def observe(self, trials: Sequence[Trial]) -> None:
        """Take note of all finished trials; called before each `propose` with the whole history."""
        self._trials = tuple(trials)

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        """Up to ``n`` new architectures, best first; fewer only where no more are left."""
        # A set in which isomorphic architectures are one: no network is proposed twice.
        seen = Seen(self._space, [*(trial.architecture for trial in self._trials), *pending])
        rng = np.random.default_rng([self._seed, len(seen)])
        incumbents = self._goal.front([trial.metrics for trial in self._trials])
        near = [x for i in incumbents for x in self._space.neighbours(self._trials[i].architecture)]
        valid = [near[i] for i in rng.permutation(len(near)) if self._space.is_valid(near[i])]
        chosen = seen.unseen(valid)[:n]
        more = seen.union(chosen).draw(rng, n - len(chosen))
        return [Proposal(architecture) for architecture in (*chosen, *more)]
