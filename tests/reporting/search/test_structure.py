from __future__ import annotations

import re

import numpy as np
import pytest

from optiproxy.reporting.search.structure import structure
from optiproxy.spaces import FlatSpace, Float, Int, NASBench201, Space
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


@pytest.mark.slow
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


@pytest.mark.parametrize("rate", [1e-4, 0.003, 0.05, 0.1])
def test_a_number_is_shown_by_its_value_wherever_it_lies_in_its_range(rate):
    space = FlatSpace({"rate": Float(1e-4, 0.1, log=True), "depth": Int(1, 4), "activation": ["relu", "gelu"]})
    found = structure(space, space.architecture({"rate": rate, "depth": 4, "activation": "gelu"}))
    assert [(node.label, node.detail) for node in found.nodes[1:-1]] == [
        (str(rate), "rate"),
        ("4", "depth"),
        ("gelu", "activation"),
    ]
    assert found.idle == ()


def test_numbers_are_shown_where_they_matter_and_have_no_color():
    def suggest(trial):
        for layer in range(trial.suggest_int("layers", 1, 2)):
            trial.suggest_float(f"dropout_{layer}", 0.0, 0.5)

    space = Space.from_optuna(suggest)
    for layers in (1, 2):
        values = {"layers": layers, "dropout_0": 0.25, "dropout_1": 0.0}
        nodes = structure(space, space.architecture(values)).nodes[1:-1]
        assert {node.detail: node.label for node in nodes} == {
            name: str(value) for name, value in values.items() if layers == 2 or name != "dropout_1"
        }
        # Of choices that several decisions offer, equal ones have one color; of numbers there would be thousands.
        assert all(node.hue is None for node in nodes)
