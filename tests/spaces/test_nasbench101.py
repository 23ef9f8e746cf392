from __future__ import annotations

import pytest

from optiproxy.spaces.nasbench101 import NASBench101
from optiproxy.testing import SpaceConformance


class TestNASBench101(SpaceConformance):
    @pytest.fixture
    def space(self):
        return NASBench101()
