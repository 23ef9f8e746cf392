"""An ensemble of small graph networks, evaluated as one batched computation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from optiproxy.graph import GraphBatch

CHUNK = 22
"""Graphs embedded at once where many are, a third of a batch of pretraining: keeps a search at a few MB."""


@dataclass(frozen=True, kw_only=True)
class EnsembleConfig:
    """Sizes of the ensemble.

    Attributes:
        members: ``e`` networks with weights of their own.
        width: ``h`` hidden units per node.
        layers: Rounds of message passing.
    """

    members: int = 5
    width: int = 32
    layers: int = 2


class GraphEnsemble(nn.Module):
    """``e`` message-passing networks that turn graphs into points of a feature space.

    Each layer adds to a node's state a non-linear mix of itself, of what its predecessors send and of what its
    successors send back: the published proxy's convolution over the adjacency, forward and reversed. The features of a
    graph are the mean state of its nodes and the state of its outputs, after the last layer.

    Args:
        features: ``f`` node features of the graphs.
        config: Sizes.
        generator: Draws the initial weights.
    """

    def __init__(self, features: int, config: EnsembleConfig, generator: torch.Generator) -> None:
        super().__init__()
        e, h = config.members, config.width

        def weight(inputs: int, scale: float = 1.0) -> nn.Parameter:
            return nn.Parameter(torch.randn(e, inputs, h, generator=generator) * scale / math.sqrt(inputs))

        # Node features are one-hot, so that the variance of the embedding comes from a single row.
        self.embedding = weight(features, scale=1.5)
        self.mixing = nn.ParameterList([weight(3 * h) for _ in range(config.layers)])
        self.bias = nn.ParameterList([nn.Parameter(torch.zeros(e, 1, h)) for _ in range(config.layers)])
        self.dimension = 2 * h

    def forward(self, graphs: GraphBatch) -> Tensor:
        """Features ``(e, b, 2 h)`` of each graph under each member."""
        b, v, f = graphs.operations.shape
        e, _, h = self.embedding.shape
        outgoing = graphs.adjacency
        incoming = outgoing.transpose(1, 2)
        state = graphs.operations.reshape(b * v, f) @ self.embedding
        for mixing, bias in zip(self.mixing, self.bias, strict=True):
            nodes = state.view(e, b, v, h)
            heard = [state, (incoming @ nodes).reshape(e, b * v, h), (outgoing @ nodes).reshape(e, b * v, h)]
            update = functional.silu(torch.baddbmm(bias, torch.cat(heard, 2), mixing))
            state = state + update * torch.rsqrt(update.square().mean(-1, keepdim=True) + 1e-3)
        nodes = state.view(e, b, v, h)
        return torch.cat([nodes.mean(2), nodes[:, :, list(graphs.outputs)].mean(2)], 2)
