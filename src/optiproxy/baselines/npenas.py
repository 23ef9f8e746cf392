"""NPENAS (Wei, Niu, Tang, Wang, Hu and Liang, TNNLS 2022, arXiv 2003.12857)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from optiproxy.baselines.graph_networks import GraphPredictor, Isomorphism, fit_by_squares, in_parts
from optiproxy.baselines.mutation import mutants
from optiproxy.baselines.networks import Perceptron, Training
from optiproxy.baselines.ranking import Array, standardized
from optiproxy.baselines.rounds import History, RoundConfig, RoundSearch, best_first, torch_stream
from optiproxy.spaces import Architecture

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True, kw_only=True)
class NpenasConfig(RoundConfig):
    """As published.

    Attributes:
        layers: Of the graph isomorphism network.
        width: Units per node.
        hidden: Units of the perceptron on top.
        dropout: Share of units dropped before the output.
        training: Of the predictor.
        parents: Best trials that are mutated.
        candidates: Children of all of them, among which a round chooses.
    """

    layers: int = 3
    width: int = 32
    hidden: int = 16
    dropout: float = 0.1
    training: Training = field(
        default_factory=lambda: Training(epochs=300, batch=16, learning_rate=0.005, weight_decay=1e-4)
    )
    parents: int = 10
    candidates: int = 100


@final
class Npenas(RoundSearch[NpenasConfig]):
    """An `Algorithm`: evolution in which each parent has many children and a neural predictor picks those to evaluate.

    The variant NPENAS-NP: a graph isomorphism network, fitted from scratch each round by squared error, ranks the mutants
    of the best trials. Sizes, training, 10 random trials, rounds of 10 and 100 candidates are the published ones.

    Differences, for the equal terms of a comparison: see `RoundSearch` and `ranking.utilities`; targets are standardised,
    so that the output needs no bound in the units of an error rate, and layers are normalised per node, not per batch.
    """

    settings = NpenasConfig

    def _rank(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        config = self._config
        children = mutants(self._space, history.best(config.parents), config.candidates, known=history.known, rng=rng)
        network = self._fit(history, torch_stream(rng))

        def predict(architectures: Sequence[Architecture]) -> Array:
            return in_parts(network, self._graphs(architectures))[:, 0]

        return best_first(children, predict)

    def _fit(self, history: History, generator: torch.Generator) -> GraphPredictor:
        config = self._config
        graphs = self._graphs(history.architectures)
        encoder = Isomorphism(
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
