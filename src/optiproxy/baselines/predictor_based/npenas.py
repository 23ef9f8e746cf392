"""NPENAS (Wei, Niu, Tang, Wang, Hu and Liang, TNNLS 2022, arXiv 2003.12857)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from optiproxy.baselines.mutation import mutants
from optiproxy.baselines.predictor_based.rounds import History
from optiproxy.baselines.predictors.graph_networks import Isomorphism
from optiproxy.baselines.predictors.graph_regression import GraphRegression, RegressionConfig
from optiproxy.baselines.predictors.networks import Training
from optiproxy.spaces import Architecture

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class NpenasConfig(RegressionConfig):
    """As published; the candidates are the children of all parents.

    Attributes:
        parents: Best trials that are mutated.
    """

    layers: int = 3
    width: int = 32
    hidden: int = 16
    dropout: float = 0.1
    training: Training = field(
        default_factory=lambda: Training(epochs=300, batch=16, learning_rate=0.005, weight_decay=1e-4)
    )
    candidates: int = 100
    parents: int = 10


@final
class Npenas(GraphRegression[NpenasConfig]):
    """An `Algorithm`: evolution in which each parent has many children and a neural predictor picks those to evaluate.

    The variant NPENAS-NP: a graph isomorphism network, fitted from scratch each round by squared error, ranks the mutants
    of the best trials. Sizes, training, 10 random trials, rounds of 10 and 100 candidates are the published ones.

    Differences, for the equal terms of a comparison: see `RoundSearch` and `ranking.utilities`; targets are standardised,
    so that the output needs no bound in the units of an error rate, and layers are normalised per node, not per batch.
    """

    settings = NpenasConfig
    encoder = Isomorphism

    def _contenders(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        config = self._config
        return mutants(self._space, history.best(config.parents), config.candidates, known=history.known, rng=rng)
