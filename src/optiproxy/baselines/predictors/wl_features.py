"""Weisfeiler-Lehman features of graphs (Shervashidze et al., JMLR 2011)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from optiproxy.baselines.ranking import Array
from optiproxy.spaces import GraphBatch

Histogram = Counter[Hashable]


def histograms(graphs: GraphBatch, depth: int) -> list[list[Histogram]]:
    """Of each discrete graph, how often each label occurs: ``depth + 1`` histograms, cumulative over the iterations.

    A node's label is first its operation, then, in each iteration, its label together with those of its predecessors.
    Nodes on no path from an input to an output take no part.
    """
    operations = graphs.operations.argmax(2).tolist()
    incoming = graphs.adjacency.transpose(1, 2).bool().tolist()
    return [
        _histograms(o, _live(e, graphs.inputs, graphs.outputs), depth)
        for o, e in zip(operations, incoming, strict=True)
    ]


def features(counted: Sequence[Histogram], vocabulary: dict[Hashable, int]) -> Array:
    """``(b, len(vocabulary) + 1)`` counts of each label, divided so that every row has a Euclidean length of 1.

    The last column holds the length of all labels outside the vocabulary together. Products with rows that have none,
    those of the trials, are the normalised Weisfeiler-Lehman kernel, and so is the product of a row with itself.
    """
    found = np.zeros((len(counted), len(vocabulary) + 1))
    for row, histogram in zip(found, counted, strict=True):
        for label, count in histogram.items():
            if label in vocabulary:
                row[vocabulary[label]] = count
            else:
                row[-1] += count**2
        row[-1] **= 0.5
    lengths: Array = np.linalg.norm(found, axis=1, keepdims=True)
    return found / np.where(lengths > 0, lengths, 1.0)


def _histograms(operations: Sequence[int], incoming: dict[int, list[int]], depth: int) -> list[Histogram]:
    labels: dict[int, Hashable] = {node: operations[node] for node in incoming}
    counts: Histogram = Counter(labels.values())
    found = [counts.copy()]
    for _ in range(depth):
        labels = {
            n: (labels[n], tuple(sorted((labels[i] for i in before), key=repr))) for n, before in incoming.items()
        }
        counts.update(labels.values())
        found.append(counts.copy())
    return found


def _live(incoming: Sequence[Sequence[bool]], inputs: Sequence[int], outputs: Sequence[int]) -> dict[int, list[int]]:
    """Node -> its predecessors, of the nodes on a path from an input to an output."""
    before = [[i for i in range(node) if row[i]] for node, row in enumerate(incoming)]
    reached: set[int] = set()
    for node, sources in enumerate(before):
        if node in inputs or reached.intersection(sources):
            reached.add(node)
    needed: set[int] = set()
    for node in reversed(range(len(before))):
        if node in outputs or node in needed:
            needed.update((node, *before[node]))
    live = reached & needed
    return {node: [i for i in before[node] if i in live] for node in sorted(live)}
