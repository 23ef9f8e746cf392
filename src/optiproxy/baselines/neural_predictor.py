"""The neural predictor (Wen, Liu, Chen, Li, Bender and Kindermans, ECCV 2020, arXiv 1912.00848)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from optiproxy.baselines.graph_networks import Convolutions, GraphPredictor, fit_by_squares, in_parts
from optiproxy.baselines.mutation import pool
from optiproxy.baselines.networks import Perceptron, Training
from optiproxy.baselines.ranking import Array, standardized
from optiproxy.baselines.rounds import Doubling, History, RoundConfig, RoundSearch, Schedule, best_first, torch_stream
from optiproxy.spaces import Architecture

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True, kw_only=True)
class NeuralPredictorConfig(RoundConfig):
    """As published but for the candidates, of which the paper ranks many more.

    Attributes:
        layers: Graph convolutions.
        width: Units per node.
        hidden: Units of the perceptron on top.
        dropout: Share of units dropped after each convolution.
        training: Of the predictor.
        candidates: Random architectures that are ranked, where the space is too large to be ranked as a whole.
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
class NeuralPredictor(RoundSearch[NeuralPredictorConfig]):
    """An `Algorithm`: train a graph convolutional network on random trials, then evaluate the best of its predictions.

    Sizes and training are the published ones. The paper trains once, on 172 random architectures, and leaves open how a
    budget is to be split between the random ones and the best predicted. No algorithm here knows its budget, so it comes
    in stages: 20 random trials, then the predictor is trained anew whenever the number of trials has doubled.

    Differences, for the equal terms of a comparison: see `RoundSearch` and `ranking.utilities`; targets are standardised;
    the classifier that sorts out failing networks first, which the paper uses on one space, is left out.
    """

    settings = NeuralPredictorConfig

    def _rank(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        candidates = pool(self._space, self._config.candidates, known=history.known, rng=rng)
        network = self._fit(history, torch_stream(rng))

        def predict(architectures: Sequence[Architecture]) -> Array:
            return in_parts(network, self._graphs(architectures))[:, 0]

        return best_first(candidates, predict)

    def _fit(self, history: History, generator: torch.Generator) -> GraphPredictor:
        config = self._config
        graphs = self._graphs(history.architectures)
        encoder = Convolutions(
            graphs.operations.shape[2],
            width=config.width,
            layers=config.layers,
            rate=config.dropout,
            generator=generator,
        )
        network = GraphPredictor(encoder, Perceptron([config.width, config.hidden, 1], generator=generator))

        values = standardized(history.utilities)
        fit_by_squares(network, graphs, values, training=config.training, generator=generator)
        return network
