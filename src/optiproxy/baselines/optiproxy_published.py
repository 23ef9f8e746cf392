"""OptiProxy-NAS as published (Lyu, Cui, Shi and Li 2025, arXiv 2509.05656), to show what this package changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
import torch
from torch import Tensor

from optiproxy.baselines.choices import choice_mask
from optiproxy.baselines.predictor_based.rounds import Batches, History, RoundConfig, RoundSearch, best_first
from optiproxy.baselines.predictors.graph_networks import Convolutions, GraphPredictor, in_parts
from optiproxy.baselines.predictors.networks import Perceptron, Training, take, torch_stream, train
from optiproxy.baselines.ranking import Array, standardized
from optiproxy.metrics import Goal
from optiproxy.optimizer.ascent import Ascent
from optiproxy.optimizer.relaxation import Relaxation
from optiproxy.spaces import Architecture, Space


@dataclass(frozen=True, kw_only=True)
class PublishedConfig(RoundConfig):
    """As published; where the paper's settings differ from task to task, one for all.

    Attributes:
        layers: Graph convolutions.
        width: Units per node.
        dropout: After each convolution.
        training: Of the proxy, in each round.
        hinge: Weight of the ranking loss.
        margin: By which the better of two trials should be predicted to be better.
        sets: Parallel sets of architecture parameters.
        ascent: How the parameters climb.
        batch: Architectures drawn in each round, from all sets together.
        tolerance: Candidates drop out that are predicted to exceed a limit by this share of it.
        schedule: By default 10 random trials, rounds of 10 (the paper: 5 or 10).
    """

    layers: int = 2
    width: int = 128
    dropout: float = 0.1
    training: Training = field(
        default_factory=lambda: Training(epochs=100, batch=1000, learning_rate=1e-3, weight_decay=1e-2)
    )
    hinge: float = 0.2
    margin: float = 0.1
    sets: int = 10
    ascent: Ascent = field(
        default_factory=lambda: Ascent(steps=100, learning_rate=0.1, relaxation=Relaxation(noise=1.0))
    )
    batch: int = 100
    tolerance: float = 0.3
    schedule: Batches = field(default_factory=Batches)


@final
class OptiProxyPublished(RoundSearch[PublishedConfig]):
    """An `Algorithm`: the paper's graph convolutional proxy, its loss, its ascent and its sampling.

    The proxy has one output per metric. It is kept warm from round to round and trained on all trials by squared error
    plus a ranking hinge. The architecture parameters start in a Latin hypercube, climb the proxy under Gumbel-softmax
    noise while the temperature falls from 0.7 to 0.2, and persist from round to round. Then each set draws architectures,
    and the best by the proxy's prediction are evaluated. A search that was interrupted repeats its rounds, because what
    is kept warm depends on all of them.

    Differences: the leaks of the released code are closed (targets are standardised by the finished trials, nothing is
    known of a candidate before it is evaluated, the search does not end at a known optimum), and see `RoundSearch` for
    the equal terms of a comparison. The objective is the sum of the standardised objectives and of the slack of each
    limit, as the paper's accuracy minus latency. Edges that a space decides on are relaxed as its other decisions are,
    all at once: a sigmoid equals a softmax over two choices.
    """

    settings = PublishedConfig

    def __init__(self, space: Space, goal: Goal, *, seed: int, config: PublishedConfig | None = None) -> None:
        super().__init__(space, goal, seed=seed, config=config)
        self._mask = choice_mask(space)
        self._next = self._config.schedule.initial
        self._network: GraphPredictor | None = None
        self._parameters = self._latin_hypercube()

    def _rank(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        """Catch up with the rounds that this instance has not seen, the one of ``history`` last."""
        for start in range(self._next, len(history.architectures), self._config.schedule.size):
            earlier = self._history(start)
            if earlier.informative:
                self._play(earlier, self._stream(start))
        self._next = len(history.architectures) + self._config.schedule.size
        return self._play(history, rng)

    def _play(self, history: History, rng: np.random.Generator) -> list[Architecture]:
        config, generator = self._config, torch_stream(rng)
        targets, means, spreads = self._columns(history)
        network = self._train(history, torch.from_numpy(targets).float(), generator)

        def gain(relaxed: Tensor) -> Tensor:
            return network(self._space.encode(relaxed)).sum(1)

        self._parameters = config.ascent(self._parameters, self._mask, gain, generator)
        chances = self._parameters.masked_fill(~self._mask, -torch.inf).softmax(2)
        drawn = self._space.draw(chances, max(config.batch // config.sets - 1, 1), generator)
        candidates = history.known.unseen(map(self._space.canonical, drawn))

        def score(architectures: Sequence[Architecture]) -> Array:
            predicted = in_parts(network, self._graphs(architectures))
            slack = (predicted * spreads + means)[:, len(self._goal.objectives) :]
            bounds = np.array([abs(limit.bound) for limit in self._goal.limits])
            kept = (slack >= -config.tolerance * bounds).all(1)
            return np.where(kept, predicted.sum(1), -np.inf)

        return best_first(candidates, score)

    def _columns(self, history: History) -> tuple[Array, Array, Array]:
        """Standardised objectives and slacks ``(n, m)``, larger = better, and what they were standardised by."""
        goal = self._goal
        columns = np.array(
            [
                [*goal.gains(metrics), *(-limit.violation(metrics) for limit in goal.limits)]
                for metrics in history.metrics
            ]
        )
        # A metric that is missing is as bad as the worst one seen.
        columns = np.where(np.isfinite(columns), columns, np.nan)
        seen = np.isfinite(columns).any(0)
        worst = np.where(seen, np.nanmin(np.where(seen, columns, 0.0), axis=0), 0.0)
        filled = np.where(np.isfinite(columns), columns, worst)
        return np.apply_along_axis(standardized, 0, filled), filled.mean(0), filled.std(0)

    def _train(self, history: History, targets: Tensor, generator: torch.Generator) -> GraphPredictor:
        config = self._config
        graphs = self._graphs(history.architectures)
        if self._network is None:
            encoder = Convolutions(
                graphs.operations.shape[2],
                width=config.width,
                layers=config.layers,
                rate=config.dropout,
                generator=generator,
            )
            head = Perceptron([config.width, targets.shape[1]], generator=generator)
            self._network = GraphPredictor(encoder, head)
        network = self._network

        def loss(rows: Tensor) -> Tensor:
            predicted, wanted = network(take(graphs, rows), generator), targets[rows]
            better = wanted[:, None] > wanted[None, :]
            short = torch.relu(config.margin - (predicted[:, None] - predicted[None, :]))
            ranking = (short * better).sum() / better.sum().clamp_min(1)
            return (predicted - wanted).square().mean() + config.hinge * ranking

        train(network, loss, len(graphs), training=config.training, generator=generator)
        return network

    def _latin_hypercube(self) -> Tensor:
        """``(sets, d, c)`` standard normal parameters; each coordinate meets every one of ``sets`` equal quantiles once."""
        rng = np.random.default_rng([self._seed, 0, 2])
        k = self._config.sets
        strata = rng.permuted(np.tile(np.arange(k), (self._mask.numel(), 1)), axis=1).T
        quantiles = torch.from_numpy((strata + rng.uniform(size=strata.shape)) / k)
        return torch.special.ndtri(quantiles).float().reshape(k, *self._mask.shape)
