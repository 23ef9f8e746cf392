"""BONAS (Shi, Pi, Xu, Li, Kwok and Zhang, NeurIPS 2020, arXiv 1911.09336)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
import torch
from torch import Tensor

from optiproxy.baselines.baseline import Array, standardized
from optiproxy.baselines.predictor_based.regression import BayesianLinear, GraphPredictor, in_parts
from optiproxy.baselines.predictor_based.rounds import History, RoundConfig, RoundSearch, best_first, mutants
from optiproxy.proxy.convolution import Convolutions
from optiproxy.proxy.networks import Perceptron, Training, take, torch_stream, train
from optiproxy.spaces import Architecture


@dataclass(frozen=True, kw_only=True)
class BonasConfig(RoundConfig):
    """As published where `Bonas` does not say otherwise.

    Attributes:
        layers: Graph convolutions.
        width: ``h`` units per node.
        training: Training of the convolutions.
        beta: Standard deviations that the upper confidence bound adds to the mean.
        population: Best candidates that are mutated in each generation of the evolution.
        children: Mutants in each generation.
        generations: Generations of the evolution in one round.
    """

    layers: int = 4
    width: int = 64
    training: Training = field(default_factory=lambda: Training(epochs=100, batch=16, learning_rate=1e-3))
    beta: float = 0.5
    population: int = 20
    children: int = 100
    generations: int = 3


@final
class Bonas(RoundSearch[BonasConfig]):
    """An `Algorithm`: Bayesian regression on the embedding of a graph network; evolution maximizes its confidence bound.

    Published: graph convolutions with a linear head are fitted by an exponentially weighted squared error, so that good
    architectures count more; then the head is replaced by a Bayesian one, and an evolutionary algorithm maximizes the
    upper confidence bound. Number of layers, width and ``beta`` are the published ones.

    Differences, for the equal terms of a comparison: see `RoundSearch` and `scalarized_utilities`. Rounds have 10 trials,
    not 100, which our budgets would not fill. The regression is linear in standardized targets, where the paper's passes
    a sigmoid that fits accuracies only. The convolutions go both ways and end in the mean of the nodes, instead of in a
    global node that all others are joined to.
    """

    settings = BonasConfig

    def _rank(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        config = self._config
        upper_confidence_bound = self._fit(history, torch_stream(rng))
        # The acquisition function is maximized by evolution, which begins at the best trials.
        leaders: list[Architecture] = []
        parents = history.best(config.population)
        for _ in range(config.generations):
            seen = history.seen.union(leaders)
            children = mutants(self._space, parents, config.children, seen=seen, rng=rng)
            # Elitist: a leader stays until enough children are better, whatever generation it comes from.
            leaders = best_first([*leaders, *children], upper_confidence_bound)
            parents = leaders[: config.population]
        return leaders

    def _fit(self, history: History, generator: torch.Generator) -> Callable[[Sequence[Architecture]], Array]:
        """Return the upper confidence bound, a function from ``b`` architectures to ``(b,)`` values."""
        config = self._config
        graphs = self._graphs(history.architectures)
        targets = standardized(history.utilities)
        labels = torch.from_numpy(targets).float()
        importance = torch.exp(labels)
        encoder = Convolutions(
            graphs.operations.shape[2], width=config.width, layers=config.layers, rate=0.0, generator=generator
        )
        network = GraphPredictor(encoder, Perceptron([config.width, 1], generator=generator))

        def loss(rows: Tensor) -> Tensor:
            # Exponential weights, as in the paper: what matters is to be right about the good architectures.
            errors = network(take(graphs, rows))[:, 0] - labels[rows]
            return (importance[rows] * errors.square()).sum() / importance[rows].sum()

        train(network, loss, len(graphs), training=config.training, generator=generator)

        def embed(architectures: Sequence[Architecture]) -> Array:
            embedded = in_parts(encoder, self._graphs(architectures))
            # A constant for the intercept. Layer normalization leaves rows of length sqrt(h); the regression wants 1.
            return np.pad(embedded, ((0, 0), (0, 1)), constant_values=1.0) / np.sqrt(config.width)

        # The head is thrown away: only its uncertainty was missing, which the closed form has.
        regression = BayesianLinear.fit(embed(history.architectures), targets)

        def upper_confidence_bound(architectures: Sequence[Architecture]) -> Array:
            mean, std = regression(embed(architectures))
            return mean + config.beta * std

        return upper_confidence_bound
