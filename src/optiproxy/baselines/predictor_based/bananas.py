"""BANANAS and its path encoding (White, Neiswanger and Savani, AAAI 2021, arXiv 1910.11858)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
import torch
from torch import Tensor

from optiproxy.baselines.baseline import Array, standardized
from optiproxy.baselines.predictor_based.labels import labels
from optiproxy.baselines.predictor_based.rounds import History, RoundConfig, RoundSearch, best_first, mutants
from optiproxy.proxy.networks import Perceptron, Training, torch_stream, train
from optiproxy.spaces import Architecture, GraphBatch

Path = tuple[int, ...]
"""The operations met on the way from an input to an output."""

LONGEST = 200
"""Paths kept per node, the shortest ones; cells have fewer, whole networks may have millions."""


@dataclass(frozen=True, kw_only=True)
class BananasConfig(RoundConfig):
    """As published.

    Attributes:
        members: ``e`` perceptrons in the ensemble.
        layers: Hidden layers of each.
        width: ``h`` units of each layer.
        training: Training of the ensemble.
        paths: Length of the truncated path encoding.
        parents: Best trials that are mutated.
        candidates: Mutants among which a round chooses.
    """

    members: int = 5
    layers: int = 10
    width: int = 20
    training: Training = field(default_factory=lambda: Training(epochs=150, batch=32, learning_rate=0.01))
    paths: int = 500
    parents: int = 5
    candidates: int = 100


@final
class Bananas(RoundSearch[BananasConfig]):
    """An `Algorithm`: independent Thompson sampling from an ensemble of perceptrons, among mutants of the best.

    Published: algorithm 1 of the paper, with its ensemble of 5, truncated path encoding, 10 random trials, rounds of 10
    and 100 candidates. The loss is the mean absolute error of the authors' later release: unlike the paper's mean absolute
    percentage error, it needs no known lower bound of the metric.

    Differences, for the equal terms of a comparison: see `RoundSearch` and `scalarized_utilities`; targets are
    standardized. The one-hot decisions stand beside the paths in the encoding, because where the graph is a chain a single
    path is the whole architecture and says nothing about another one.
    """

    settings = BananasConfig
    on_grid = True

    def _rank(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        config = self._config
        # Algorithm 1: candidates are mutants of the best, the ensemble is trained on all trials so far.
        candidates = mutants(self._space, history.best(config.parents), config.candidates, seen=history.seen, rng=rng)
        predict = self._fit(history, torch_stream(rng))

        def thompson_sample(architectures: Sequence[Architecture]) -> Array:
            predicted = predict(architectures)
            # Independent Thompson sampling: each candidate is drawn from a normal posterior of its own.
            return rng.normal(predicted.mean(0), predicted.std(0))

        return best_first(candidates, thompson_sample)

    def _fit(self, history: History, generator: torch.Generator) -> Callable[[Sequence[Architecture]], Array]:
        """Return a function from ``b`` architectures to the ensemble's predictions ``(e, b)``."""
        config = self._config
        encoding = PathEncoding(self._graphs(history.architectures), length=config.paths)

        def encode(architectures: Sequence[Architecture]) -> Tensor:
            one_hot = self._space.one_hot(architectures)
            # The path encoding of the paper, and the one-hot decisions for spaces whose graph is a chain.
            paths = torch.from_numpy(encoding(self._space.encode(one_hot))).float()
            return torch.cat([paths, one_hot.flatten(1)], 1)

        inputs = encode(history.architectures)
        targets = torch.from_numpy(standardized(history.utilities)).float()
        sizes = [inputs.shape[1], *[config.width] * config.layers, 1]
        network = Perceptron(sizes, members=config.members, generator=generator)

        def loss(rows: Tensor) -> Tensor:
            # A sum over members: they share nothing, so each follows its own gradient.
            return (network(inputs[rows])[:, :, 0] - targets[rows]).abs().mean(1).sum()

        train(network, loss, len(inputs), training=config.training, generator=generator)

        def predict(architectures: Sequence[Architecture]) -> Array:
            with torch.no_grad():
                predicted: Tensor = network(encode(architectures))[:, :, 0]
            return predicted.double().numpy()

        return predict


class PathEncoding:
    """One indicator for each of the most frequent paths, where a path is a sequence of operations from input to output.

    The paper leaves out the paths that are least likely in a random cell. Here the frequency is counted among the trials,
    which needs no model of random cells and serves any space.

    Args:
        graphs: Graphs of the ``n`` trials. A path that none of them has says nothing about a candidate.
        length: Most indicators ``q``, the truncation.
    """

    def __init__(self, graphs: GraphBatch, *, length: int) -> None:
        counts = Counter(path for present in paths(graphs) for path in present)
        # Ties are broken by the path itself, so that the encoding does not depend on the order of the trials.
        common = sorted(counts, key=lambda path: (-counts[path], len(path), path))[:length]
        self._positions = {path: i for i, path in enumerate(common)}

    def __call__(self, graphs: GraphBatch) -> Array:
        """Return ``(b, q)`` zeros and ones."""
        encoded = np.zeros((len(graphs), len(self._positions)))
        for row, present in zip(encoded, paths(graphs), strict=True):
            row[[self._positions[path] for path in present if path in self._positions]] = 1.0
        return encoded


def paths(graphs: GraphBatch) -> list[frozenset[Path]]:
    """List, for each discrete graph, every sequence of operations that leads from an input to an output."""
    incoming = graphs.adjacency.transpose(1, 2).bool().tolist()
    return [_paths(o, i, graphs.inputs, graphs.outputs) for o, i in zip(labels(graphs), incoming, strict=True)]


def _paths(
    operations: Sequence[int], incoming: Sequence[Sequence[bool]], inputs: Sequence[int], outputs: Sequence[int]
) -> frozenset[Path]:
    ending: list[list[Path]] = []
    # Nodes are in topological order, so the paths that end in all predecessors of a node are there before its own.
    for node, operation in enumerate(operations):
        arriving: set[Path] = {()} if node in inputs else set()
        for before in range(node):
            if incoming[node][before]:
                arriving.update(ending[before])
        # Cut at every node and not at the end: each node may multiply the number of paths.
        shortest = sorted(arriving, key=lambda path: (len(path), path))[:LONGEST]
        ending.append([(*path, operation) for path in shortest])
    return frozenset(path for node in outputs for path in ending[node])
