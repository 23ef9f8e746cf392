from __future__ import annotations

import math

import numpy as np
import pytest

from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Limit, Metric, Objective
from optiproxy.searching.run import run
from optiproxy.searching.settings import SearchSettings
from optiproxy.spaces import FlatSpace
from optiproxy.tables import TableTask
from optiproxy.task.task import Source

METRICS = (
    Metric(name="accuracy", direction="max"),
    Metric(name="test", direction="max", reported_only=True),
    Metric(name="latency", direction="min", free=True),
)
COLUMNS = {
    "accuracy": np.array([70.0, 90.0, math.nan]),
    "test": np.array([71.0, 89.0, 50.0]),
    "latency": np.array([1.0, 5.0, math.nan]),
}


GOAL = Goal((Objective("accuracy"),))


def table(goal=GOAL, **changes):
    arguments = {
        "metrics": METRICS,
        "goal": goal,
        "source": Source("made-up", "three rows"),
        "architectures": np.array([[0, 1], [1, 0], [1, 1]]),
        "columns": COLUMNS,
    }
    return TableTask("example", FlatSpace({"a": [1, 2], "b": [1, 2]}), **{**arguments, **changes})


def test_evaluation_looks_up_the_row_of_the_architecture():
    assert table().evaluate((0, 1)) == {"accuracy": 70.0, "test": 71.0, "latency": 1.0}
    assert table().evaluate((1, 0), seed=5) == {"accuracy": 90.0, "test": 89.0, "latency": 5.0}


def test_what_was_not_measured_is_left_out():
    assert table().evaluate((1, 1)) == {"test": 50.0}
    assert table().free_metrics((1, 1)) == {}


def test_free_metrics_are_those_declared_free():
    assert table().free_metrics((1, 0)) == {"latency": 5.0}


def test_an_architecture_that_is_not_in_the_table_is_refused():
    with pytest.raises(UsageError, match=r"example holds 3 architectures, and \(0, 0\) is none of them"):
        table().evaluate((0, 0))


@pytest.mark.parametrize(
    ("goal", "optimum"),
    [
        (Goal((Objective("accuracy"),)), 90.0),
        (Goal((Objective("accuracy", "min"),)), 70.0),
        (Goal((Objective("accuracy"),), (Limit("latency", 1.0),)), 70.0),
        (Goal((Objective("accuracy"),), (Limit("latency", 0.5),)), None),
        (Goal((Objective("accuracy"),), (Limit("latency", 1.5, ">="),)), 90.0),
        (Goal((Objective("latency", "min"), Objective("accuracy"))), 1.0),
    ],
)
def test_the_optimum_is_the_best_that_keeps_the_limits(goal, optimum):
    assert table(goal).optimum == optimum


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": {"accuracy": COLUMNS["accuracy"]}}, "Expected one column per metric"),
        ({"columns": {**COLUMNS, "test": np.array([1.0])}}, "Expected columns of 3 values"),
        ({"goal": Goal((Objective("test"),))}, "reported, never searched on"),
        ({"goal": Goal((Objective("loss"),))}, "Unknown metric 'loss'"),
    ],
)
def test_a_table_that_contradicts_itself_does_not_construct(changes, message):
    with pytest.raises(UsageError, match=message):
        table(**changes)


def at_two_fidelities(**changes):
    """The first metric was measured after 4 and after 12 epochs; the others do not depend on them."""
    accuracy = np.stack([[60.0, math.nan, 40.0], COLUMNS["accuracy"]], axis=1)
    return table(fidelities=(4, 12), columns={**COLUMNS, "accuracy": accuracy}, **changes)


def test_a_query_is_at_the_fidelity_that_was_asked_for():
    task = at_two_fidelities()
    assert task.evaluate((0, 1), fidelity=4) == {"accuracy": 60.0, "test": 71.0, "latency": 1.0}
    assert task.evaluate((0, 1), fidelity=12) == task.evaluate((0, 1)) == table().evaluate((0, 1))
    assert task.evaluate((1, 0), fidelity=4) == {"test": 89.0, "latency": 5.0}
    assert task.free_metrics((1, 0)) == {"latency": 5.0}


def test_the_optimum_is_of_full_trainings():
    assert at_two_fidelities().optimum == 90.0
    assert at_two_fidelities(goal=Goal((Objective("accuracy", "min"),))).optimum == 70.0


def test_another_fidelity_is_refused():
    with pytest.raises(UsageError, match="Task 'example' has the fidelities 4, 12, got 8"):
        at_two_fidelities().evaluate((0, 1), fidelity=8)
    with pytest.raises(UsageError, match="Task 'example' has one fidelity only, got 8"):
        table().evaluate((0, 1), fidelity=8)


@pytest.mark.parametrize("shape", [(3, 3), (3, 1), (2, 2), (3, 2, 1), ()])
def test_columns_have_one_value_per_fidelity_or_one_for_all(shape):
    with pytest.raises(UsageError, match="Expected columns of 3 values, one per architecture, for 2 fidelities"):
        table(fidelities=(4, 12), columns={**COLUMNS, "accuracy": np.zeros(shape)})


def test_an_architecture_has_one_row():
    with pytest.raises(UsageError, match="Expected each architecture of example once, got 1 of them again"):
        table(architectures=np.array([[0, 1], [1, 0], [0, 1]]))


def test_a_limit_on_what_most_rows_have_not_is_searched_on():
    """HW-NAS-Bench has no latency of many cells on one device; that another metric is called nearly so is no misspelling."""
    n = 12
    names = {"accuracy": "max", "latency_ms": "min", "gpu_latency_ms": "min"}
    metrics = tuple(Metric(name=name, direction=direction) for name, direction in names.items())
    latency = np.full(n, math.nan)
    latency[-1] = 1.0
    task = TableTask(
        "holes",
        FlatSpace({"a": [*range(n)]}),
        metrics=metrics,
        goal=Goal((Objective("accuracy"),), (Limit("latency_ms", 2.0),)),
        source=Source("made-up", "twelve rows"),
        architectures=np.arange(n)[:, None],
        columns={"accuracy": np.arange(n) / n, "latency_ms": latency, "gpu_latency_ms": np.ones(n)},
    )
    result = run(task, SearchSettings(algorithm="random", budget=n))
    assert len(result.records) == n
    assert result.best.architecture == (n - 1,)
