"""Every kind of space passes the suite that ships with the package."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from torch import nn

from optiproxy.nn import Cell, Value
from optiproxy.spaces import (
    DistinctSpace,
    FlatSpace,
    Float,
    Int,
    NASBench201,
    Ordered,
    PoolSpace,
    RestrictedSpace,
    Space,
    SpaceWrapper,
)
from optiproxy.testing import SpaceConformance


class TestNASBench201(SpaceConformance):
    @pytest.fixture
    def space(self):
        return NASBench201()


class TestFlatSpace(SpaceConformance):
    @pytest.fixture(
        params=[
            {"kernel": [3, 5, 7], "pool": ["max", "avg"], "bias": [True, False], "norm": [None, "batch"]},
            {"depth": range(1, 12)},
            {"look-alikes": [1, True, "1", 0, False], "floats": [0.1, 1e-9]},
            {"fixed": ["only"], "also fixed": [0]},
            {f"layer{i}": list(range(i + 1)) for i in range(9)},
            {
                "rate": Float(1e-4, 1e-1, log=True),
                "decay": Float(0, 1),
                "drop": Float(0, 0.5, step=0.1),
                "width": Int(8, 1024, log=True),
                "depth": Int(1, 4),
                "size": Ordered(["s", "m", "l"]),
                "batch": [16, 32, 64],
                "act": [nn.ReLU, nn.GELU],
            },
            {"many": [0.5 * i for i in range(100)], "fixed": Float(0.5, 0.5)},
        ],
        ids=["mixed", "one-decision", "look-alikes", "one-architecture", "ragged", "all-kinds", "many-in-order"],
    )
    def space(self, request):
        return FlatSpace(request.param)


def suggest_all_kinds(trial):
    if trial.suggest_categorical("optimizer", ["sgd", "adam"]) == "sgd":
        trial.suggest_float("momentum", 0.1, 0.99)
        trial.suggest_categorical("nesterov", [True, False])
    trial.suggest_float("rate", 1e-4, 1e-1, log=True)
    for layer in range(trial.suggest_int("layers", 1, 3)):
        trial.suggest_int(f"width{layer}", 8, 1024, log=True)
    trial.suggest_categorical("act", [nn.ReLU, nn.GELU])


class TestConditionalSpaceOfAllKinds(SpaceConformance):
    @pytest.fixture
    def space(self):
        return Space.from_optuna(suggest_all_kinds)


def _conditional():
    def suggest(trial):
        if trial.suggest_categorical("kind", ["cnn", "mlp"]) == "cnn":
            trial.suggest_categorical("kernel", [3, 5])
        trial.suggest_int("depth", 1, 3)

    return Space.from_optuna(suggest)


def _own_network():
    return Space.from_model(
        lambda: nn.Sequential(
            nn.Linear(4, width := Value([4, 8], name="width")),
            Cell({"a": nn.ReLU, "b": nn.Tanh}, nodes=2, name="cell"),
            nn.Linear(width, 2),
        )
    )


def _restricted(base):
    return RestrictedSpace(base, lambda architecture: architecture[-1] == 0 or architecture[0] == 0)


def _pool(base):
    drawn = base.sample(np.random.default_rng(0), 40)
    return PoolSpace(base, list(dict.fromkeys(map(base.canonical, drawn)))[:25])


FLAT = FlatSpace({"a": [1, 2, 3], "b": [1, 2, 3], "c": ["x", "y"]})

WRAPPED = {
    "plain own network": lambda: SpaceWrapper(_own_network()),
    "restricted cells": lambda: _restricted(NASBench201()),
    "restricted own network": lambda: _restricted(_own_network()),
    "twice restricted": lambda: RestrictedSpace(_restricted(FLAT), lambda architecture: architecture[0] < 2),
    "distinct cells": lambda: DistinctSpace(NASBench201()),
    "restricted numbers": lambda: Space.from_optuna(suggest_all_kinds).where(lambda v: v["rate"] < 1e-3 * v["layers"]),
    "pool of conditional": lambda: _pool(_conditional()),
    "pool by a rule": lambda: _pool(FLAT).where(lambda values: values["a"] != values["b"]),
    "restricted pool of own networks": lambda: _restricted(_pool(_own_network())),
    "pool of restricted cells": lambda: _pool(_restricted(NASBench201())),
    "pool of distinct cells": lambda: _pool(DistinctSpace(NASBench201())),
    "distinct restricted pool": lambda: DistinctSpace(_restricted(_pool(NASBench201()))),
}


class TestWrappers(SpaceConformance):
    @pytest.fixture(params=WRAPPED)
    def space(self, request):
        return _wrapped(request.param)


@cache
def _wrapped(name):
    return WRAPPED[name]()
