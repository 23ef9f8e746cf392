"""Learning curves, importances, parallel coordinates, and every figure as an object of its own."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import pytest

import optiproxy
from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.reporting.search.decisions import MOST_AXES, MOST_BARS, decision_importances, parallel_coordinates
from optiproxy.reporting.search.gallery import drawn, figures
from optiproxy.reporting.search.learning import learning_curves
from optiproxy.spaces import FlatSpace, Float, Int

SPACE = FlatSpace(
    {"depth": [1, 2, 4], "act": ["relu", "gelu"], "rate": Float(1e-4, 0.1, log=True), "useless": Int(1, 9)}
)
TWO = Goal((Objective("accuracy"), Objective("latency", "min")), (Limit("params", 30.0),))


def curved(found):
    """With a curve for each training, of which the one that failed is short."""
    records = [
        replace(record, curve={step: 1 - 1 / (step + record.number + 1) for step in range(5 if record.metrics else 2)})
        for record in found.records
    ]
    return replace(found, records=tuple(records))


@pytest.fixture
def whole(result):
    """A search with everything: two objectives, a limit, a failure, predictions and curves."""
    trials = [{"accuracy": n % 3 + n / 100, "latency": 3.0 * n, "params": 2.0 * n} for n in range(20)]
    return curved(result([*trials, "out of memory"], goal=TWO, space=SPACE, predicted={"accuracy": 1.0}))


def test_every_figure_has_its_name_is_json_and_is_drawn_from_it_alone(whole, through_json):
    found = figures(whole)
    assert optiproxy.figures is figures
    assert [*found] == [
        *("progress", "hypervolume", "accuracy-latency", "accuracy-params", "predictions-accuracy"),
        *("importance-accuracy", "importance-latency", "parallel-coordinates", "learning-curves"),
    ]
    for figure in found.values():
        assert through_json(figure) == figure
        assert drawn(through_json(figure)) == drawn(figure)


def test_of_what_is_not_there_there_is_no_figure(result):
    assert figures(result([])) == {}
    assert figures(result(["failed"] * 20)) == {}
    assert [*figures(result([{"accuracy": 1.0}] * 20))] == ["progress", "parallel-coordinates"]
    assert [*figures(result([{"accuracy": math.nan}] * 20))] == []


def test_the_best_learning_curve_is_on_top_and_failures_have_theirs(whole):
    figure = learning_curves(whole)
    assert len(figure.series) == 21
    assert (figure.series[0].name, figure.series[0].x) == ("failed", (0.0, 1.0))
    assert figure.series[-1].name == "front"
    assert "21 of 21 trainings" in figure.caption
    assert learning_curves(replace(whole, records=tuple(replace(r, curve={0: 1.0}) for r in whole.records))) is None


def test_what_the_objective_depends_on_matters_most(result):
    values = [
        result([{}] * 40, space=SPACE).space.values(r.architecture) for r in result([{}] * 40, space=SPACE).records
    ]
    (bars,) = decision_importances(result([{"accuracy": float(v["depth"] % 3)} for v in values], space=SPACE))
    assert bars.names[0] == "depth"
    assert bars.values[0] > 0.8
    assert sum(bars.values) == pytest.approx(1.0)
    assert decision_importances(result([{"accuracy": 1.0}] * 5, space=SPACE)) == []


def test_of_a_hundred_decisions_those_that_matter_are_shown(result):
    space = FlatSpace({f"d{i}": [0, 1] for i in range(40)})
    records = result([{}] * 30, space=space).records
    found = result([{"accuracy": float(r.architecture[3] + r.number / 50)} for r in records], space=space)
    (bars,) = decision_importances(found)
    assert len(bars.names) == MOST_BARS
    assert "first 15 of 40" in bars.caption
    figure = parallel_coordinates(found, [bars])
    assert [axis.title for axis in figure.axes] == [*bars.names[:MOST_AXES], "accuracy"]
    assert "Of 40 decisions" in figure.caption


def test_lines_run_across_decisions_and_metrics(whole):
    figure = parallel_coordinates(whole)
    assert [axis.title for axis in figure.axes] == ["depth", "act", "rate", "useless", "accuracy", "latency", "params"]
    assert figure.axes[1].labels == ("relu", "gelu")
    assert figure.axes[2].scale == "log"
    for line in figure.series:
        assert all(
            axis.low <= value <= axis.high for axis, value in zip(figure.axes, line.y, strict=True) if value is not None
        )
    assert figure.series[0].name == "failed"
    assert figure.series[0].y[4:] == (None, None, None)


@pytest.mark.slow
def test_matplotlib_draws_all_of_them(whole, tmp_path):
    pytest.importorskip("matplotlib")
    for name, figure in figures(whole).items():
        path = tmp_path / f"{name}.png"
        plot = figure.matplotlib()
        plot.savefig(path)
        assert plot.axes[0].get_title() == figure.title
        assert path.stat().st_size > 5000
        # What a notebook asks for, which knows nothing of matplotlib where pyplot was not imported.
        assert plot._repr_png_().startswith(b"\x89PNG")


def test_without_matplotlib_it_is_said_what_to_install(whole, monkeypatch):
    monkeypatch.delitem(sys.modules, "optiproxy.reporting.shown", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match="pip install matplotlib"):
        figures(whole)["progress"].matplotlib()
