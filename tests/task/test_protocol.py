from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Limit, Metric, Objective
from optiproxy.spaces import FlatSpace
from optiproxy.task.protocol import QueryProtocol
from optiproxy.task.task import Source, Task

LIMITS = (Limit("latency", 2.0), Limit("params", 9.0), Limit("loss", 1.0))


class _Task(Task):
    name = "task"
    space = FlatSpace({"a": [1, 2]})
    metrics = (
        Metric(name="accuracy", direction="max"),
        Metric(name="loss", direction="min"),
        Metric(name="params", direction="min", free=True),
        Metric(name="latency", direction="min", free=True),
    )
    goal = Goal((Objective("accuracy"),), LIMITS)
    source = Source("made-up", "nothing")
    queried = ("latency",)

    def __init__(self, fidelities=(5, 15, 50), search_fidelity=None, promote=10):
        self.fidelities, self.search_fidelity, self.promote = fidelities, search_fidelity, promote

    def evaluate(self, architecture, *, seed=0, fidelity=None):
        raise AssertionError("a protocol is settled without any evaluation")


def _of(task=None, goal=None, **asked):
    task = task or _Task()
    return QueryProtocol.of(task, goal or task.goal, **asked)


def test_what_is_free_stays_so_and_what_is_queried_becomes_so_when_asked():
    assert _of().free == ("params",)
    assert _of().queried(_Task.goal) == ("latency", "loss")
    freed = _of(free=["latency"])
    assert freed.free == ("latency", "params")
    assert freed.queried(_Task.goal) == ("loss",)
    assert _of(free=["latency", "params", "latency"]) == freed


def test_only_what_has_a_limit_makes_a_difference():
    goal = Goal(_Task.goal.objectives, LIMITS[:1])
    assert _of(goal=goal).free == ()
    assert _of(goal=goal, free=["params"]) == _of(goal=goal)


@pytest.mark.parametrize(
    ("free", "told"),
    [
        ("accuracy", "'accuracy' of task is known only after training.*can: params, latency"),
        ("loss", "known only after training"),
        ("latncy", "Unknown metric 'latncy'. Did you mean 'latency'"),
    ],
)
def test_what_only_a_training_tells_cannot_be_free(free, told):
    with pytest.raises(UsageError, match=told):
        _of(free=[free])


def test_the_full_fidelity_is_no_lower_one():
    assert _of() == _of(fidelity=50) == _of(fidelity=50, promote=0)
    assert (_of().fidelity, _of().promote, _of().full, _of().queries(100)) == (None, 0, 50, 100)


def test_a_lower_fidelity_promotes_on_top_of_the_budget():
    found = _of(fidelity=5)
    assert (found.fidelity, found.promote, found.full, found.queries(100)) == (5, 10, 50, 110)
    assert (found.epochs(5), found.epochs(None)) == (5, 50)
    assert _of(fidelity=5, promote=3).promote == 3


def test_a_task_may_be_searched_at_a_lower_fidelity_by_itself():
    task = _Task(search_fidelity=15, promote=4)
    assert (_of(task).fidelity, _of(task).promote) == (15, 4)
    assert (_of(task, fidelity=5).fidelity, _of(task, promote=7).promote) == (5, 7)
    assert (_of(task, fidelity=50).fidelity, _of(task, fidelity=50).promote) == (None, 0)


def test_a_task_with_one_fidelity_counts_no_epochs():
    assert _of(_Task(())).full is None
    assert _of(_Task(())).epochs(None) is None


@pytest.mark.parametrize(
    ("fidelities", "asked", "told"),
    [
        ((5, 15, 50), {"fidelity": 6}, "has the fidelities 5, 15, 50, got 6"),
        ((5, 15, 50), {"fidelity": 0}, "got 0"),
        (tuple(range(1, 99)), {"fidelity": 99}, "has the fidelities 1 to 98, got 99"),
        ((), {"fidelity": 5}, "has one fidelity only, got 5. Leave it out"),
        ((5, 15, 50), {"promote": 3}, "at the full one already"),
        ((5, 15, 50), {"fidelity": 50, "promote": 3}, "at the full one already"),
        ((), {"promote": 3}, "at the full one already"),
        ((5, 15, 50), {"fidelity": 5, "promote": 0}, "promote at least 1 architecture, got 0.*evaluations at 50"),
        ((5, 15, 50), {"fidelity": 5, "promote": -1}, "got -1"),
    ],
)
def test_what_makes_no_sense_is_named(fidelities, asked, told):
    with pytest.raises(UsageError, match=told):
        _of(_Task(fidelities), **asked)


def test_survives_json():
    protocol = _of(free=["latency"], fidelity=5)
    again = QueryProtocol.from_json(json.loads(json.dumps(asdict(protocol))))
    assert again == protocol
    assert again.full == 50
