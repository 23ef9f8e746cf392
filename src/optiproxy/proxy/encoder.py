"""Teach an ensemble the structure of a space before any query is spent: no table, no training, once per space.

What it learns to predict are properties that can be read off a discrete graph for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from optiproxy.graph import GraphBatch
from optiproxy.proxy import cache
from optiproxy.proxy.networks import Adam

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


def pretrain(graphs: GraphBatch, *, ensemble: EnsembleConfig, config: PretrainingConfig, seed: int) -> GraphEnsemble:
    """An ensemble that has learned to predict the structural properties of unlabelled graphs.

    The result is a function of the arguments, and kept: see `optiproxy.proxy.cache`.

    Args:
        graphs: ``(n, ...)`` discrete graphs, drawn at random from the space.
        ensemble: Sizes.
        config: Schedule.
        seed: Of initial weights and batches.

    Returns:
        The ensemble, its parameters frozen.
    """

    def make() -> cache.Weights:
        generator = torch.Generator().manual_seed(seed)
        network = GraphEnsemble(graphs.operations.shape[2], ensemble, generator)
        targets = _standardized(structural_properties(graphs))
        if targets.shape[1]:
            _fit(network, graphs, targets, config, generator)
        return {name: weight.detach().numpy() for name, weight in network.named_parameters()}

    given = (graphs.operations.numpy(), graphs.adjacency.numpy(), graphs.inputs, graphs.outputs)
    weights = cache.recall(cache.key(*given, ensemble, config, seed, torch.__version__), make)
    network = GraphEnsemble(graphs.operations.shape[2], ensemble, torch.Generator())
    network.load_state_dict({name: torch.tensor(weight) for name, weight in weights.items()})
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
        predicted = torch.bmm(functional.silu(torch.bmm(network(graphs[rows]), hidden)), head)
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


def structural_properties(graphs: GraphBatch) -> Tensor:
    """Describe each graph by what data can do on its way from the inputs to the outputs.

    A node is live when it lies on some path from an input to an output. The properties are: live nodes per operation;
    the longest and the shortest chain of each operation, that is the most and the fewest nodes of it on one path; the same
    for nodes of any operation; the logarithm of one plus the number of paths; the live edges.

    Args:
        graphs: Discrete: all weights 0 or 1.

    Returns:
        ``(b, 3 f + 4)``, one column per property; chains are -1 where no path exists.
    """
    operations, adjacency = graphs.operations, graphs.adjacency
    b, v, _ = operations.shape
    starts, ends = operations.new_zeros(b, v), operations.new_zeros(b, v)
    starts[:, list(graphs.inputs)] = 1.0
    ends[:, list(graphs.outputs)] = 1.0
    arriving = _accumulate(starts, adjacency)
    leaving = _accumulate(ends.flip(1), adjacency.flip(1, 2).transpose(1, 2)).flip(1)
    live = (arriving * leaving > 0).to(operations.dtype)
    edges = adjacency * live[:, :, None] * live[:, None, :]
    counts = (operations * live[:, :, None]).sum(1)
    lengths = torch.cat([operations, operations.new_ones(b, v, 1)], 2) * live[:, :, None]
    longest = _extreme_path(lengths, edges, starts=starts, ends=ends, better=torch.maximum, worst=-torch.inf)
    shortest = _extreme_path(lengths, edges, starts=starts, ends=ends, better=torch.minimum, worst=torch.inf)
    paths = torch.log1p((arriving * ends).sum(1, keepdim=True))
    return torch.cat([counts, longest, shortest, paths, edges.sum((1, 2))[:, None]], 1)


def _accumulate(at_start: Tensor, adjacency: Tensor) -> Tensor:
    """``(b, v)`` number of paths from the start nodes to each node, itself included."""
    found: list[Tensor] = []
    for node in range(at_start.shape[1]):
        through = sum((found[i] * adjacency[:, i, node] for i in range(node)), torch.zeros_like(at_start[:, 0]))
        found.append(at_start[:, node] + through)
    return torch.stack(found, 1)


def _extreme_path(
    lengths: Tensor,
    edges: Tensor,
    *,
    starts: Tensor,
    ends: Tensor,
    better: Callable[[Tensor, Tensor], Tensor],
    worst: float,
) -> Tensor:
    """``(b, k)`` longest or shortest sum along any path from start to end, for each of ``k`` lengths ``(b, v, k)``."""
    found: list[Tensor] = []
    for node in range(lengths.shape[1]):
        before = torch.where(starts[:, node, None] > 0, 0.0, worst).expand_as(lengths[:, node])
        for i in range(node):
            before = better(before, torch.where(edges[:, i, node, None] > 0, found[i], worst))
        found.append(lengths[:, node] + before)
    at_ends = torch.stack([torch.where(ends[:, i, None] > 0, x, worst) for i, x in enumerate(found)])
    extreme = at_ends.amax(0) if worst < 0 else at_ends.amin(0)
    return torch.where(extreme.isfinite(), extreme, -1.0)
