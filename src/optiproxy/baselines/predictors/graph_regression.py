"""Rounds in which a graph network is fitted from scratch by squared error: all that several published methods share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar, final

from optiproxy.baselines.predictor_based.rounds import History, RoundConfig, RoundSearch, best_first
from optiproxy.baselines.predictors.graph_networks import (
    Convolutions,
    GraphPredictor,
    Isomorphism,
    fit_by_squares,
    in_parts,
)
from optiproxy.baselines.predictors.networks import Perceptron, Training, torch_stream
from optiproxy.baselines.ranking import Array, standardized
from optiproxy.spaces import Architecture

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True, kw_only=True)
class RegressionConfig(RoundConfig):
    """Sizes of the network; each method has its published ones.

    Attributes:
        layers: Of the encoder.
        width: Units per node.
        hidden: Units of the perceptron on top.
        dropout: As the encoder has it.
        training: Of both.
        candidates: Among which a round chooses.
    """

    layers: int
    width: int
    hidden: int
    dropout: float
    training: Training
    candidates: int


Config = TypeVar("Config", bound=RegressionConfig)


class GraphRegression(RoundSearch[Config]):
    """An `Algorithm`: each round fits a graph network to all trials, standardised, and ranks candidates by its prediction.

    Subclasses name their `settings` and `encoder` and say which candidates a round has.
    """

    encoder: ClassVar[type[Convolutions | Isomorphism]]

    @abstractmethod
    def _contenders(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        """What is ranked in a round; a function of the arguments."""

    @final
    def _rank(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        contenders = self._contenders(history, rng)
        network = self._fit(history, torch_stream(rng))

        def predict(architectures: Sequence[Architecture]) -> Array:
            return in_parts(network, self._graphs(architectures))[:, 0]

        return best_first(contenders, predict)

    def _fit(self, history: History, generator: torch.Generator) -> GraphPredictor:
        config = self._config
        graphs = self._graphs(history.architectures)
        encoder = self.encoder(
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
