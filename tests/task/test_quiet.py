from __future__ import annotations

import pickle
from dataclasses import dataclass

import pytest
import torch

from optiproxy.metrics import Goal, Limit, Metric, Objective
from optiproxy.spaces import FlatSpace
from optiproxy.task.function import FunctionTask
from optiproxy.task.quiet import is_quiet, quiet
from optiproxy.task.task import Source, Task
from optiproxy.training.costs import Costs, DeviceRunner
from optiproxy.training.repeating import Repeated

COSTS = Costs(torch.zeros(1, 4))


@quiet
def start_ms(built):
    return 1.0


@dataclass(frozen=True)
class Frozen:
    factor: float = 2.0

    def __call__(self, value):
        return self.factor * value


def test_a_function_is_marked_itself():
    assert is_quiet(start_ms)
    assert pickle.loads(pickle.dumps(start_ms)) is start_ms


def test_what_takes_no_mark_is_wrapped_and_travels():
    marked = quiet(Frozen())
    assert is_quiet(pickle.loads(pickle.dumps(marked)))
    assert marked(3.0) == 6.0
    assert not is_quiet(Frozen())


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (COSTS.latency_ms, True),
        (COSTS.onnx_latency_ms, True),
        (Repeated(COSTS.params), True),
        (COSTS.params, False),
        (COSTS.flops, False),
        (COSTS.memory_mb, False),
        # It measures elsewhere.
        (DeviceRunner("measure {model}", COSTS.example), False),
    ],
)
def test_times_on_this_machine_are_marked_and_counts_are_not(measure, expected):
    assert is_quiet(measure) is expected


def test_of_a_users_function_every_marked_metric_counts():
    goal = Goal((Objective("accuracy"),))
    free = {"latency_ms": COSTS.latency_ms, "params": COSTS.params}
    task = FunctionTask(FlatSpace({"a": [1, 2]}), lambda _: 1.0, goal=goal, isolated=True, free=free)
    assert task.quiet(goal) == ("latency_ms",)


class Timed(Task):
    name = "timed"
    space = FlatSpace({"a": [1, 2]})
    metrics = (
        Metric(name="score", direction="max"),
        Metric(name="ms", direction="min", free=True, quiet=True),
        Metric(name="training_ms", direction="min", quiet=True),
    )
    goal = Goal((Objective("score"),))
    source = Source("none", "made up")

    def evaluate(self, architecture, *, seed=0, fidelity=None):
        return {"score": 1.0}


@pytest.mark.parametrize(
    ("objectives", "limits", "expected"),
    [
        ("score", "", ()),
        ("ms", "", ("ms",)),
        ("score", "ms<=1", ("ms",)),
        ("score", "training_ms<=1", ()),
    ],
)
def test_of_a_task_what_the_goal_reads_counts(objectives, limits, expected):
    goal = Goal((Objective(objectives),), (Limit.parse(limits),) if limits else ())
    assert Timed().quiet(goal) == expected
