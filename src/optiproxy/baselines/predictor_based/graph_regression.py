"""Graph networks under a perceptron, fitted by squared error: the predictor of several published methods."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from optiproxy.baselines.scalarization import Array
from optiproxy.proxy.networks import Perceptron, Training, take, train
from optiproxy.spaces import GraphBatch

CHUNK = 512
"""Graphs predicted at once."""


class GraphPredictor(nn.Module):
    """An encoder of graphs under a perceptron.

    Args:
        encoder: Called with graphs and a generator, which draws dropout, or None; gives ``(b, h)``.
        head: One member, ``h`` inputs -> ``m`` outputs.
    """

    def __init__(self, encoder: nn.Module, head: Perceptron) -> None:
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
    """What a network gives for ``b`` graphs, without gradients.

    A whole space may be asked for at once; `CHUNK` graphs at a time take little memory.
    """
    with torch.no_grad():
        return torch.cat([function(part) for part in graphs.split(CHUNK)]).double().numpy()
