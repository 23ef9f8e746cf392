"""Accel-NASBench: the table against the independent conversion, joined measurements, limits."""

from __future__ import annotations

import numpy as np
import pytest

from optiproxy import registry
from optiproxy.errors import DataError, UsageError
from optiproxy.metrics import Limit
from optiproxy.tables.accelnas import DATA, METRICS, accelnas_task, joined
from optiproxy.testing import TaskConformance

LIMITED = [entry for entry in registry.tasks() if entry.data == (DATA,) and entry.arguments]


@pytest.fixture(scope="module", autouse=True)
def _environment(data_folder):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPTIPROXY_DATA", str(data_folder))
        yield


@pytest.fixture(scope="module")
def task():
    return accelnas_task()


@pytest.fixture(scope="module")
def table(data_folder):
    with np.load(data_folder / "accelnas.npz") as file:
        return dict(file)


@pytest.mark.slow
class TestConformance(TaskConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def task(cls):
        return registry.task("imagenet-mnasnet-tpuv3-1600ips")


def architecture(task, row):
    """Read off by hand: e, k, l and se of block 0, then of block 1 and so on."""
    kinds = [f"block{i}_{what}" for i in range(7) for what in ("e", "k", "l", "se")]
    values = {kind: bool(value) if kind.endswith("se") else value for kind, value in zip(kinds, row, strict=True)}
    return task.space.architecture(values)


@pytest.mark.slow
def test_every_network_has_its_measurements(task, table):
    """All 5,138 measurements, of which those of 13 networks come twice."""
    names = [METRICS[name].name for name in table["names"].tolist()]
    means = {}
    for row, values in zip(table["arch"].tolist(), table["metrics"], strict=True):
        means.setdefault(architecture(task, row), []).append(values)
    assert len(means) == task.space.size == 5125
    assert sorted(map(len, means.values()))[-14:] == [1] + [2] * 13
    for network, values in means.items():
        found = task.evaluate(network)
        expected = zip(names, np.mean(values, axis=0).tolist(), strict=True)
        assert found == pytest.approx({name: value for name, value in expected if np.isfinite(value)}, rel=1e-12)


def test_the_best_network_is_that_of_the_table(task, table):
    assert task.optimum == table["metrics"][:, 0].max() == 67.052


def test_a_mean_is_over_the_measurements_that_are_there():
    nan = np.nan
    architectures = np.array([[1, 0], [0, 2], [1, 0], [0, 2]])
    values = np.array([[1.0, nan, nan], [5.0, 6.0, 7.0], [2.0, 4.0, nan], [7.0, nan, 7.0]])
    distinct, means = joined(architectures, values)
    np.testing.assert_array_equal(distinct, [[0, 2], [1, 0]])
    np.testing.assert_array_equal(means, [[6.0, 6.0, 7.0], [1.5, 4.0, nan]])


def test_what_was_not_measured_is_left_out(task):
    missing = [a for a in task.space.everything() if len(task.evaluate(a)) < len(METRICS)]
    assert 44 <= len(missing) <= 90
    assert {"val_top1", "macs", "a100_throughput"} <= set.intersection(*(set(task.evaluate(a)) for a in missing))


@pytest.mark.parametrize("entry", LIMITED, ids=lambda entry: entry.name)
def test_limits_are_kept_by_some_networks_and_cost_accuracy(entry, task):
    limited = registry.task(entry.name)
    assert limited.name == entry.name
    assert limited.goal.limits == (Limit.parse(entry.arguments["limit"]),)
    share = np.mean([limited.goal.feasible(limited.evaluate(a)) for a in limited.space.everything()])
    assert 0.05 < share < 0.4
    assert 60 < limited.optimum < task.optimum
    # What devices measure is free, and learned from queries all the same.
    assert set(limited.queried) == {m.name for m in limited.metrics if m.free} - {"macs", "params"}
    assert task.queried == ()


def test_there_are_limits_on_most_accelerators():
    assert len({entry.name.split("-")[2] for entry in LIMITED}) == 6


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("zcu102_latency<=4", "Unknown metric 'zcu102_latency'"),
        ("zcu102_latency_ms=4", "Expected a limit like"),
    ],
)
def test_other_limits_are_refused(limit, message):
    with pytest.raises(UsageError, match=message):
        accelnas_task("mine", limit)


def test_networks_that_were_not_measured_have_no_value(task):
    members = set(task.space.everything())
    other = next(a for a in task.space.base.sample(np.random.default_rng(0), 10) if a not in members)
    with pytest.raises(UsageError, match="holds 5125 architectures"):
        task.evaluate(other)


def test_without_the_file_the_message_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    with pytest.raises(DataError, match=f"optiproxy data fetch {DATA}"):
        accelnas_task()
