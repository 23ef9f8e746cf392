"""Random search without repetition: the baseline that every method must beat (Li and Talwalkar, UAI 2019, 1902.07638)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from optiproxy.metrics import Goal
from optiproxy.optimizer.algorithm import Proposal, Trial
from optiproxy.optimizer.unseen import Known
from optiproxy.spaces import Architecture, Space


@final
class RandomSearch:
    """An `Algorithm` that draws each decision uniformly and never the same network twice.

    Args:
        space: Where to search.
        goal: Not looked at.
        seed: Names the stream of draws.
    """

    def __init__(self, space: Space, goal: Goal, *, seed: int) -> None:  # noqa: ARG002 - the constructor of every algorithm
        self._seed = seed
        self._known = Known(space)
        self._observed = 0

    def observe(self, trials: Sequence[Trial]) -> None:
        """Take note of the trials since the last call."""
        self._known.update(trial.architecture for trial in trials[self._observed :])
        self._observed = len(trials)

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        """Draw up to ``n`` unknown architectures."""
        known = self._known.plus(pending)
        rng = np.random.default_rng([self._seed, len(known)])
        return [Proposal(architecture) for architecture in known.draw(rng, n)]
