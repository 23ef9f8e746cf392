"""The path encoding of architectures (White, Neiswanger and Savani, AAAI 2021, section 4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from optiproxy.baselines.ranking import Array
from optiproxy.spaces import GraphBatch

Path = tuple[int, ...]
"""The operations met on the way from an input to an output."""

LONGEST = 200
"""Paths kept per node, the shortest ones; cells have fewer, whole networks may have millions."""


def paths(graphs: GraphBatch) -> list[frozenset[Path]]:
    """Of each discrete graph, every sequence of operations that leads from an input to an output."""
    operations = graphs.operations.argmax(2).tolist()
    edges = graphs.adjacency.transpose(1, 2).bool().tolist()
    return [_paths(o, e, graphs.inputs, graphs.outputs) for o, e in zip(operations, edges, strict=True)]


def _paths(
    operations: Sequence[int], incoming: Sequence[Sequence[bool]], inputs: Sequence[int], outputs: Sequence[int]
) -> frozenset[Path]:
    found: list[list[Path]] = []
    for node, operation in enumerate(operations):
        arriving: set[Path] = {()} if node in inputs else set()
        for before in range(node):
            if incoming[node][before]:
                arriving.update(found[before])
        shortest = sorted(arriving, key=lambda path: (len(path), path))[:LONGEST]
        found.append([(*path, operation) for path in shortest])
    return frozenset(path for node in outputs for path in found[node])


class PathEncoding:
    """One indicator per path; the paths are those that the most trials have.

    Args:
        graphs: Of the trials. A path that none of them has says nothing about a candidate.
        length: Indicators at most: the truncated encoding of the paper.
    """

    def __init__(self, graphs: GraphBatch, *, length: int) -> None:
        counts = Counter(path for has in paths(graphs) for path in has)
        common = sorted(counts, key=lambda path: (-counts[path], len(path), path))[:length]
        self._positions = {path: i for i, path in enumerate(common)}

    def __call__(self, graphs: GraphBatch) -> Array:
        """``(b, length)``, zeros and ones."""
        encoded = np.zeros((len(graphs), len(self._positions)))
        for row, has in zip(encoded, paths(graphs), strict=True):
            row[[self._positions[path] for path in has if path in self._positions]] = 1.0
        return encoded
