"""What every algorithm begins with that looks at all its trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from optiproxy.metrics import Goal
from optiproxy.optimizer.algorithm import Trial
from optiproxy.optimizer.seen import Seen
from optiproxy.spaces import Space


class Remembering:
    """The half of an `Algorithm` that observes: it keeps the trials and knows their architectures.

    Args:
        space: Where to search.
        goal: What is good.
        seed: Names all streams of random numbers.
    """

    def __init__(self, space: Space, goal: Goal, *, seed: int) -> None:
        self._space = space
        self._goal = goal
        self._seed = seed
        self._seen = Seen(space)
        self._trials: Sequence[Trial] = ()

    @final
    def observe(self, trials: Sequence[Trial]) -> None:
        """Take note of the trials since the last call."""
        self._seen.update(trial.architecture for trial in trials[len(self._trials) :])
        self._trials = tuple(trials)
