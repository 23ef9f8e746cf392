from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from optiproxy.proxy.encoder import structural_properties
from optiproxy.spaces import FlatSpace, GraphBatch, NASBench201


def paths(adjacency, inputs, outputs):
    """Every path from an input to an output, by walking."""
    found = []

    def walk(path):
        if path[-1] in outputs:
            found.append(tuple(path))
        for following in range(path[-1] + 1, len(adjacency)):
            if adjacency[path[-1], following]:
                walk([*path, following])

    for node in inputs:
        walk([node])
    return found


def by_enumeration(operations, adjacency, inputs, outputs):
    found = paths(adjacency, inputs, outputs)
    live = sorted({node for path in found for node in path})
    edges = {pair for path in found for pair in itertools.pairwise(path)}
    features = operations.shape[1]
    counts = [sum(operations[node, f] for node in live) for f in range(features)]
    chains = [[sum(operations[node, f] for node in path) for path in found] for f in range(features)]
    chains.append([len(path) for path in found])
    longest, shortest = ([extreme(lengths, default=-1) for lengths in chains] for extreme in (max, min))
    return [*counts, *longest, *shortest, math.log1p(len(found)), len(edges)]


def check(graphs):
    properties = structural_properties(graphs)
    assert properties.shape == (len(graphs), 3 * graphs.operations.shape[2] + 4)
    for row, operations, adjacency in zip(properties, graphs.operations, graphs.adjacency, strict=True):
        expected = by_enumeration(operations.numpy(), adjacency.numpy(), graphs.inputs, graphs.outputs)
        np.testing.assert_allclose(row.numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "space",
    [NASBench201(), FlatSpace({"kernel": [3, 5, 7], "pool": ["max"], "skip": [True, False]})],
    ids=["cell", "flat"],
)
def test_properties_of_a_space_are_those_found_by_walking_every_path(space):
    architectures = space.sample(np.random.default_rng(0), 200)
    check(space.encode(space.one_hot([(0,) * len(space.decisions), *architectures])))


@pytest.mark.parametrize(("inputs", "outputs"), [((0,), (6,)), ((0, 1), (5, 6)), ((0, 3), (3, 6)), ((2,), (1,))])
def test_properties_of_any_graph_are_those_found_by_walking_every_path(inputs, outputs):
    """Also where inputs lie behind inputs, where an input is an output, and where there is no way through."""
    rng = np.random.default_rng(1)
    adjacency = np.triu(rng.random((60, 7, 7)) < 0.4, k=1).astype(np.float32)
    operations = np.eye(4, dtype=np.float32)[rng.integers(0, 4, (60, 7))]
    check(GraphBatch(torch.tensor(operations), torch.tensor(adjacency), inputs, outputs))


def test_a_dead_graph_has_nothing():
    space = NASBench201()
    (row,) = structural_properties(space.encode(space.one_hot([(0,) * 6]))).tolist()
    assert row == [0.0] * 7 + [-1.0] * 16 + [0.0] * 2
