"""Every kind of space passes the suite that ships with the package."""

from __future__ import annotations

import pytest

from optiproxy.spaces import DistinctSpace, FlatSpace, NASBench201, RestrictedSpace
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


class TestRestrictedNASBench201(SpaceConformance):
    @pytest.fixture
    def space(self):
        return RestrictedSpace(NASBench201(), lambda architecture: architecture.count(3) < 2)


class TestTwiceRestrictedFlatSpace(SpaceConformance):
    @pytest.fixture
    def space(self):
        flat = FlatSpace({"a": [1, 2, 3], "b": [1, 2, 3], "c": ["x", "y"]})
        return RestrictedSpace(RestrictedSpace(flat, lambda a: a[0] != a[1]), lambda a: a[2] == 1)


class TestDistinctNASBench201(SpaceConformance):
    @pytest.fixture
    def space(self):
        return DistinctSpace(NASBench201())
