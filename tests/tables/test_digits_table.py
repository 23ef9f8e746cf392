"""The table that comes with the package."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from optiproxy import registry
from optiproxy.errors import DataError, UsageError
from optiproxy.spaces import NASBench201
from optiproxy.spaces.published.nasbench201 import OPERATIONS
from optiproxy.tables import table as digits_table
from optiproxy.tables.store.files import read_arrays, write_arrays
from optiproxy.tables.table import PATH, digits_table_task
from optiproxy.testing import TaskConformance
from optiproxy.training.tasks.digits import DigitsTask

CONV3, SKIP, POOL = (OPERATIONS.index(name) for name in ("nor_conv_3x3", "skip_connect", "avg_pool_3x3"))
NOTHING = (0,) * 6


@pytest.fixture(scope="module")
def task():
    return digits_table_task()


@pytest.fixture(scope="module")
def table():
    return read_arrays(PATH, remedy="")


class TestDigitsTable(TaskConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def task(cls):
        return registry.task("digits-table")


def test_every_distinct_cell_is_there_once(table):
    space = NASBench201()
    distinct = {space.canonical(architecture) for architecture in space.everything()}
    listed = [tuple(cell) for cell in table["cells"].tolist()]
    assert len(listed) == len(distinct) == 6466
    assert set(listed) == distinct


def test_any_cell_of_the_space_has_the_values_of_its_form(task):
    for architecture in task.space.sample(np.random.default_rng(0), 300):
        for fidelity in (None, 1, 50):
            own, form = (
                task.evaluate(cell, fidelity=fidelity) for cell in (architecture, task.space.canonical(architecture))
            )
            assert own == form


def test_the_optimum_is_the_best_value_and_what_a_full_training_reaches(task, table):
    best = max(table["cells"].tolist(), key=lambda cell: task.evaluate(tuple(cell))["val_accuracy"])
    metrics = task.evaluate(tuple(best))
    assert task.optimum == metrics["val_accuracy"]
    assert 95 < metrics["val_accuracy"] < 100
    assert 93 < metrics["test_accuracy"] < 100


@pytest.mark.slow
def test_costs_are_those_of_the_task_that_trains(task):
    trains = DigitsTask()
    metrics = {metric.name for metric in task.metrics}
    assert metrics == {metric.name for metric in trains.metrics} - {"training_seconds"}
    assert {m.name for m in task.metrics if m.free} == {m.name for m in trains.metrics if m.free}
    assert (task.goal, task.space.fingerprint) == (trains.goal, trains.space.fingerprint)
    for cell in [NOTHING, (CONV3,) * 6, *task.space.sample(np.random.default_rng(1), 4)]:
        expected, found = trains.free_metrics(cell), task.free_metrics(cell)
        assert (found["params"], found["flops"]) == (expected["params"], expected["flops"])
        # Not the value itself, which is another machine's.
        assert 0.01 < found["latency_ms"] < 10


def test_a_fidelity_is_a_point_of_the_curve(task, table):
    assert task.fidelities[-1] == max(DigitsTask.fidelities) == 50
    cell = (CONV3, SKIP, CONV3, SKIP, SKIP, CONV3)
    curve = [task.evaluate(cell, fidelity=fidelity)["val_accuracy"] for fidelity in task.fidelities]
    assert curve[-1] == task.evaluate(cell)["val_accuracy"] > 90
    assert curve[0] < 50
    means = table["validation"].mean(axis=(0, 1))
    assert means[-1] > 2 * means[0]
    with pytest.raises(UsageError, match=r"fidelities 1, 2, .*50, got 51"):
        task.evaluate(cell, fidelity=51)


def test_what_sees_no_pattern_cannot_tell_digits_apart(task):
    assert 5 < task.evaluate(NOTHING)["val_accuracy"] < 15
    assert task.evaluate((POOL,) * 6)["val_accuracy"] < 50
    assert task.evaluate((CONV3,) * 6)["val_accuracy"] > 90


def test_right_answers_are_counts_of_the_images(table):
    for part, images in (("validation", 748), ("test", 749)):
        right = table[part]
        assert right.dtype == np.uint16
        assert right.max() < images
        # Images of ten classes, equally frequent: naming one class alone gets a tenth of them.
        assert right[:, :, -1].min() > images / 20


def test_the_file_says_how_it_was_made(table, task):
    about = json.loads(table["about"].tobytes())
    assert len(about["seeds"]) == len(table["validation"]) == len(table["test"])
    assert about["processor"]
    assert about["versions"]["torch"]
    assert f"mean over {len(about['seeds'])} seed" in task.source.description or about["seeds"] == [0]
    assert PATH.stat().st_size < 2e6


def test_opening_and_asking_need_no_torch():
    code = (
        "import sys; from optiproxy import registry; task = registry.task('digits-table'); "
        "task.evaluate((1, 2, 3, 1, 2, 3)); print(sorted({'torch', 'optuna', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


def test_another_file_is_refused(monkeypatch, tmp_path, table):
    path = tmp_path / PATH.name
    monkeypatch.setattr(digits_table, "PATH", path)
    changed = dict(table)
    changed["test"] = changed["test"] + np.uint16(1)
    write_arrays(path, changed)
    with pytest.raises(DataError, match=r"digest .* another version\. Install optiproxy again"):
        digits_table_task()
    path.write_bytes(PATH.read_bytes()[:-1000])
    with pytest.raises(DataError, match=r"digits_table\.npz to be an \.npz file .* Install optiproxy again"):
        digits_table_task()
    path.unlink()
    with pytest.raises(DataError, match="Cannot read the data file"):
        digits_table_task()
