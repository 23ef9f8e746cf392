from __future__ import annotations

import numpy as np
import pytest

from optiproxy.reporting.drawing import draw
from optiproxy.reporting.structure import structure
from optiproxy.spaces import FlatSpace, NASBench201


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


def test_equal_operations_have_equal_hues_only_where_choices_are_shared():
    nodes = structure(NASBench201(), (3, 3, 2, 1, 3, 4)).nodes
    by_label = {node.label: {other.hue for other in nodes if other.label == node.label} for node in nodes}
    assert all(len(hues) == 1 for hues in by_label.values())
    assert len({node.hue for node in nodes if node.detail}) == 4
    assert {node.hue for node in structure(FlatSpace({"a": [1, 2], "b": ["x", "y"]}), (0, 1)).nodes} == {None}


def test_a_dead_cell_can_still_be_drawn():
    found = structure(NASBench201(), (0,) * 6)
    assert [node.label for node in found.nodes] == ["input", "output"]
    assert found.edges == ()
    assert "output" in draw(found, label="nothing flows")


@pytest.mark.parametrize("decisions", [1, 12])
def test_a_drawing_holds_every_node_once(decisions):
    space = FlatSpace({f"decision {i}": ["left", "right"] for i in range(decisions)})
    picture = draw(structure(space, (0,) * decisions), label="chain")
    assert picture.count("<rect") == decisions + 2
    assert picture.count('class="edge"') == decisions + 1
