"""Regularized (aging) evolution (Real, Aggarwal, Huang and Le, AAAI 2019, arXiv 1802.01548)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from optiproxy.baselines.baseline import constraint_violation
from optiproxy.errors import UsageError
from optiproxy.metrics import Goal
from optiproxy.optimizer.algorithm import ObservingAlgorithm, Proposal, Trial
from optiproxy.optimizer.seen import Seen
from optiproxy.spaces import Architecture, Space

TOURNAMENTS = 100
"""Tournaments held for one child before random draws take over, where the population has hardly any new neighbor."""


@final
class RegularizedEvolution(ObservingAlgorithm):
    """An `Algorithm`: tournament selection and mutation, in a population of the youngest trials.

    Published: algorithm 1 of the paper. The population is a queue: each child is a mutant of the winner of a tournament,
    and the oldest member dies, however good it is. A mutant is a neighbor of its parent, which in most spaces differs in
    one decision.

    Differences, for the equal terms of a comparison: no architecture is evaluated twice, and infeasible trials rank below
    feasible ones, by how far they break the limits (Deb's rules, 2000). With several objectives a tournament is won by
    any of its non-dominated members.

    Args:
        space: The space to search.
        goal: Objectives and limits, which decide tournaments.
        seed: Seed of the random numbers.
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
        """Breed up to ``n`` new children; random architectures while the population is not full."""
        seen = self._seen.union(pending)
        rng = np.random.default_rng([self._seed, len(seen)])
        # Aging: trials are in the order in which they finished, so the last ones are the youngest.
        population = self._trials[-self._population :]
        children: list[Architecture] = []
        while population and len(seen) >= self._population and len(children) < n:
            child = self._breed(population, seen, rng)
            if child is None:
                break
            children.append(child)
            # Its siblings must differ from it.
            seen.add(child)
        return [Proposal(child) for child in [*children, *seen.draw(rng, n - len(children))]]

    def _breed(self, population: Sequence[Trial], seen: Seen, rng: np.random.Generator) -> Architecture | None:
        """Return a valid child that has not been seen, or None where many tournaments bring none."""
        for _ in range(TOURNAMENTS):
            # Drawn with replacement, as in the paper.
            contestants = [population[i] for i in rng.integers(len(population), size=self._sample)]
            child = mutate(self._space, self._winner(contestants, rng).architecture, rng)
            if child not in seen and self._space.is_valid(child):
                return child
        return None

    def _winner(self, contestants: Sequence[Trial], rng: np.random.Generator) -> Trial:
        # Feasible contestants first; with one objective the front is the best of them alone.
        front = self._goal.front([trial.metrics for trial in contestants])
        if front:
            return contestants[front[rng.integers(len(front))]]
        return min(contestants, key=lambda trial: constraint_violation(self._goal, trial.metrics))


def mutate(space: Space, parent: Architecture, rng: np.random.Generator) -> Architecture:
    """Return a neighbor, all equally likely; the parent itself where it has none.

    Where it differs in a number with many values, that is drawn anew: the paper takes a new value at random, not a near one.
    """
    neighbors = space.neighbours(parent)
    if not neighbors:
        return parent
    child = list(neighbors[rng.integers(len(neighbors))])
    for d, scale in space.points.items():
        if child[d] != parent[d]:
            child[d] = scale.at(rng.random())
    return tuple(child)
