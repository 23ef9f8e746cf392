"""The neural predictor (Wen, Liu, Chen, Li, Bender and Kindermans, ECCV 2020, arXiv 1912.00848)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from optiproxy.baselines.predictor_based.regression import fitted_by_squares
from optiproxy.baselines.predictor_based.rounds import History, RoundConfig, RoundSearch, best_first, pool
from optiproxy.errors import UsageError
from optiproxy.optimizer.parts import Schedule
from optiproxy.optimizer.records import Round
from optiproxy.proxy.convolution import Convolutions
from optiproxy.proxy.networks import Training, torch_stream
from optiproxy.spaces import Architecture

if TYPE_CHECKING:
    import numpy as np


@final
@dataclass(frozen=True)
class Doubling:
    """A `Schedule` with a round whenever there are twice as many trials as when the last one began.

    Attributes:
        initial: Number of random trials before the first round.

    Raises:
        UsageError: If there is no first trial.
    """

    initial: int = 20

    def __post_init__(self) -> None:
        if self.initial < 1:
            raise UsageError(f"Expected at least 1 random trial, got {self.initial}.")

    def rounds(self, trials: int, pending: Sequence[Architecture], n: int) -> Sequence[Round]:  # noqa: ARG002 - as in batches
        # After initial, 2 initial, 4 initial ... trials; a round depends on no earlier one.
        return tuple(Round(self.initial << k, (), 1) for k in range((trials // self.initial).bit_length()))


@dataclass(frozen=True, kw_only=True)
class NeuralPredictorConfig(RoundConfig):
    """As published but for the candidates: random, or the whole space where it is small; the paper ranks many more.

    Attributes:
        layers: Graph convolutions.
        width: ``h`` units per node.
        hidden: Units of the perceptron on top.
        dropout: Share of the units that is dropped after each convolution.
        training: Training of convolutions and perceptron together.
        candidates: Random architectures that are ranked, where the space is too large to be ranked as a whole.
        schedule: When the network is fitted: after 20 random trials and whenever their number has doubled.
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

    Published: sizes and training of the network. The paper trains once, on 172 random architectures, and leaves open how a
    budget is to be split between the random ones and the best predicted. No algorithm here knows its budget, so it comes
    in stages: 20 random trials, then the predictor is trained anew whenever the number of trials has doubled.

    Differences, for the equal terms of a comparison: see `RoundSearch` and `scalarized_utilities`; targets are
    standardized; the classifier that sorts out failing networks first, which the paper uses on one space, is left out.
    """

    settings = NeuralPredictorConfig

    def _rank(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        config = self._config
        # Drawn before the network takes its own stream from the generator: the order is part of what a seed means.
        candidates = pool(self._space, config.candidates, seen=history.seen, rng=rng)
        generator = torch_stream(rng)
        graphs = self._graphs(history.architectures)
        encoder = Convolutions(
            graphs.operations.shape[2],
            width=config.width,
            layers=config.layers,
            rate=config.dropout,
            generator=generator,
        )
        predict = fitted_by_squares(
            encoder,
            graphs,
            history.utilities,
            sizes=[config.width, config.hidden, 1],
            training=config.training,
            generator=generator,
        )
        # No exploration: the acquisition function is the prediction itself.
        return best_first(candidates, lambda found: predict(self._graphs(found)))
