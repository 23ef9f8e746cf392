"""Conformance suites for what can be added to optiproxy: a space, an algorithm, a task, an executor.

Subclass a suite in a test file and give it its one fixture; pytest (the extra ``optiproxy[testing]``) runs the rest::

    class TestMySpace(SpaceConformance):
        @pytest.fixture
        def space(self):
            return MySpace()
"""

from __future__ import annotations

import pytest

# Before the suites are imported, so that their failing asserts show the values compared.
pytest.register_assert_rewrite(
    "optiproxy.testing.spaces",
    "optiproxy.testing.algorithms",
    "optiproxy.testing.tasks",
    "optiproxy.testing.executors",
)

from optiproxy.testing.algorithms import AlgorithmConformance as AlgorithmConformance  # noqa: E402
from optiproxy.testing.algorithms import AlgorithmFactory as AlgorithmFactory  # noqa: E402
from optiproxy.testing.executors import ExecutorConformance as ExecutorConformance  # noqa: E402
from optiproxy.testing.spaces import SpaceConformance as SpaceConformance  # noqa: E402
from optiproxy.testing.tasks import TaskConformance as TaskConformance  # noqa: E402
