from __future__ import annotations

import numpy as np
import torch

from optiproxy.baselines.predictor_based.bananas import LONGEST, PathEncoding, paths
from optiproxy.spaces import FlatSpace, GraphBatch, NASBench201

NONE, SKIP, CONV1, CONV3, POOL, IN, OUT = range(7)


def _paths_of(*architectures):
    space = NASBench201()
    return paths(space.encode(space.one_hot(architectures)))


def test_paths_of_a_cell():
    # Edges 0->1, 0->2, 1->2, 0->3, 1->3, 2->3.
    (found,) = _paths_of((CONV3, NONE, POOL, SKIP, NONE, CONV1))
    assert found == {(IN, SKIP, OUT), (IN, CONV3, POOL, CONV1, OUT)}


def test_a_cell_without_a_way_through_has_no_path():
    assert _paths_of((CONV3, CONV3, CONV3, NONE, NONE, NONE)) == [frozenset()]


def test_equal_paths_count_once():
    (found,) = _paths_of((CONV3, CONV3, SKIP, NONE, CONV1, CONV1))
    assert found == {(IN, CONV3, CONV1, OUT), (IN, CONV3, SKIP, CONV1, OUT)}


def test_the_path_of_a_chain_is_the_architecture():
    space = FlatSpace({"a": [0, 1], "b": [0, 1, 2]})
    found = paths(space.encode(space.one_hot([(1, 2), (1, 1)])))
    assert [len(has) for has in found] == [1, 1]
    assert found[0] != found[1]


def test_only_the_shortest_of_many_are_kept():
    v = 30
    complete = GraphBatch(
        torch.ones(1, v, 1), torch.ones(v, v).triu(1)[None], inputs=(0,), outputs=(v - 1,)
    )  # of 2^28 ways, one operation each: their lengths tell them apart
    (found,) = paths(complete)
    assert len(found) == 29
    tagged = GraphBatch(torch.eye(v)[None], complete.adjacency, inputs=(0,), outputs=(v - 1,))
    (found,) = paths(tagged)
    assert len(found) == LONGEST
    assert (0, 29) in found


def test_the_encoding_is_what_the_trials_have_in_common():
    space = NASBench201()
    trials = [(CONV3, NONE, NONE, SKIP, NONE, NONE), (CONV1, NONE, NONE, SKIP, CONV1, NONE)]
    encoding = PathEncoding(space.encode(space.one_hot(trials)), length=10)
    candidates = [*trials, (NONE, NONE, NONE, POOL, NONE, NONE)]
    encoded = encoding(space.encode(space.one_hot(candidates)))
    assert encoded.tolist() == [[1, 0], [1, 1], [0, 0]]  # skip, which both have, first


def test_the_encoding_is_truncated():
    space = NASBench201()
    graphs = space.encode(space.one_hot(space.sample(np.random.default_rng(0), 50)))
    full = PathEncoding(graphs, length=1000)(graphs)
    assert full.shape[1] > 20
    assert (PathEncoding(graphs, length=20)(graphs) == full[:, :20]).all()
    assert (np.diff(full.sum(0)) <= 0).all()  # the most frequent first
