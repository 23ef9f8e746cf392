"""NPENAS (Wei, Niu, Tang, Wang, Hu and Liang, TNNLS 2022, arXiv 2003.12857)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor, nn

from optiproxy.baselines.predictor_based.regression import fitted_by_squares
from optiproxy.baselines.predictor_based.rounds import History, RoundConfig, RoundSearch, best_first, mutants
from optiproxy.proxy.networks import Training, dropout, torch_stream, weight
from optiproxy.spaces import Architecture, GraphBatch

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class NpenasConfig(RoundConfig):
    """As published.

    Attributes:
        layers: Number of layers of the graph isomorphism network.
        width: ``h`` units per node.
        hidden: Units of the perceptron on top.
        dropout: Share of the mean of the nodes that is dropped.
        training: Training of network and perceptron together.
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
        # One generation: every parent has about as many children, most of which are never evaluated.
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
        # Fitted from scratch in each round, as published.
        predict = fitted_by_squares(
            encoder,
            graphs,
            history.utilities,
            sizes=[config.width, config.hidden, 1],
            training=config.training,
            generator=generator,
        )
        # NPENAS-NP has no exploration: its acquisition function is the prediction itself.
        return best_first(candidates, lambda found: predict(self._graphs(found)))


class Isomorphism(nn.Module):
    """The graph isomorphism network (Xu, Hu, Leskovec and Jegelka, ICLR 2019, arXiv 1810.00826).

    Each layer passes a node's state plus the sum of its predecessors' through a perceptron of two layers.

    Args:
        features: ``f`` of the graphs.
        width: ``h`` units per node.
        layers: Number of layers.
        rate: Dropout of the mean.
        generator: Draws the initial weights.
    """

    def __init__(self, features: int, *, width: int, layers: int, rate: float, generator: torch.Generator) -> None:
        super().__init__()
        sizes = list(pairwise([features, *[width] * layers]))
        self.first = nn.ParameterList([weight(i, o, generator=generator) for i, o in sizes])
        self.second = nn.ParameterList([weight(o, o, generator=generator) for _, o in sizes])
        self.norms = nn.ModuleList([nn.LayerNorm(o) for _, o in sizes])
        self._rate = rate

    def forward(self, graphs: GraphBatch, generator: torch.Generator | None = None) -> Tensor:
        """Return ``(b, h)``: the mean of the nodes' states.

        Args:
            graphs: Discrete or relaxed.
            generator: Draws dropout while training; None predicts.
        """
        # Turned round, so that a node's row lists what it reads.
        incoming = graphs.adjacency.transpose(1, 2)
        state = graphs.operations
        for first, second, norm in zip(self.first, self.second, self.norms, strict=True):
            # Xu et al., eq. 4.1 with epsilon = 0: a sum over predecessors, which unlike a mean tells multisets apart.
            aggregated = state + incoming @ state
            state = norm(torch.relu(torch.relu(aggregated @ first) @ second))
        return dropout(state.mean(1), self._rate, generator)
