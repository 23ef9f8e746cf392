from __future__ import annotations

import math
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch

from optiproxy.execution.evaluation import evaluate
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.spaces import FlatSpace
from optiproxy.task.function import FunctionTask
from optiproxy.task.values import WrongValueError, checked

GOAL = Goal((Objective("accuracy"),), (Limit("latency", 2.0),))
SPACE = FlatSpace({"a": [1, 2]})


def _evaluated(function, goal=GOAL, known=None):
    return evaluate(FunctionTask(SPACE, function, goal=goal, isolated=False), (0,), goal, seed=0, known=known or {})


@pytest.mark.parametrize("value", [1, 1.0, np.float32(1), np.int64(1), torch.tensor(1.0), Fraction(1)])
def test_numbers_of_any_library_are_taken(value):
    assert checked({"accuracy": value}, GOAL).metrics == {"accuracy": 1.0}
    assert type(checked({"accuracy": value}, GOAL).metrics["accuracy"]) is float


@pytest.mark.parametrize("value", ["0.9", b"0.9", True, None, [0.9], {}, object(), 1j, torch.ones(2)])
def test_anything_else_is_named(value):
    with pytest.raises(WrongValueError, match="Expected a number for 'accuracy', got"):
        checked({"accuracy": value}, GOAL)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_an_objective_has_to_be_finite(value):
    with pytest.raises(WrongValueError, match=f"The objective 'accuracy' is {value}"):
        checked({"accuracy": value}, GOAL)


def test_an_objective_has_to_be_there():
    with pytest.raises(WrongValueError, match=r"'accuracy' is missing among \['loss'\]"):
        checked({"loss": 1.0}, GOAL)


def test_another_metric_that_is_nan_counts_as_missing():
    assert checked({"accuracy": 1.0, "latency": math.nan, "loss": 3}, GOAL).metrics == {"accuracy": 1.0, "loss": 3.0}


def test_a_float_is_the_single_objective():
    assert _evaluated(lambda a: a["a"] / 2).metrics == {"accuracy": 0.5}


def test_a_float_cannot_be_two_objectives():
    evaluation = _evaluated(lambda _: 0.5, Goal((Objective("accuracy"), Objective("latency", "min"))))
    assert evaluation.reason == "Expected a mapping with accuracy, latency, got one value: 0.5."


def test_what_was_known_before_counts():
    assert _evaluated(lambda _: {"accuracy": 1, "latency": 9}, known={"latency": 1.5}).metrics["latency"] == 1.5


def _raise(error):
    raise error


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda _: _raise(ValueError("no\n  good")), "ValueError: no good (a=1)"),
        (lambda _: _raise(MemoryError()), "MemoryError (a=1)"),
        (lambda _: sys.exit(3), "SystemExit: 3 (a=1)"),
        (lambda _: None, "Expected a number for 'accuracy', got NoneType None."),
        (lambda _: "high", "Expected a number for 'accuracy', got str 'high'."),
        (lambda _: {}, "The objective 'accuracy' is missing among []."),
    ],
)
def test_a_failure_is_told_in_one_line(function, reason):
    evaluation = _evaluated(function)
    assert (evaluation.metrics, evaluation.reason) == ({}, reason)


def test_an_interrupt_passes_through():
    with pytest.raises(KeyboardInterrupt):
        _evaluated(lambda _: _raise(KeyboardInterrupt()))
