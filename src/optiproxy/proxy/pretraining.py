"""Teach an ensemble the structure of a space before any query is spent: no table, no training, once per space."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from optiproxy.graph import GraphBatch
from optiproxy.proxy.adam import Adam
from optiproxy.proxy.ensemble import CHUNK, EnsembleConfig, GraphEnsemble
from optiproxy.proxy.structure import structural_properties


@dataclass(frozen=True, kw_only=True)
class PretrainingConfig:
    """How long and how fast.

    Attributes:
        steps: Gradient steps.
        batch: Graphs per step, at most.
        nodes: Nodes of all of these graphs, at most: large graphs say more each, and are to cost no more than small ones.
        learning_rate: At the peak of the one-cycle schedule.
    """

    steps: int = 800
    batch: int = 64
    nodes: int = 512
    learning_rate: float = 2e-2


def pretrain(
    graphs: GraphBatch, *, ensemble: EnsembleConfig, config: PretrainingConfig, generator: torch.Generator
) -> GraphEnsemble:
    """An ensemble that has learned to predict the structural properties of unlabelled graphs.

    Args:
        graphs: ``(n, ...)`` discrete graphs, drawn at random from the space.
        ensemble: Sizes.
        config: Schedule.
        generator: Draws weights and batches; the result is a function of its state and the arguments.

    Returns:
        The ensemble, its parameters frozen.
    """
    network = GraphEnsemble(graphs.operations.shape[2], ensemble, generator)
    targets = _standardized(structural_properties(graphs))
    if targets.shape[1]:
        _fit(network, graphs, targets, config, generator)
    return network.requires_grad_(requires_grad=False)


def _standardized(properties: Tensor) -> Tensor:
    """The columns that differ between graphs, with mean 0 and standard deviation 1."""
    spread = properties.std(0, correction=0)
    varied = spread > 1e-6
    return ((properties - properties.mean(0)) / spread)[:, varied]


def _fit(
    network: GraphEnsemble, graphs: GraphBatch, targets: Tensor, config: PretrainingConfig, generator: torch.Generator
) -> None:
    e, q = network.embedding.shape[0], network.dimension
    b = max(1, min(config.batch, config.nodes // graphs.operations.shape[1]))
    hidden = nn.Parameter(torch.randn(e, q, q // 2, generator=generator) / q**0.5)
    head = nn.Parameter(torch.randn(e, q // 2, targets.shape[1], generator=generator) / (q / 2) ** 0.5)
    adam = Adam([*network.parameters(), hidden, head], weight_decay=1e-3)

    def loss(rows: Tensor) -> Tensor:
        batch = GraphBatch(graphs.operations[rows], graphs.adjacency[rows], graphs.inputs, graphs.outputs)
        predicted = torch.bmm(functional.silu(torch.bmm(network(batch), hidden)), head)
        # A sum over members: they share nothing, so each follows its own gradient.
        return (predicted - targets[rows]).square().mean(2).sum() / b

    for step in range(config.steps):
        rows = torch.randint(len(targets), (b,), generator=generator)
        rate = config.learning_rate * _one_cycle((step + 1) / config.steps)
        adam.step(map(loss, rows.chunk(math.ceil(b / CHUNK))), learning_rate=rate)


def _one_cycle(progress: float) -> float:
    """Up along a cosine for the first 30 %, down to 0 for the rest (Smith and Topin 2018, arXiv 1708.07120)."""
    phase = progress / 0.3 if progress < 0.3 else (1 - progress) / 0.7
    return 0.5 - 0.5 * math.cos(math.pi * phase)
