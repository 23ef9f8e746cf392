"""LCBench: the network against values of the ONNX file, the space, and what goes wrong."""

from __future__ import annotations

import numpy as np
import pytest

from optiproxy import registry
from optiproxy.errors import DataError, UsageError
from optiproxy.spaces.ranges import Float, Int
from optiproxy.tables.lcbench import CHOICES, DATA, INPUTS, OUTPUTS, SurrogateNetwork, lcbench_task
from optiproxy.tables.store.datasets import load
from optiproxy.testing import TaskConformance


@pytest.fixture(scope="module", autouse=True)
def _environment(raw_folder):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPTIPROXY_DATA", str(raw_folder.parent))
        yield


@pytest.fixture(scope="module")
def task():
    return lcbench_task("3945")


@pytest.fixture(scope="module")
def reference(data_folder):
    """Random configurations of all tables, with what onnxruntime makes of them."""
    with np.load(data_folder / "lcbench_reference.npz") as file:
        return dict(file)


@pytest.mark.slow
class TestConformance(TaskConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def task(cls):
        return lcbench_task("189909")


def test_all_outputs_are_those_of_the_onnx_file(reference):
    assert tuple(reference["x_names"].tolist()) == INPUTS
    arrays = load(DATA)
    found = []
    for table, name in enumerate(arrays["tasks"].tolist()):
        rows = reference["task"] == name
        assert rows.any()
        found.append(SurrogateNetwork(arrays, table)(reference["x"][rows]) - reference["y"][rows])
    off = np.abs(np.concatenate(found))
    assert len(off) == 1000
    # Seconds up to 13,514, percent, nats, shares: all are 32-bit numbers.
    assert (off.max(axis=0) < [1e-2, 1e-3, 1e-5, 1e-5, 1e-5, 1e-5]).all()


def test_a_query_has_the_values_of_the_reference(reference):
    """Balanced accuracies are shares there and percent here."""
    names = ["training_seconds", "val_accuracy", "val_cross_entropy", "val_balanced_accuracy"]
    names += ["test_cross_entropy", "test_balanced_accuracy"]
    assert [metric.name for metric in OUTPUTS] == names
    for row in range(0, 1000, 50):
        task = lcbench_task(str(reference["task"][row]))
        epoch, *values = reference["x"][row].tolist()
        architecture = task.space.architecture(dict(zip(CHOICES, values, strict=True)))
        found = task.evaluate(architecture, fidelity=round(epoch))
        expected = reference["y"][row] * [1, 1, 1, 100, 1, 100]
        # A float has five digits here.
        np.testing.assert_allclose([found[name] for name in names], expected, rtol=1e-3)


def test_the_registered_tables_are_those_of_the_surrogate():
    listed = [entry for entry in registry.tasks() if entry.data == (DATA,)]
    assert [entry.name for entry in listed] == [f"lcbench-{name}" for name in load(DATA)["tasks"].tolist()]
    assert len(listed) == 34
    assert registry.task("lcbench-168868").name == "lcbench-168868"


def test_tables_differ_and_the_space_is_one(task):
    other = lcbench_task("7593")
    assert other.space.fingerprint == task.space.fingerprint
    architectures = task.space.sample(np.random.default_rng(0), 100)
    one, two = (t.evaluate_all(architectures)["val_accuracy"] for t in (task, other))
    assert np.abs(one - two).min() > 0.01


def test_what_is_decided_is_what_the_benchmark_varied(task):
    choices = {decision.name: decision.choices for decision in task.space.decisions}
    assert choices == CHOICES
    assert choices["learning_rate"] == Float(1e-4, 1e-1, log=True)
    assert choices["num_layers"] == Int(1, 5)
    assert task.fidelities == tuple(range(1, 53))


def test_predictions_are_plausible(task):
    architectures = task.space.sample(np.random.default_rng(1), 200)
    full = task.evaluate_all(architectures)
    assert all(np.isfinite(values).all() for values in full.values())
    for metric in task.metrics:
        if metric.unit == "%":
            assert ((full[metric.name] > 0) & (full[metric.name] < 101)).all()
    short = task.evaluate_all(architectures, fidelity=5)
    assert short["training_seconds"].mean() < full["training_seconds"].mean() / 2
    assert short["val_accuracy"].mean() < full["val_accuracy"].mean()


def test_many_at_once_are_as_one_by_one(task):
    architectures = task.space.sample(np.random.default_rng(2), 20)
    for name, values in task.evaluate_all(architectures).items():
        np.testing.assert_allclose(values, [task.evaluate(a)[name] for a in architectures], rtol=1e-4)
    assert all(values.shape == (0,) for values in task.evaluate_all([]).values())


@pytest.mark.parametrize("architecture", [(), (0,) * 6, (*(0,) * 6, -1), (497, *(0,) * 6), (0.5, *(0,) * 6)])
def test_architectures_outside_the_space_are_refused(task, architecture):
    with pytest.raises(UsageError, match="Expected 7 positions, one in the choices of each decision of lcbench; got"):
        task.evaluate(architecture)


@pytest.mark.parametrize("fidelity", [0, 53])
def test_epochs_beyond_those_of_the_benchmark_are_refused(task, fidelity):
    with pytest.raises(UsageError, match=f"has the fidelities 1 to 52, got {fidelity}"):
        task.evaluate((0,) * 7, fidelity=fidelity)


def test_unknown_tables_come_with_the_nearest():
    # The encoding has a row for this one, but no training of it was seen.
    with pytest.raises(UsageError, match="Unknown OpenML task of LCBench '167083'"):
        lcbench_task("167083")


def test_without_the_file_the_message_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    with pytest.raises(DataError, match=f"optiproxy data fetch {DATA}"):
        lcbench_task("3945")
