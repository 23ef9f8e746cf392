"""Regularized (aging) evolution (Real, Aggarwal, Huang and Le, AAAI 2019, arXiv 1802.01548)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from optiproxy.baselines.baseline import Baseline
from optiproxy.baselines.mutation import mutate
from optiproxy.baselines.ranking import excess
from optiproxy.errors import UsageError
from optiproxy.metrics import Goal
from optiproxy.optimizer.algorithm import Proposal, Trial
from optiproxy.optimizer.seen import Seen
from optiproxy.spaces import Architecture, Space

TOURNAMENTS = 100
"""Children tried before one is accepted that differs from its parent in more than one decision."""


@final
class RegularizedEvolution(Baseline):
    """An `Algorithm`: a neighbour (one decision away, in most spaces) of a tournament's winner; the population is the youngest trials.

    Differences from the paper, for the equal terms of a comparison: no network is evaluated twice, and infeasible trials
    rank below feasible ones, by how far they break the limits (Deb's rules, 2000). With several objectives a tournament
    is won by any of its non-dominated members.

    Args:
        space: Where to search.
        goal: Decides tournaments.
        seed: Names the stream of random numbers.
        population: Number of youngest trials that may become parents; the first ``population`` trials are random. The
            default, like that of ``sample``, is the one published for NAS-Bench-201 (arXiv 2001.00326), whose budgets
            are ours; the paper's 100 and 25 were for 20,000 trials.
        sample: Members of each tournament, drawn with replacement.

    Raises:
        UsageError: If ``population`` or ``sample`` is not positive.
    """

    def __init__(self, space: Space, goal: Goal, *, seed: int, population: int = 10, sample: int = 3) -> None:
        if population < 1 or sample < 1:
            raise UsageError(f"Expected a population and a sample of at least 1, got {population} and {sample}.")
        super().__init__(space, goal, seed=seed)
        self._population = population
        self._sample = sample

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        """Breed up to ``n`` unknown children; random ones while the population is not full."""
        known = self._seen.union(pending)
        rng = np.random.default_rng([self._seed, len(known)])
        population = self._trials[-self._population :]
        children: list[Architecture] = []
        while population and len(known) >= self._population and len(children) < n:
            child = self._breed(population, known, rng)
            if child is None:
                break
            children.append(child)
            known.add(child)
        return [Proposal(child) for child in [*children, *known.draw(rng, n - len(children))]]

    def _breed(self, population: Sequence[Trial], known: Seen, rng: np.random.Generator) -> Architecture | None:
        """A valid child that is not known, or None where many tournaments bring none."""
        for _ in range(TOURNAMENTS):
            contestants = [population[i] for i in rng.integers(len(population), size=self._sample)]
            child = mutate(self._space, self._winner(contestants, rng).architecture, rng)
            if child not in known and self._space.is_valid(child):
                return child
        return None

    def _winner(self, contestants: Sequence[Trial], rng: np.random.Generator) -> Trial:
        front = self._goal.front([trial.metrics for trial in contestants])
        if front:
            return contestants[front[rng.integers(len(front))]]
        return min(contestants, key=lambda trial: excess(self._goal, trial.metrics))
