"""Every task passes the suite that ships with the package."""

from __future__ import annotations

import numpy as np
import pytest

from optiproxy import registry
from optiproxy.errors import DataError
from optiproxy.metrics import Goal, Limit, Metric, Objective
from optiproxy.spaces import FlatSpace
from optiproxy.tables import TableTask, nasbench201_task
from optiproxy.tables.nasbench201_sources import DATASETS, PACKAGE
from optiproxy.tables.store.datasets import data_path
from optiproxy.task.task import Source
from optiproxy.testing import TaskConformance


@pytest.mark.slow
class TestRegistered(TaskConformance):
    @pytest.fixture(scope="class", params=[entry.name for entry in registry.tasks()])
    @classmethod
    def task(cls, request):
        entry = next(entry for entry in registry.tasks() if entry.name == request.param)
        absent = [name for name in entry.data if not data_path(name).exists()]
        try:
            return registry.task(entry.name)
        except DataError:
            if not absent:
                raise
            pytest.skip(f"needs data: `optiproxy data fetch {' '.join(absent)}`")

    @pytest.fixture(scope="class")
    @classmethod
    def evaluations(cls, task):
        """Of one architecture where that is trained, for seconds, and of two where it is looked up."""
        fidelity = min(task.fidelities, default=None)
        samples = task.space.sample(np.random.default_rng(0), 1 if task.isolated else 2)
        return {architecture: task.evaluate(architecture, fidelity=fidelity) for architecture in samples}

    def test_is_called_as_it_is_listed(self, task, request):
        assert registry.task(task.name).name == task.name == request.node.callspec.params["task"]


@pytest.mark.slow
class TestNASBench201Package(TaskConformance):
    """What is used where there is no data folder, also when there is one."""

    @pytest.fixture(scope="class", params=sorted(DATASETS))
    @classmethod
    def task(cls, request):
        return nasbench201_task(request.param, PACKAGE)


class TestTable(TaskConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def task(cls):
        return TableTask(
            "example",
            FlatSpace({"a": [1, 2], "b": [1, 2]}),
            metrics=(Metric(name="loss", direction="min"), Metric(name="size", direction="min", free=True)),
            goal=Goal((Objective("loss", "min"),), (Limit("size", 3.0),)),
            source=Source("made-up", "four values"),
            architectures=np.array([[0, 0], [0, 1], [1, 0], [1, 1]]),
            columns={"loss": np.array([0.4, 0.3, 0.2, 0.1]), "size": np.array([1.0, 2.0, 3.0, 4.0])},
        )
