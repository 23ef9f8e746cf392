"""The differential evolution of DEHB, which is what the package itself recommends where there is one fidelity.

Awad, Mallik and Hutter, IJCAI 2021 (arXiv 2105.09821). The first 20 trials are the population; each later one competes
with the member whose turn it is and takes its place unless it is worse. Mutation rand1, binomial crossover, both factors
0.5, one bin of [0, 1] per choice, as in the package. Each trial has a stream of offspring of its own, of which the first
that is new is taken, out of up to 50; a trial that comes from elsewhere enters with the middles of its bins.
"""

# pyright: reportMissingImports=false, reportUnknownParameterType=false
from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
from dehb.optimizers.de import DE
from numpy.typing import NDArray

ASKS = 50
POPULATION = 20

Vector = NDArray[np.float64]


def suggest(question: SimpleNamespace) -> Iterator[list[int]]:
    """Yield offspring for the member whose turn it is, after going through the trials in their order."""
    counts = np.array(question.counts)
    evolution = DE(
        dimensions=len(counts),
        pop_size=POPULATION,
        mutation_factor=0.5,
        crossover_prob=0.5,
        strategy="rand1_bin",
        seed=question.seed,
    )
    # Filled by the trials below, not by the package's own random vectors.
    evolution.population = np.empty((0, len(counts)))
    fitness: list[float] = []
    for number, (chosen, loss) in enumerate(zip(question.trials, question.loss, strict=True)):
        # Nothing is kept between questions, so the vector behind a trial is found again among the offspring it came from.
        own = (vector for vector in _offspring(evolution, number, question.seed) if _bins(vector, counts) == chosen)
        vector = next(own, (np.array(chosen) + 0.5) / counts)
        turn = number % POPULATION
        if number < POPULATION:
            evolution.population = np.vstack([evolution.population, vector])
            fitness.append(loss)
        elif loss <= fitness[turn]:
            evolution.population[turn], fitness[turn] = vector, loss
    for vector in _offspring(evolution, len(question.trials), question.seed):
        yield _bins(vector, counts)


def _offspring(evolution: DE, number: int, seed: int) -> Iterator[Vector]:
    """Yield candidates for the trial of this number, random ones while the population is not full."""
    evolution.rng = np.random.default_rng([seed, number])
    if number < POPULATION:
        yield from evolution.init_population(ASKS)
        return
    target = evolution.population[number % POPULATION]
    for _ in range(ASKS):
        yield evolution.boundary_check(evolution.crossover(target, evolution.mutation(current=target)))


def _bins(vector: Vector, counts: NDArray[np.int64]) -> list[int]:
    # The value 1 belongs to the last bin; the product alone would put it behind.
    return np.minimum(vector * counts, counts - 1).astype(int).tolist()
