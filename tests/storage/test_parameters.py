"""Architectures as Optuna parameters: there and back, whatever the choices are."""

from __future__ import annotations

import pytest
from torch import nn

from optiproxy.spaces import FlatSpace
from optiproxy.storage.parameters import Parameters

pytestmark = pytest.mark.filterwarnings("ignore:Choices for a categorical distribution should be")


@pytest.fixture
def flat() -> FlatSpace:
    return FlatSpace({"kernel": [3, 5, 7], "pool": ["max", "avg"], "skip": [True, False]})


def test_parameters_that_do_not_fit_are_no_architecture(flat):
    parameters = Parameters(flat)
    assert parameters.decode({"kernel": 3, "pool": "max"}) is None
    assert parameters.decode({"kernel": 4, "pool": "max", "skip": True}) is None
    assert parameters.decode({"kernel": [3], "pool": "max", "skip": True}) is None
    assert parameters.decode({"kernel": 3, "pool": "max", "skip": True, "more": 1}) == (0, 0, 0)


def test_choices_that_optuna_cannot_tell_apart_have_texts_of_their_own():
    parameters = Parameters(FlatSpace({"x": [1, True, None, "1"]}))
    assert parameters.distributions["x"].choices == ("1", "True", "None", "'1'")
    assert [parameters.decode(parameters.encode((i,))) for i in range(4)] == [(0,), (1,), (2,), (3,)]


def test_they_hold_labels_or_objects():
    space = FlatSpace({"act": [nn.ReLU, abs, (1, 2), [3], None]})
    labels, objects = Parameters(space), Parameters(space, objects=True)
    assert labels.distributions["act"].choices == ("ReLU", "abs", "(1, 2)", "[3]", None)
    assert objects.distributions["act"].choices == (nn.ReLU, abs, (1, 2), [3], None)
    for parameters in (labels, objects):
        assert [parameters.decode(parameters.encode((i,))) for i in range(5)] == [(i,) for i in range(5)]
    assert labels.position("act", nn.ReLU) is objects.position("act", "ReLU") is None


def test_1_and_true_are_told_apart_where_both_are_choices_and_else_are_one():
    parameters = Parameters(FlatSpace({"x": [1, True], "y": [0, "a"], "z": [False, "a"]}), objects=True)
    assert [parameters.position("x", value) for value in (1, True)] == [0, 1]
    assert parameters.position("y", False) == parameters.position("z", 0) == 0
