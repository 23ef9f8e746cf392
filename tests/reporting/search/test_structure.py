from __future__ import annotations

import re

import numpy as np

from optiproxy.reporting.search.structure import structure
from optiproxy.spaces import FlatSpace, NASBench201
from optiproxy.spaces.published.nasbench101 import NASBench101
from optiproxy.spaces.published.recurrent import RecurrentSpace


def test_a_flat_space_is_a_chain_of_its_choices():
    space = FlatSpace({"kernel": [3, 5], "pool": ["max", "avg"], "bias": [True, False]})
    found = structure(space, (1, 0, 1))
    assert [(node.label, node.detail) for node in found.nodes] == [
        ("input", ""),
        ("5", "kernel"),
        ("max", "pool"),
        ("False", "bias"),
        ("output", ""),
    ]
    assert found.edges == ((0, 1), (1, 2), (2, 3), (3, 4))
    assert found.idle == ()


def test_a_cell_shows_what_data_flows_through_and_names_the_rest():
    space = NASBench201()
    values = {
        "op_0_1": "nor_conv_3x3",
        "op_0_2": "none",
        "op_1_2": "none",
        "op_0_3": "skip_connect",
        "op_1_3": "none",
        "op_2_3": "avg_pool_3x3",
    }
    found = structure(space, space.architecture(values))
    assert [node.label for node in found.nodes] == ["input", "skip_connect", "output"]
    assert found.edges == ((0, 1), (1, 2))
    assert [(node.detail, node.label) for node in found.idle] == [(k, v) for k, v in values.items() if k != "op_0_3"]


def test_every_decision_of_a_cell_is_named_once():
    space = NASBench201()
    for architecture in space.sample(np.random.default_rng(0), 20):
        found = structure(space, architecture)
        told = {node.detail: node.label for node in (*found.nodes, *found.idle) if node.detail}
        assert told == space.values(architecture)


def test_a_recurrent_cell_shows_its_nodes_and_the_states_that_it_has():
    space = RecurrentSpace()
    for architecture in map(space.canonical, space.sample(np.random.default_rng(0), 20)):
        cell, found = space.cell(architecture), structure(space, architecture)
        states = range(len(cell.hidden))
        ends = ["input", *(f"h_prev_{k}" for k in states), "output", *(f"h_new_{k}" for k in states[1:])]
        operations = [re.sub(r"_[0-9]$", "", node.label) for node in found.nodes if node.label not in ends]
        assert sorted(operations) == sorted(node.operation for node in cell.nodes)
        assert [node.label for node in found.nodes if node.label in ends] == ends
        assert len(found.edges) == sum(len(node.inputs) for node in cell.nodes) + len(cell.hidden)
        assert found.idle == ()


def test_edges_that_are_decisions_of_their_own_do_not_name_nodes():
    space = NASBench101()
    for architecture in space.sample(np.random.default_rng(0), 10):
        operations = {node.label for node in structure(space, architecture).nodes} - {"input", "output"}
        assert operations <= {"conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"}


def test_equal_operations_have_equal_hues_only_where_choices_are_shared():
    nodes = structure(NASBench201(), (3, 3, 2, 1, 3, 4)).nodes
    by_label = {node.label: {other.hue for other in nodes if other.label == node.label} for node in nodes}
    assert all(len(hues) == 1 for hues in by_label.values())
    assert len({node.hue for node in nodes if node.detail}) == 4
    assert {node.hue for node in structure(FlatSpace({"a": [1, 2], "b": ["x", "y"]}), (0, 1)).nodes} == {None}
