"""The figures of a search as data, and that their drawings use nothing else."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.reporting.search.figures import hypervolume, predictions, progress, tradeoffs
from optiproxy.reporting.search.gallery import STYLES
from optiproxy.reporting.search.structure import structure
from optiproxy.reporting.svg import chart
from optiproxy.spaces import NASBench201
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


def test_predictions_say_how_often_their_intervals_held(result):
    found = result([{"accuracy": float(i)} for i in range(24)], predicted={"accuracy": 1.0})
    (figure,) = predictions(found)
    assert "interval" not in figure.caption
    told = [replace(record, intervals={"accuracy": (0.0, 22.5)}) for record in found.records]
    (figure,) = predictions(replace(found, records=tuple(told)))
    assert "Of the 4 intervals of 90% since query 20, 3 (75%) held the measured value." in figure.caption
