"""The differential evolution of DEHB, which is what the package itself recommends where there is one fidelity.

Awad, Mallik and Hutter, IJCAI 2021 (arXiv 2105.09821). The first 20 trials are the population; each later one competes
with the member whose turn it is and takes its place unless it is worse. Mutation rand1, binomial crossover, both factors
0.5, as in the package; a category has one bin of [0, 1] per choice, a number its place on its scale. Each trial has a stream
of offspring of its own, of which the first that is new is taken, out of up to 50; a trial that comes from elsewhere enters
with the middles of its bins.
"""

# pyright: reportMissingImports=false, reportUnknownParameterType=false
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from dehb.optimizers.de import DE
from numpy.typing import NDArray

ASKS = 50
POPULATION = 20

Vector = NDArray[np.float64]


def suggest(question: SimpleNamespace) -> Iterator[list[float]]:
    """Yield offspring for the member whose turn it is, after going through the trials in their order."""
    dimensions = [Dimension(*of) for of in zip(question.counts, question.levels, strict=True)]
    evolution = DE(
        dimensions=len(dimensions),
        pop_size=POPULATION,
        mutation_factor=0.5,
        crossover_prob=0.5,
        strategy="rand1_bin",
        seed=question.seed,
    )
    # Filled by the trials below, not by the package's own random vectors.
    evolution.population = np.empty((0, len(dimensions)))
    fitness: list[float] = []
    for number, (chosen, loss) in enumerate(zip(question.trials, question.loss, strict=True)):
        # Nothing is kept between questions, so the vector behind a trial is found again among the offspring it came from:
        # within the bins of its categories. Of numbers the places are known.
        told = list(zip(dimensions, chosen, strict=True))
        own = (
            vector
            for vector in _offspring(evolution, number, question.seed)
            if all(of.binned(value) in (None, position) for (of, position), value in zip(told, vector, strict=True))
        )
        found = next(own, [None] * len(told))
        vector = np.array([of.place(position, value) for (of, position), value in zip(told, found, strict=True)])
        turn = number % POPULATION
        if number < POPULATION:
            evolution.population = np.vstack([evolution.population, vector])
            fitness.append(loss)
        elif loss <= fitness[turn]:
            evolution.population[turn], fitness[turn] = vector, loss
    for vector in _offspring(evolution, len(question.trials), question.seed):
        yield [of.chosen(value) for of, value in zip(dimensions, vector, strict=True)]


@dataclass(frozen=True)
class Dimension:
    """One decision in the vectors of the evolution, which lie in [0, 1]."""

    count: int | None
    levels: list[float] | None

    def binned(self, value: float) -> int | None:
        """Return the choice of a category in whose bin a value lies; None of a number."""
        if self.count is None or self.levels is not None:
            return None
        # The value 1 belongs to the last bin; the product alone would put it behind.
        return min(int(value * self.count), self.count - 1)

    def chosen(self, value: float) -> float:
        """Return what a value stands for, as it is told: of ordered choices the nearest, of a number the value itself."""
        if self.levels is not None:
            return min(range(len(self.levels)), key=[abs(level - value) for level in self.levels].__getitem__)
        bin_of = self.binned(value)
        return value if bin_of is None else bin_of

    def place(self, chosen: float, value: float | None) -> float:
        """Return the value of what was chosen: of a category the one that is given, or else the middle of its bin."""
        if self.levels is not None:
            return self.levels[int(chosen)]
        if self.count is None:
            return chosen
        return (chosen + 0.5) / self.count if value is None else value


def _offspring(evolution: DE, number: int, seed: int) -> Iterator[Vector]:
    """Yield candidates for the trial of this number, random ones while the population is not full."""
    evolution.rng = np.random.default_rng([seed, number])
    if number < POPULATION:
        yield from evolution.init_population(ASKS)
        return
    target = evolution.population[number % POPULATION]
    for _ in range(ASKS):
        yield evolution.boundary_check(evolution.crossover(target, evolution.mutation(current=target)))
