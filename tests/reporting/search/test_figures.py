"""The figures of a search as data, and that their drawings use nothing else."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, replace

import numpy as np

from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.reporting.search.figures import hypervolume, predictions, progress, structure, tradeoffs
from optiproxy.reporting.search.page import STYLES
from optiproxy.reporting.svg import chart
from optiproxy.spaces import FlatSpace, NASBench201
from optiproxy.spaces.published.nasbench101 import NASBench101
from optiproxy.spaces.published.recurrent import RecurrentSpace
from optiproxy.task.protocol import QueryProtocol

TWO = Goal((Objective("accuracy"), Objective("latency", "min")), (Limit("params", 5.0),))
TRIALS = [
    {"accuracy": a, "latency": b, "params": c}
    for a, b, c in ((1.0, 1.0, 1.0), (2.0, 2.0, 2.0), (3.0, 3.0, 9.0), (2.0, 4.0, 1.0))
]


def by_name(figure):
    return {one.name: one for one in figure.series}


def test_progress_has_every_query_and_the_incumbent(result):
    figure = progress(result([{"accuracy": 0.5}, "out of memory", {"accuracy": math.nan}, {"accuracy": 0.75}]))
    series = by_name(figure)
    assert (series["feasible"].x, series["feasible"].y) == ((1, 4), (0.5, 0.75))
    assert (series["failed"].x, series["failed"].notes) == ((2,), ("#1: out of memory",))
    assert series["incumbent"].y == (0.5, 0.5, 0.5, 0.75)
    assert figure.y.low < 0.5
    assert figure.y.high > 0.75
    assert progress(result(["failed", "failed"])) is None


def test_progress_tells_fidelities_apart(result):
    found = result([{"accuracy": 0.5}, {"accuracy": 0.75}, {"accuracy": 0.625}])
    low = [replace(record, fidelity=5) for record in found.records[:2]]
    protocol = QueryProtocol(fidelity=5, promote=1, full=50)
    figure = progress(replace(found, records=(*low, found.records[2]), protocol=protocol, budget=2, optimum=0.9))
    series = by_name(figure)
    assert (series["feasible"].y, series["feasible, full fidelity"].y) == ((0.5, 0.75), (0.625,))
    assert series["incumbent"].y == (None, None, 0.625)
    assert [line.value for line in figure.references] == [0.9]


def test_tradeoffs_have_the_front_and_the_limits(result):
    costs, limited = tradeoffs(result(TRIALS, goal=TWO))
    assert (costs.x.title, costs.y.title, limited.x.title) == ("latency", "accuracy", "params")
    series = by_name(costs)
    assert set(zip(series["front"].x, series["front"].y, strict=True)) == {(1, 1), (2, 2)}
    assert (series["infeasible"].x, series["feasible"].x) == ((3,), (4,))
    assert [(line.value, line.axis) for line in limited.references] == [(5.0, "x")]


def test_the_hypervolume_grows_to_the_whole_front(result):
    found = result(TRIALS, goal=TWO)
    (series,) = hypervolume(found).series
    assert series.y == tuple(found.hypervolume_so_far)
    assert hypervolume(result(TRIALS)) is None


def test_predictions_stand_against_what_was_observed(result):
    found = result([{"accuracy": 1.0}, {"accuracy": 3.0}, {"accuracy": 2.0}])
    records = [
        replace(record, predicted={"accuracy": value}) for record, value in zip(found.records, (1, 2, 3), strict=True)
    ]
    (figure,) = predictions(replace(found, records=tuple(records)))
    (series,) = figure.series
    assert (series.x, series.y, figure.diagonal) == ((1, 2, 3), (1, 3, 2), True)
    assert (figure.x.low, figure.x.high) == (figure.y.low, figure.y.high)
    assert "0.50" in figure.caption
    constant = [replace(record, predicted={"accuracy": 1.0}) for record in found.records]
    (figure,) = predictions(replace(found, records=tuple(constant)))
    assert "undefined" in figure.caption


def test_figures_are_json_and_are_drawn_from_it_alone(result, through_json):
    found = result(TRIALS, goal=TWO, predicted={"accuracy": 1.5})
    figures = [progress(found), hypervolume(found), *tradeoffs(found), *predictions(found)]
    assert len(figures) == 5
    for figure in figures:
        kept = through_json(figure)
        assert kept == figure
        assert chart.draw(kept, STYLES) == chart.draw(figure, STYLES)
    drawn = structure(NASBench201(), (3, 3, 2, 1, 3, 4))
    assert len(json.loads(json.dumps(asdict(drawn)))["nodes"]) == len(drawn.nodes)


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
