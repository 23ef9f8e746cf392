"""The neural predictor (Wen, Liu, Chen, Li, Bender and Kindermans, ECCV 2020, arXiv 1912.00848)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from optiproxy.baselines.mutation import pool
from optiproxy.baselines.predictor_based.rounds import Doubling, History, Schedule
from optiproxy.baselines.predictors.graph_networks import Convolutions
from optiproxy.baselines.predictors.graph_regression import GraphRegression, RegressionConfig
from optiproxy.baselines.predictors.networks import Training
from optiproxy.spaces import Architecture

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class NeuralPredictorConfig(RegressionConfig):
    """As published but for the candidates: random, the whole space where it is small; the paper ranks many more.

    Attributes:
        schedule: After 20 random trials and whenever their number has doubled.
    """

    layers: int = 3
    width: int = 144
    hidden: int = 128
    dropout: float = 0.1
    training: Training = field(
        default_factory=lambda: Training(epochs=300, batch=10, learning_rate=1e-4, weight_decay=1e-3)
    )
    candidates: int = 10_000
    schedule: Schedule = field(default_factory=Doubling)


@final
class NeuralPredictor(GraphRegression[NeuralPredictorConfig]):
    """An `Algorithm`: train a graph convolutional network on random trials, then evaluate the best of its predictions.

    Sizes and training are the published ones. The paper trains once, on 172 random architectures, and leaves open how a
    budget is to be split between the random ones and the best predicted. No algorithm here knows its budget, so it comes
    in stages: 20 random trials, then the predictor is trained anew whenever the number of trials has doubled.

    Differences, for the equal terms of a comparison: see `RoundSearch` and `ranking.utilities`; targets are standardised;
    the classifier that sorts out failing networks first, which the paper uses on one space, is left out.
    """

    settings = NeuralPredictorConfig
    encoder = Convolutions

    def _contenders(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        return pool(self._space, self._config.candidates, known=history.known, rng=rng)
