"""The suite that ships with the package, on ours and the simplest baselines; the others pass it in tests/baselines."""

from __future__ import annotations

from functools import partial

import pytest

from optiproxy import registry
from optiproxy.testing import AlgorithmConformance


@pytest.mark.slow
class TestRegistered(AlgorithmConformance):
    @pytest.fixture(params=["optiproxy", "random", "regularized-evolution"])
    def algorithm(self, request, light_parts):
        changes = {"optiproxy": light_parts}
        return partial(registry.algorithm(request.param), **changes.get(request.param, {}))
