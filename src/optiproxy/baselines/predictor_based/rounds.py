"""The loop of every baseline that learns a predictor: random trials, then rounds of fitting, ranking and evaluating.

`RoundSearch` is the loop. The functions behind it give what a round chooses from, mutants of good trials or random
architectures, and rank it by an acquisition function.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Generic, TypeVar, final

import numpy as np

from optiproxy.baselines.baseline import Array, Baseline
from optiproxy.metrics import Goal, Metrics
from optiproxy.optimizer.parts import Schedule
from optiproxy.optimizer.schedule import Batches
from optiproxy.optimizer.seen import Seen
from optiproxy.spaces import Architecture, Space

if TYPE_CHECKING:
    from optiproxy.spaces import GraphBatch


WHOLE = 25_000
"""Largest `Space.size` that is ranked as a whole where a method ranks all of its space."""


@dataclass(frozen=True, kw_only=True)
class RoundConfig:
    """Settings of a search in rounds.

    Attributes:
        schedule: When the predictor is fitted; unless a subclass says otherwise, after 10 random trials and every 10.
    """

    schedule: Schedule = field(default_factory=Batches)


Config = TypeVar("Config", bound=RoundConfig)


@dataclass(frozen=True)
class History:
    """The ``n`` trials that a round starts from.

    Attributes:
        architectures: Their architectures in canonical form.
        metrics: What was measured of each.
        utilities: ``(n,)``, larger = better, see `scalarized_utilities`.
        seen: The same architectures as a set.
    """

    architectures: tuple[Architecture, ...]
    metrics: tuple[Metrics, ...]
    utilities: Array
    seen: Seen

    @property
    def informative(self) -> bool:
        """Whether there is anything to learn: not while all trials are equally good, or equally failed."""
        return bool(np.ptp(self.utilities) > 0)

    def best(self, k: int) -> list[Architecture]:
        """Return the ``k`` best different architectures, best first."""
        # Stable, so that equal trials stay in the order in which they finished, and a replay sees the same.
        order = np.argsort(-self.utilities, kind="stable")
        return list(dict.fromkeys(self.architectures[i] for i in order))[:k]


class RoundSearch(Baseline, ABC, Generic[Config]):
    """An `Algorithm` that ranks candidates once per round and proposes them from the top.

    Each round depends on the trials that it starts from and on nothing that finishes during it. So the published batches
    are kept even where one proposal is asked for at a time, the search is the same after a replay, and a fit is paid once
    per round. What has been evaluated meanwhile is passed over. Random architectures follow where a ranking has been used
    up or nothing could be learned.

    Subclasses name their `settings` and implement `_rank`, the method proper.

    Args:
        space: The space to search.
        goal: Objectives and limits.
        seed: Seed of the random numbers.
        config: Sizes and schedule; None takes the published ones, or what the settings say instead.
    """

    settings: type[Config]

    def __init__(self, space: Space, goal: Goal, *, seed: int, config: Config | None = None) -> None:
        super().__init__(space, goal, seed=seed)
        self._config: Config = self.settings() if config is None else config
        self._ranking: tuple[int, Sequence[Architecture]] = (0, ())

    @abstractmethod
    def _rank(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        """Return candidates for the queries of a round, best first, not yet checked for validity.

        Called once per round, with a history that is `informative`. Its result depends on the arguments alone.
        """

    @final
    def _candidates(self, rng: np.random.Generator) -> Sequence[Architecture]:  # noqa: ARG002 - a round draws its own
        """Return the ranking of the round going on, kept until the round is over; nothing before the first."""
        rounds = self._config.schedule.rounds(len(self._trials), (), 1)
        if not rounds:
            return ()
        # Unlike those of `OptiProxy`, a round does not go on from the one before, so only the last one is ranked.
        start = rounds[-1].trials
        if self._ranking[0] != start:
            history = self._history(start)
            # Without differences between the trials there is nothing to fit: the round consists of random trials.
            self._ranking = (start, self._rank(history, self._stream(start)) if history.informative else ())
        return self._ranking[1]

    def _history(self, start: int) -> History:
        """Return the first ``start`` trials, under a preference among objectives that is drawn for this round."""
        trials = self._trials[:start]
        architectures = tuple(self._space.canonical(trial.architecture) for trial in trials)
        metrics = tuple(trial.metrics for trial in trials)
        return History(architectures, metrics, self._utilities(trials, drawn=start), Seen(self._space, architectures))

    def _stream(self, start: int) -> np.random.Generator:
        """Return the random numbers of the round that starts with so many trials."""
        # The 0 keeps this stream apart from that of the preference, which ends in 1.
        return np.random.default_rng([self._seed, start, 0])

    def _graphs(self, architectures: Sequence[Architecture]) -> GraphBatch:
        """Return the ``b`` architectures as graphs."""
        return self._space.encode(self._space.one_hot(architectures))


def mutants(
    space: Space, parents: Sequence[Architecture], n: int, *, seen: Seen, rng: np.random.Generator
) -> list[Architecture]:
    """Return up to ``n`` new neighbors of the parents in canonical form, no two isomorphic; not checked for validity.

    The parents take turns, each giving its neighbors in random order, so that all have about as many children. Where the
    neighbors run out, those of the children follow.
    """
    found = seen.unseen(_children(space, parents, rng))
    # One generation after the other, so that what is nearest to the parents comes first.
    generation = found
    while generation and len(found) < n:
        # At most n parents, because the children of all of them would be many more than are wanted.
        generation = seen.union(found).unseen(_children(space, generation[:n], rng))
        found = [*found, *generation]
    return found[:n]


def pool(space: Space, n: int, *, seen: Seen, rng: np.random.Generator) -> list[Architecture]:
    """Return all new architectures of an enumerable space of up to `WHOLE` combinations, else those among ``n`` random ones.

    In canonical form, no two isomorphic; limits that are expensive to check are not checked yet.
    """
    # Ranked as a whole, a small space loses none of its best to chance.
    members = space.everything() if space.enumerable(WHOLE) else space.examples(rng, n)
    return seen.unseen(map(space.canonical, members))


def best_first(
    candidates: Sequence[Architecture], acquisition: Callable[[Sequence[Architecture]], Array]
) -> list[Architecture]:
    """Sort ``b`` candidates by falling acquisition function, which gives ``(b,)`` values; equal ones keep their order."""
    if not candidates:
        return []
    return [candidates[i] for i in np.argsort(-acquisition(candidates), kind="stable")]


def _children(space: Space, parents: Sequence[Architecture], rng: np.random.Generator) -> list[Architecture]:
    broods = [space.neighbours(parent) for parent in parents]
    shuffled = [[brood[i] for i in rng.permutation(len(brood))] for brood in broods]
    # One child of each parent after the other; a parent with few neighbors has None where its turn comes.
    turns = chain.from_iterable(zip_longest(*shuffled))
    return [space.canonical(child) for child in turns if child is not None]
