"""Every algorithm on the command line passes the suite that ships with the package."""

from __future__ import annotations

from functools import partial

import pytest

from optiproxy.running import registry
from optiproxy.testing import AlgorithmConformance


class TestRegistered(AlgorithmConformance):
    @pytest.fixture(params=[entry.name for entry in registry.algorithms()])
    def algorithm(self, request, light_config):
        changes = {"optiproxy": {"config": light_config}}
        return partial(registry.algorithm(request.param), **changes.get(request.param, {}))
