"""Graph networks of the published predictors: convolutions in both directions, and the isomorphism network."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from optiproxy.baselines.predictors.networks import Perceptron, Training, dropout, take, train, weight
from optiproxy.baselines.scalarization import Array
from optiproxy.spaces import GraphBatch

CHUNK = 512
"""Graphs predicted at once."""


class Convolutions(nn.Module):
    """Graph convolutions along the edges and against them (Wen et al., ECCV 2020, eq. 3).

    ``V <- norm(relu(A V W) / 2 + relu(A' V W') / 2)``, where ``A`` is the adjacency with self-loops, each row divided by
    its sum, and ``A'`` the same of the transposed adjacency.

    Args:
        features: ``f`` of the graphs.
        width: ``h`` units per node.
        layers: How many.
        rate: Dropout.
        generator: Draws the initial weights.
    """

    def __init__(self, features: int, *, width: int, layers: int, rate: float, generator: torch.Generator) -> None:
        super().__init__()
        sizes = [features, *[width] * layers]
        pairs = list(pairwise(sizes))
        self.along = nn.ParameterList([weight(i, o, generator=generator) for i, o in pairs])
        self.against = nn.ParameterList([weight(i, o, generator=generator) for i, o in pairs])
        self.norms = nn.ModuleList([nn.LayerNorm(o) for _, o in pairs])
        self._rate = rate

    def forward(self, graphs: GraphBatch, generator: torch.Generator | None = None) -> Tensor:
        """``(b, h)``: the mean of the nodes' states.

        Args:
            graphs: Discrete or relaxed; differentiable in both parts.
            generator: Draws dropout while training; None predicts.
        """
        incoming, outgoing = _normalized(graphs.adjacency.transpose(1, 2)), _normalized(graphs.adjacency)
        state = graphs.operations
        for along, against, norm in zip(self.along, self.against, self.norms, strict=True):
            heard = torch.relu(incoming @ state @ along) + torch.relu(outgoing @ state @ against)
            state = dropout(norm(heard / 2), self._rate, generator)
        return state.mean(1)


class Isomorphism(nn.Module):
    """The graph isomorphism network (Xu, Hu, Leskovec and Jegelka, ICLR 2019, arXiv 1810.00826).

    Each layer passes a node's state plus the sum of its predecessors' through a perceptron of two layers.

    Args:
        features: ``f`` of the graphs.
        width: ``h`` units per node.
        layers: How many.
        rate: Dropout of the mean.
        generator: Draws the initial weights.
    """

    def __init__(self, features: int, *, width: int, layers: int, rate: float, generator: torch.Generator) -> None:
        super().__init__()
        sizes = [features, *[width] * layers]
        pairs = list(pairwise(sizes))
        self.first = nn.ParameterList([weight(i, o, generator=generator) for i, o in pairs])
        self.second = nn.ParameterList([weight(o, o, generator=generator) for _, o in pairs])
        self.norms = nn.ModuleList([nn.LayerNorm(o) for _, o in pairs])
        self._rate = rate

    def forward(self, graphs: GraphBatch, generator: torch.Generator | None = None) -> Tensor:
        """``(b, h)``: the mean of the nodes' states; arguments as above."""
        incoming = graphs.adjacency.transpose(1, 2)
        state = graphs.operations
        for first, second, norm in zip(self.first, self.second, self.norms, strict=True):
            # eq. 4.1 with epsilon = 0: a sum over neighbors, which unlike a mean tells multisets apart.
            heard = state + incoming @ state
            state = norm(torch.relu(torch.relu(heard @ first) @ second))
        return dropout(state.mean(1), self._rate, generator)


class GraphPredictor(nn.Module):
    """An encoder of graphs under a perceptron.

    Args:
        encoder: Graphs -> ``(b, h)``.
        head: ``h`` -> ``m``, one member.
    """

    def __init__(self, encoder: Convolutions | Isomorphism, head: Perceptron) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, graphs: GraphBatch, generator: torch.Generator | None = None) -> Tensor:
        """``(b, m)``; with a generator, which draws dropout, while training."""
        outputs: Tensor = self.head(self.encoder(graphs, generator))
        return outputs[0]


def fit_by_squares(
    network: GraphPredictor, graphs: GraphBatch, values: Array, *, training: Training, generator: torch.Generator
) -> None:
    """Fit the first output of a network, in place and with dropout, to ``(n,)`` values by the mean squared error."""
    targets = torch.from_numpy(values).float()

    def loss(rows: Tensor) -> Tensor:
        return (network(take(graphs, rows), generator)[:, 0] - targets[rows]).square().mean()

    train(network, loss, len(graphs), training=training, generator=generator)


def in_parts(function: Callable[[GraphBatch], Tensor], graphs: GraphBatch) -> Array:
    """What a network gives for ``b`` graphs, `CHUNK` at a time, which takes little memory, and without gradients."""
    with torch.no_grad():
        return torch.cat([function(part) for part in graphs.split(CHUNK)]).double().numpy()


def _normalized(adjacency: Tensor) -> Tensor:
    """With self-loops, each row divided by its sum."""
    looped = adjacency + torch.eye(adjacency.shape[1], dtype=adjacency.dtype)
    return functional.normalize(looped, p=1.0, dim=2)
