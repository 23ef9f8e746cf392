"""The hardware tasks: golden optima, what is known when, and what is infeasible."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from optiproxy import registry
from optiproxy.errors import DataError, UsageError
from optiproxy.tables.nasbench201 import hwnasbench_task
from optiproxy.tables.store.datasets import load

CELLS = list(product(range(5), repeat=6))

OPTIMA = {
    ("edgegpu", "2"): 40.60,
    ("edgegpu", "4"): 44.80,
    ("edgegpu", "6"): 46.40,
    ("raspi4", "2"): 35.47,
    ("raspi4", "4"): 43.63,
    ("raspi4", "6"): 45.17,
    ("pixel3", "2"): 41.30,
    ("pixel3", "4"): 45.97,
    ("pixel3", "6"): 46.49,
    ("edgetpu", "1"): 46.77,
    ("eyeriss", "1"): 45.17,
    ("fpga", "1"): 44.37,
}
"""Best ImageNet16-120 validation accuracy (NAS-Bench-201 v1.0, 200 epochs, mean over seeds) of a cell that keeps the
limit (HW-NAS-Bench v1.0, ImageNet16-120), in %: found by going through both published tables, as in the experiments of
OptiProxy-NAS (arXiv 2509.05656)."""


@pytest.fixture(autouse=True)
def _data(monkeypatch, data_folder):
    monkeypatch.setenv("OPTIPROXY_DATA", str(data_folder))


@pytest.mark.slow
@pytest.mark.parametrize(("device", "limit"), OPTIMA)
def test_constrained_optima(device, limit):
    task = registry.task(f"hwnasbench-{device}-{limit}ms")
    found = {cell: task.evaluate(cell) for cell in CELLS}
    feasible = [metrics for metrics in found.values() if metrics.get("latency_ms", np.inf) <= float(limit)]
    assert max(metrics["val_accuracy"] for metrics in feasible) == task.optimum
    assert task.optimum == pytest.approx(OPTIMA[device, limit], abs=5e-3)
    assert len(feasible) == sum(map(task.goal.feasible, found.values()))


def test_all_twelve_are_listed():
    listed = {entry.name for entry in registry.tasks() if entry.name.startswith("hwnasbench-")}
    assert listed == {f"hwnasbench-{device}-{limit}ms" for device, limit in OPTIMA}


def test_hardware_is_measured_by_the_query_unless_the_search_asks():
    """Free by declaration, queried by default: the protocol of the papers."""
    task = hwnasbench_task("pixel3", "4")
    free = {metric.name for metric in task.metrics if metric.free}
    assert set(task.queried) == free - {"params", "flops"}
    assert "latency_ms" in task.queried
    assert "pixel3_latency_ms" not in free
    assert {"edgegpu_latency_ms", "edgegpu_energy_mj", "fpga_energy_mj"} <= free


def test_a_network_that_does_not_compile_is_infeasible_and_has_the_rest():
    """4,699 networks could not be compiled for the Edge TPU."""
    task = hwnasbench_task("edgetpu", "1")
    absent = [cell for cell in CELLS if "latency_ms" not in task.evaluate(cell)]
    assert len(absent) == 4_699
    metrics = task.evaluate(absent[0])
    assert not task.goal.feasible(metrics)
    assert {"val_accuracy", "raspi4_latency_ms"} <= set(metrics)
    assert "latency_ms" not in task.free_metrics(absent[0])


def test_the_latency_is_of_the_networks_for_small_images():
    """Of ImageNet16-120, not of CIFAR: the inputs have 16 x 16 pixels."""
    table = load("hwnasbench")
    task = hwnasbench_task("raspi4", "6")
    for row in range(0, len(CELLS), 997):
        cell = tuple(table["ops"][row].tolist())
        assert task.evaluate(cell)["latency_ms"] == table["imagenet16_120_raspi4_latency_ms"][row]
        assert task.evaluate(cell)["edgegpu_energy_mj"] == table["imagenet16_120_edgegpu_energy_mj"][row]


def test_the_latency_does_not_depend_on_the_epochs():
    task = hwnasbench_task("fpga", "1")
    short, full = (task.evaluate(CELLS[-1], fidelity=epochs) for epochs in (12, 200))
    assert short["latency_ms"] == full["latency_ms"]
    assert short["val_accuracy"] != full["val_accuracy"]


def test_the_source_names_both_benchmarks():
    source = hwnasbench_task("fpga", "1").source
    assert source.name == "hwnasbench-v1.0+nasbench201-v1.0"
    assert source.digest.startswith("sha256:")


def test_other_devices_are_refused():
    with pytest.raises(UsageError, match=r"Unknown device of HW-NAS-Bench 'pixel4'. Did you mean 'pixel3'"):
        hwnasbench_task("pixel4", "2")


def test_without_data_it_is_said_how_to_get_it(monkeypatch, tmp_path, data_folder):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    with pytest.raises(DataError, match="`optiproxy data fetch nasbench201`"):
        hwnasbench_task("fpga", "1")
    (tmp_path / "nasbench201.npz").symlink_to(data_folder / "nasbench201.npz")
    with pytest.raises(DataError, match="`optiproxy data fetch hwnasbench`"):
        hwnasbench_task("fpga", "1")
