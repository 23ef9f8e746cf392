"""NPENAS (Wei, Niu, Tang, Wang, Hu and Liang, TNNLS 2022, arXiv 2003.12857)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from optiproxy.baselines.predictor_based.candidates import best_first, mutants
from optiproxy.baselines.predictor_based.rounds import History, RoundConfig, RoundSearch
from optiproxy.baselines.predictors.graph_networks import GraphPredictor, Isomorphism, fit_by_squares, in_parts
from optiproxy.baselines.predictors.networks import Perceptron, Training, torch_stream
from optiproxy.baselines.scalarization import Array, standardized
from optiproxy.spaces import Architecture

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class NpenasConfig(RoundConfig):
    """As published.

    Attributes:
        layers: Of the graph isomorphism network.
        width: ``h`` units per node.
        hidden: Units of the perceptron on top.
        dropout: Of the mean of the nodes.
        training: Of both.
        parents: Best trials that are mutated.
        candidates: Mutants among which a round chooses, the children of all parents together.
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

    Published: the variant NPENAS-NP. A graph isomorphism network, fitted from scratch each round by squared error, ranks
    the mutants of the best trials. Sizes, training, 10 random trials, rounds of 10 and 100 candidates are the published
    ones.

    Differences, for the equal terms of a comparison: see `RoundSearch` and `scalarized_utilities`; targets are
    standardized, so that the output needs no bound in the units of an error rate, and layers are normalized per node, not
    per batch.
    """

    settings = NpenasConfig

    def _rank(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        config = self._config
        candidates = mutants(self._space, history.best(config.parents), config.candidates, seen=history.seen, rng=rng)
        generator = torch_stream(rng)
        graphs = self._graphs(history.architectures)
        encoder = Isomorphism(
            graphs.operations.shape[2],
            width=config.width,
            layers=config.layers,
            rate=config.dropout,
            generator=generator,
        )
        network = GraphPredictor(encoder, Perceptron([config.width, config.hidden, 1], generator=generator))
        targets = standardized(history.utilities)
        fit_by_squares(network, graphs, targets, training=config.training, generator=generator)

        def predict(architectures: Sequence[Architecture]) -> Array:
            return in_parts(network, self._graphs(architectures))[:, 0]

        # NPENAS-NP has no exploration: its acquisition function is the prediction itself.
        return best_first(candidates, predict)
