"""BANANAS (White, Neiswanger and Savani, AAAI 2021, arXiv 1910.11858)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from optiproxy.baselines.mutation import mutants
from optiproxy.baselines.predictor_based.rounds import History, RoundConfig, RoundSearch, best_first
from optiproxy.baselines.predictors.networks import Perceptron, Training, torch_stream, train
from optiproxy.baselines.predictors.path_encoding import PathEncoding
from optiproxy.baselines.ranking import Array, standardized
from optiproxy.spaces import Architecture

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class BananasConfig(RoundConfig):
    """As published.

    Attributes:
        members: ``e`` perceptrons in the ensemble.
        layers: Hidden layers of each.
        width: Units of each layer.
        training: Of the ensemble.
        paths: Length of the path encoding.
        parents: Best trials that are mutated.
        candidates: Mutants among which a round chooses.
    """

    members: int = 5
    layers: int = 10
    width: int = 20
    training: Training = field(default_factory=lambda: Training(epochs=150, batch=32, learning_rate=0.01))
    paths: int = 500
    parents: int = 5
    candidates: int = 100


@final
class Bananas(RoundSearch[BananasConfig]):
    """An `Algorithm`: independent Thompson sampling from an ensemble of perceptrons, among mutants of the best.

    The predictor, its training (mean absolute error, as in the authors' later release: it needs no known lower bound of
    the loss), 10 random trials, rounds of 10 and 100 candidates are the published ones.

    Differences, for the equal terms of a comparison: see `RoundSearch` and `ranking.utilities`; targets are standardised.
    The decisions stand beside the paths in the encoding, because where the graph is a chain a single path is the whole
    architecture and says nothing about another one.
    """

    settings = BananasConfig

    def _rank(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        config = self._config
        candidates = mutants(self._space, history.best(config.parents), config.candidates, known=history.known, rng=rng)
        predict = self._fit(history, torch_stream(rng))

        def sample(architectures: Sequence[Architecture]) -> Array:
            predicted = predict(architectures)
            return rng.normal(predicted.mean(0), predicted.std(0))

        return best_first(candidates, sample)

    def _fit(self, history: History, generator: torch.Generator) -> Callable[[Sequence[Architecture]], Array]:
        """The ensemble's predictions ``(e, b)``."""
        config = self._config
        encoding = PathEncoding(self._graphs(history.architectures), length=config.paths)

        def encode(architectures: Sequence[Architecture]) -> Tensor:
            decisions = self._space.one_hot(architectures)
            found = torch.from_numpy(encoding(self._space.encode(decisions))).float()
            return torch.cat([found, decisions.flatten(1)], 1)

        inputs = encode(history.architectures)
        targets = torch.from_numpy(standardized(history.utilities)).float()
        sizes = [inputs.shape[1], *[config.width] * config.layers, 1]
        network = Perceptron(sizes, members=config.members, generator=generator)

        def loss(rows: Tensor) -> Tensor:
            # A sum over members: they share nothing, so each follows its own gradient.
            return (network(inputs[rows])[:, :, 0] - targets[rows]).abs().mean(1).sum()

        train(network, loss, len(inputs), training=config.training, generator=generator)

        def predict(architectures: Sequence[Architecture]) -> Array:
            with torch.no_grad():
                predicted: Tensor = network(encode(architectures))[:, :, 0]
            return predicted.double().numpy()

        return predict
