"""Every algorithm on the command line passes the suite that ships with the package."""

from __future__ import annotations

import pytest

from optiproxy.running import registry
from optiproxy.testing import AlgorithmConformance


class TestRegistered(AlgorithmConformance):
    @pytest.fixture(params=[entry.name for entry in registry.algorithms()])
    def algorithm(self, request):
        return registry.algorithm(request.param)
