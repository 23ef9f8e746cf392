"""The contract of every search algorithm, ours and the baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, final

from optiproxy.metrics import Goal, Metrics
from optiproxy.optimizer.seen import Seen
from optiproxy.spaces import Architecture, Space

LEVEL = 0.9
"""Probability with which a measured value is to lie within the interval that was predicted of it."""


@dataclass(frozen=True)
class Trial:
    """One finished query. A training that failed is a query too: its ``metrics`` are empty.

    Attributes:
        architecture: What was evaluated.
        metrics: What was measured; a metric that is absent or NaN counts as infeasible.
    """

    architecture: Architecture
    metrics: Metrics = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class Proposal:
    """What to evaluate next.

    Attributes:
        architecture: A valid member of the space.
        predicted: Metric name -> value expected by the algorithm's model, in the metric's unit; empty where it has none.
        intervals: Metric name -> the bounds, in the metric's unit, between which the measured value is to lie with
            probability `LEVEL`; empty where the model knows no uncertainty.
    """

    architecture: Architecture
    predicted: Metrics = field(default_factory=dict[str, float])
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])


class Algorithm(Protocol):
    """Proposes what to evaluate next from what has been evaluated.

    An algorithm is built for one space, one goal and one seed. It reaches no benchmark, no evaluator and no storage,
    and what it proposes depends on nothing but these three, the trials observed and the pending architectures: a search
    that was interrupted and replayed goes on exactly as if it had not been.
    """

    def observe(self, trials: Sequence[Trial]) -> None:
        """Take note of all finished trials, in the order in which they finished.

        Called before each `propose` with the whole history, which only ever grows at its end.
        """
        ...

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        """Choose up to ``n`` valid architectures to evaluate next.

        Args:
            n: How many are wanted, at least one.
            pending: Proposed earlier and still running.

        Returns:
            Best first. No two are isomorphic to each other, to a finished or to a pending architecture. Fewer than
            ``n``, even none, when no further ones are left.
        """
        ...


class AlgorithmFactory(Protocol):
    """Builds an algorithm; the class of an algorithm usually is one."""

    def __call__(self, space: Space, goal: Goal, *, seed: int) -> Algorithm: ...


class ObservingAlgorithm:
    """The half of an `Algorithm` that observes: it keeps the trials and the set of architectures seen; `propose` is left.

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
        new = trials[len(self._trials) :]
        self._seen.update(trial.architecture for trial in new)
        self._trials = (*self._trials, *map(self._read, new))

    def _read(self, trial: Trial) -> Trial:
        """Return a trial as the method is to see it."""
        return trial
