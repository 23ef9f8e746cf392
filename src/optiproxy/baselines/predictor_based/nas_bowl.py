"""NAS-BOWL (Ru, Wan, Dong and Osborne, ICLR 2021, arXiv 2006.07556)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from scipy.special import ndtr

from optiproxy.baselines.mutation import mutants
from optiproxy.baselines.predictor_based.rounds import Batches, History, RoundConfig, RoundSearch, Schedule, best_first
from optiproxy.baselines.predictors.bayesian_linear import BayesianLinear
from optiproxy.baselines.predictors.wl_features import features, histograms
from optiproxy.baselines.ranking import Array, standardized
from optiproxy.spaces import Architecture


@dataclass(frozen=True, kw_only=True)
class NasBowlConfig(RoundConfig):
    """As published.

    Attributes:
        depths: Numbers of Weisfeiler-Lehman iterations, of which the likeliest is taken.
        parents: Best trials that are mutated.
        candidates: Architectures among which a round chooses; one half are mutants, the other half random.
        schedule: After 10 random trials and every 5.
    """

    depths: tuple[int, ...] = (0, 1, 2)
    parents: int = 10
    candidates: int = 200
    schedule: Schedule = field(default_factory=lambda: Batches(10, 5))


@final
class NasBowl(RoundSearch[NasBowlConfig]):
    """An `Algorithm`: a Gaussian process with a Weisfeiler-Lehman graph kernel, expected improvement, mutated candidates.

    The kernel, the choice of its depth and of the noise by marginal likelihood, 10 random trials and rounds of 5 are the
    published ones. The paper models the logarithm of the validation error. Where any metric may be the objective there
    is no error whose logarithm could be taken; here it is the logarithm of the distance to the best trial, in medians of
    that distance, which tells the good ones apart in the same way and lets no failure dominate.

    Further differences, for the equal terms of a comparison: see `RoundSearch` and `ranking.utilities`.
    """

    settings = NasBowlConfig

    def _rank(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        config = self._config
        half = config.candidates // 2
        near = mutants(self._space, history.best(config.parents), half, known=history.known, rng=rng)
        anywhere = map(self._space.canonical, self._space.examples(rng, config.candidates - half))
        candidates = history.known.unseen([*near, *anywhere])
        gaps = history.utilities.max() - history.utilities
        targets = standardized(-np.log1p(gaps / np.median(gaps[gaps > 0])))
        trials = histograms(self._graphs(history.architectures), max(config.depths))
        processes: dict[int, BayesianLinear] = {}
        vocabularies: dict[int, dict[Hashable, int]] = {}
        for depth in config.depths:
            counted = [found[depth] for found in trials]
            vocabularies[depth] = {label: i for i, label in enumerate(dict.fromkeys(x for h in counted for x in h))}
            processes[depth] = BayesianLinear.fit(features(counted, vocabularies[depth]), targets)
        depth = max(config.depths, key=lambda d: processes[d].evidence)

        def improvement(architectures: Sequence[Architecture]) -> Array:
            counted = [found[depth] for found in histograms(self._graphs(architectures), depth)]
            mean, spread = processes[depth](features(counted, vocabularies[depth]))
            return expected_improvement(mean, spread, float(targets.max()))

        return best_first(candidates, improvement)


def expected_improvement(mean: Array, spread: Array, best: float) -> Array:
    """``E max(y - best, 0)`` of normal ``y`` (Jones, Schonlau and Welch 1998)."""
    z = (mean - best) / spread
    return spread * (z * ndtr(z) + np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi))
