"""Everything here keeps its contract: optiproxy ships the tests, a package gives them one fixture each."""

from __future__ import annotations

from functools import partial

import pytest
from optiproxy_example.algorithm import NearTheBest
from optiproxy_example.executor import CommandExecutor
from optiproxy_example.space import StackSpace
from optiproxy_example.task import StackTask
from optiproxy_example.variant import cautious

from optiproxy.optimizer import StructuralProxy
from optiproxy.proxy.encoder import PretrainingConfig
from optiproxy.testing import AlgorithmConformance, ExecutorConformance, SpaceConformance, TaskConformance


class TestSpace(SpaceConformance):
    @pytest.fixture
    def space(self):
        return StackSpace()


class TestAlgorithm(AlgorithmConformance):
    @pytest.fixture
    def algorithm(self):
        return NearTheBest


class TestVariant(AlgorithmConformance):
    @pytest.fixture
    def algorithm(self):
        # The contract holds whatever the size of the parts, and a short pretraining keeps the suite short.
        return partial(cautious, proxy=StructuralProxy(pretraining=PretrainingConfig(steps=4), unlabelled=64))


class TestTask(TaskConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def task(cls):
        return StackTask()


class TestExecutor(ExecutorConformance):
    @pytest.fixture
    def executor(self):
        with CommandExecutor() as executor:
            yield executor
