"""Every kind of space passes the suite that ships with the package."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from optiproxy.nn import Cell, Value
from optiproxy.spaces import DistinctSpace, FlatSpace, NASBench201, PoolSpace, RestrictedSpace, Space, SpaceWrapper
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
        ],
        ids=["mixed", "one-decision", "look-alikes", "one-architecture", "ragged"],
    )
    def space(self, request):
        return FlatSpace(request.param)


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


BASES = {
    "flat": lambda: FlatSpace({"a": [1, 2, 3], "b": [1, 2, 3], "c": ["x", "y"]}),
    "nasbench201": NASBench201,
    "conditional": _conditional,
    "own-network": _own_network,
}


def _restricted(base):
    return RestrictedSpace(base, lambda architecture: architecture[-1] == 0 or architecture[0] == 0)


def _pool(base):
    drawn = base.sample(np.random.default_rng(0), 40)
    return PoolSpace(base, list(dict.fromkeys(map(base.canonical, drawn)))[:25])


WRAPPERS = {
    "plain": SpaceWrapper,
    "restricted": _restricted,
    "pool": _pool,
    "twice-restricted": lambda base: RestrictedSpace(_restricted(base), lambda architecture: architecture[0] < 2),
    "restricted-pool": lambda base: _restricted(_pool(base)),
    "pool-of-restricted": lambda base: _pool(_restricted(base)),
    "by-a-rule": lambda base: _pool(base).where(lambda values: next(iter(values.values())) != "nothing"),
}
APART = {
    "distinct": DistinctSpace,
    "restricted-distinct": lambda base: _restricted(DistinctSpace(base)),
    "distinct-restricted-pool": lambda base: DistinctSpace(_restricted(_pool(base))),
    "pool-of-distinct": lambda base: _pool(DistinctSpace(base)),
}
"""Only around spaces whose architectures all have graphs of their own."""


class TestWrappers(SpaceConformance):
    @pytest.fixture(
        params=[
            *(pytest.param((base, wrap), id=f"{wrap}-{base}") for base in BASES for wrap in WRAPPERS),
            *(pytest.param((base, wrap), id=f"{wrap}-{base}") for base in ("flat", "nasbench201") for wrap in APART),
        ],
        scope="class",
    )
    def space(self, request):
        base, wrap = request.param
        return {**WRAPPERS, **APART}[wrap](BASES[base]())
