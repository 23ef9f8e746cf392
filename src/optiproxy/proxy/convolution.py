"""The published proxy: graph convolutions in both directions, trained by squared error and a ranking loss, kept warm."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import final

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from optiproxy.graph import GraphBatch
from optiproxy.proxy.contract import Encoder, Prediction, Predictor
from optiproxy.proxy.networks import Perceptron, Training, dropout, take, train, weight
from optiproxy.proxy.structural import operation_counts


class Convolutions(nn.Module):
    """Graph convolutions along the edges and against them (Wen et al., ECCV 2020, eq. 3).

    Args:
        features: ``f`` of the graphs.
        width: ``h`` units per node.
        layers: Number of convolutions.
        rate: Dropout after each.
        generator: Draws the initial weights.
    """

    def __init__(self, features: int, *, width: int, layers: int, rate: float, generator: Generator) -> None:
        super().__init__()
        sizes = list(pairwise([features, *[width] * layers]))
        self.along = nn.ParameterList([weight(i, o, generator=generator) for i, o in sizes])
        self.against = nn.ParameterList([weight(i, o, generator=generator) for i, o in sizes])
        self.norms = nn.ModuleList([nn.LayerNorm(o) for _, o in sizes])
        self._rate = rate

    def forward(self, graphs: GraphBatch, generator: Generator | None = None) -> Tensor:
        """``(b, h)``: the mean of the nodes' states.

        Args:
            graphs: Discrete or relaxed; differentiable in both parts.
            generator: Draws dropout while training; None predicts.
        """
        incoming, outgoing = _normalized(graphs.adjacency.transpose(1, 2)), _normalized(graphs.adjacency)
        state = graphs.operations
        for along, against, norm in zip(self.along, self.against, self.norms, strict=True):
            # Wen et al., eq. 3: V <- relu(A V W) / 2 + relu(A' V W') / 2
            heard = torch.relu(incoming @ state @ along) + torch.relu(outgoing @ state @ against)
            state = dropout(norm(heard / 2), self._rate, generator)
        return state.mean(1)


def _normalized(adjacency: Tensor) -> Tensor:
    """With self-loops, each row divided by its sum."""
    looped = adjacency + torch.eye(adjacency.shape[1], dtype=adjacency.dtype)
    return functional.normalize(looped, p=1.0, dim=2)


@final
@dataclass(frozen=True, kw_only=True)
class GraphConvolution:
    """A `Proxy` with the paper's network and loss; where its settings differ from task to task, one for all.

    Each round goes on from the network of the round before and trains it on all trials so far. Its predictions have no
    uncertainty.

    Attributes:
        layers: Number of graph convolutions.
        width: ``h`` units per node.
        dropout: Rate after each convolution.
        training: Length and rate of the training in each round.
        ranking: Weight of the ranking loss.
        margin: By which the better of two trials should be predicted to be better.
        unlabelled: Nothing is learned before the first trial, so one graph will do.
    """

    layers: int = 2
    width: int = 128
    dropout: float = 0.1
    training: Training = field(
        default_factory=lambda: Training(epochs=100, batch=1000, learning_rate=1e-3, weight_decay=1e-2)
    )
    ranking: float = 0.2
    margin: float = 0.1
    unlabelled: int = 1

    def pretrain(self, graphs: GraphBatch, *, seed: int) -> Encoder:  # noqa: ARG002 - the paper has no pretraining
        return operation_counts

    def fit(
        self,
        encoder: Encoder,  # noqa: ARG002 - the network reads graphs
        graphs: GraphBatch,
        scores: Tensor,
        *,
        previous: Predictor | None,
        generator: Generator,
    ) -> ConvolutionPredictor:
        m = scores.shape[1]
        if isinstance(previous, ConvolutionPredictor) and previous.metrics == m:
            predictor = deepcopy(previous)
        else:
            predictor = self._untrained(graphs, m, generator)
        # Its loss compares all trials: what was not measured is as bad as the worst.
        worst = torch.where(scores.isnan(), torch.inf, scores).amin(0)
        scores = torch.where(scores.isnan(), worst, scores)

        def loss(rows: Tensor) -> Tensor:
            predicted, wanted = predictor.scores(take(graphs, rows), generator), scores[rows]
            better = wanted[:, None] > wanted[None, :]
            # Of each pair max(0, margin - (better - worse)), averaged: the ranking loss of the paper.
            short = torch.relu(self.margin - (predicted[:, None] - predicted[None, :]))
            ranking = (short * better).sum() / better.sum().clamp_min(1)
            return (predicted - wanted).square().mean() + self.ranking * ranking

        train(predictor.network, loss, len(graphs), training=self.training, generator=generator)
        return predictor

    def _untrained(self, graphs: GraphBatch, metrics: int, generator: Generator) -> ConvolutionPredictor:
        f = graphs.operations.shape[2]
        encoder = Convolutions(f, width=self.width, layers=self.layers, rate=self.dropout, generator=generator)
        head = Perceptron([self.width, metrics], generator=generator)
        return ConvolutionPredictor(nn.ModuleList([encoder, head]), metrics)


@final
class ConvolutionPredictor:
    """A `Predictor`: convolutions under a linear head.

    Args:
        network: `Convolutions` and a `Perceptron` of one member.
        metrics: ``m``.
    """

    def __init__(self, network: nn.ModuleList, metrics: int) -> None:
        self.network = network
        self.metrics = metrics

    def scores(self, graphs: GraphBatch, generator: Generator | None = None) -> Tensor:
        """``(b, m)``; with a generator, which draws dropout, while training."""
        encoder, head = self.network
        return head(encoder(graphs, generator))[0]

    def __call__(self, graphs: GraphBatch) -> Prediction:
        mean = self.scores(graphs)
        return Prediction(mean, torch.zeros_like(mean))
