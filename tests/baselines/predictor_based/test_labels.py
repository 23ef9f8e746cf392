from __future__ import annotations

import numpy as np
import torch

from optiproxy.baselines.predictor_based.labels import labels
from optiproxy.spaces import FlatSpace, Float, GriddedSpace, NASBench201


def test_a_node_of_one_operation_is_called_by_its_position():
    space = NASBench201()
    graphs = space.encode(space.one_hot(space.sample(np.random.default_rng(0), 50)))
    assert labels(graphs) == graphs.operations.argmax(2).tolist()


def test_numbers_have_one_name_for_each_level_and_decision():
    space = GriddedSpace(FlatSpace({"a": Float(0.0, 1.0), "b": Float(0.0, 1.0), "c": ["x", "y"]}))
    named = labels(space.encode(space.one_hot([(level, level, 0) for level in range(16)])))
    first, second = ({graph[node] for graph in named} for node in (1, 2))
    assert len(first) == len(second) == 16
    assert not first & second
    # The same whatever else is in the batch, and none that an operation has.
    alone = labels(space.encode(space.one_hot([(3, 3, 1)])))[0]
    assert alone[1:3] == named[3][1:3]
    assert min(first | second) > torch.iinfo(torch.int16).max
