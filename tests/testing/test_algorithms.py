"""Every algorithm passes the suite that ships with the package, and the suite finds what breaks its rules."""

from __future__ import annotations

import pytest

from optiproxy.baselines import RandomSearch, RegularizedEvolution
from optiproxy.testing import AlgorithmConformance


class TestRandomSearch(AlgorithmConformance):
    @pytest.fixture
    def algorithm(self):
        return RandomSearch


class TestRegularizedEvolution(AlgorithmConformance):
    @pytest.fixture
    def algorithm(self):
        return RegularizedEvolution
