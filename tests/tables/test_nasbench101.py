"""Cells found by their hashes, the table made of them, and the task."""

from __future__ import annotations

import json

import numpy as np
import pytest

from optiproxy.errors import DataError, UsageError
from optiproxy.spaces.pool import PoolSpace
from optiproxy.spaces.published.nasbench101 import NASBench101
from optiproxy.spaces.published.nasbench101_cells import EDGES, canonical_numbers, rows_of
from optiproxy.tables.convert.nasbench101 import FILE, cells_of, convert, module_hash
from optiproxy.tables.nasbench101 import nasbench101_task, to_arrays, to_rows
from optiproxy.testing import TaskConformance

SPACE = NASBench101()


def row_of(edges, operations=()):
    architecture = (*(int(edge in edges) for edge in EDGES), *operations, *[0] * (5 - len(operations)))
    return np.array(SPACE.canonical(architecture), dtype=np.uint8)


PUBLISHED = {
    "00005c142e6f48ac74fdcf73e3439874": row_of(
        {(0, 1), (0, 4), (0, 5), (1, 2), (2, 3), (2, 6), (3, 5), (4, 5), (5, 6)}, (0, 2, 0, 0, 1)
    ),
}
"""Names in the published file, and their cells."""

SMALL = [row for nodes in (2, 3, 4) for numbers in canonical_numbers(nodes) for row in rows_of(numbers)]
"""All 91 cells of at most two operations."""


@pytest.fixture(scope="module")
def table(data_folder):
    with np.load(data_folder / "nasbench101_20k.npz", allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def task(data_folder):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPTIPROXY_DATA", str(data_folder))
        return nasbench101_task()


@pytest.mark.slow
class TestTask(TaskConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def task(cls, task):
        return task


def file_of(rows, **changes):
    """What the published file would be of these cells."""
    n = len(rows)
    content = {
        "key": [module_hash(row.tobytes()) for row in rows],
        "4_final_validation_accuracy": [0.1 + i / 1000 for i in range(n)],
        "12_final_validation_accuracy": [0.2 + i / 1000 for i in range(n)],
        "36_final_validation_accuracy": [0.3 + i / 1000 for i in range(n)],
        "108_final_validation_accuracy": [0.4 + i / 1000 for i in range(n)],
        "final_training_time": [1000.5 + i for i in range(n)],
        "trainable_parameters": [10**6 + i for i in range(n)],
    }
    return {FILE: json.dumps({**content, **changes}).encode()}


def test_hashes_are_those_of_the_benchmark():
    for name, row in PUBLISHED.items():
        assert module_hash(row.tobytes()) == name


@pytest.mark.slow
def test_hashes_tell_networks_apart():
    rows = np.array(SPACE.sample(np.random.default_rng(0), 200), dtype=np.uint8)
    assert len({module_hash(row.tobytes()) for row in rows}) == len(np.unique(rows, axis=0))
    assert len({module_hash(row.tobytes()) for row in SMALL}) == len(SMALL) == 91


def test_cells_are_found_by_their_hashes():
    wanted = {module_hash(row.tobytes()): row for row in SMALL[::7]}
    found = cells_of(list(wanted))
    assert {name: row.tolist() for name, row in found.items()} == {name: row.tolist() for name, row in wanted.items()}


def test_arrays_and_rows_are_inverse():
    rows = np.array([*SMALL, *SPACE.sample(np.random.default_rng(0), 200)], dtype=np.uint8)
    arrays = to_arrays(rows)
    assert (to_rows(arrays) == rows).all()
    for adjacency, operations, count in zip(arrays["adj"], arrays["ops"], arrays["n_vertices"], strict=True):
        assert [arrays["op_names"][o] for o in (operations[0], operations[count - 1])] == ["input", "output"]
        assert (operations[1 : count - 1] < 3).all()
        assert (operations[count:] == 255).all()
        assert not adjacency[count:].any()
        assert not adjacency[:, count:].any()
        assert adjacency[: count - 1, :count].any(axis=1).all()
        assert adjacency[:count, 1:count].any(axis=0).all()


def test_the_converter_finds_cells_and_keeps_values_and_order():
    rows = SMALL[::-5]
    arrays = convert(file_of(rows))
    assert (to_rows(arrays) == np.array(rows)).all()
    assert arrays["hash"].tolist() == [module_hash(row.tobytes()) for row in rows]
    assert arrays["valid_acc_e4"].tolist() == [0.1 + i / 1000 for i in range(len(rows))]
    assert arrays["valid_acc_e108"].tolist() == [0.4 + i / 1000 for i in range(len(rows))]
    assert arrays["train_time_s"].tolist() == [1000.5 + i for i in range(len(rows))]
    assert arrays["params"].tolist() == [10**6 + i for i in range(len(rows))]


@pytest.mark.slow
def test_the_published_file_is_what_the_table_holds(raw_folder, table):
    """All but the search for the cells, which takes a minute: a sixth of their hashes, which no two cells share."""
    published = json.loads((raw_folder / FILE).read_bytes())
    rows = to_rows(table)
    assert table["hash"].tolist() == published["key"]
    assert [module_hash(row.tobytes()) for row in rows[::6]] == published["key"][::6]
    again = to_arrays(SPACE.canonical_rows(rows))
    for name, array in again.items():
        assert array.dtype == table[name].dtype
        assert np.array_equal(array, table[name])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "to be JSON: "),
        (b"\xff\xfe", "to be JSON: "),
        (b"[" * 1_000_000, "to be JSON: "),
        (b'{"key": ' * 500_000, "to be JSON: "),
        (b"[1, 2]", "lists of one length"),
        (b"null", "lists of one length"),
        (b"{}", "lists of one length"),
        (file_of([])[FILE], "lists of one length"),
        (file_of(SMALL[:3], key=["0" * 32])[FILE], "lists of one length"),
        (file_of(SMALL[:3], final_training_time="abc")[FILE], "lists of one length"),
        (file_of(SMALL[:3], key=["0" * 32, 5, "1" * 32])[FILE], "32 hexadecimal digits"),
        (file_of(SMALL[:3], key=["0" * 31, "1" * 32, "2" * 32])[FILE], "32 hexadecimal digits"),
        (file_of([SMALL[0], SMALL[1], SMALL[0]])[FILE], "each cell once"),
        (file_of(SMALL[:2], final_training_time=[1.0, float("nan")])[FILE], "numbers from 0 to 1e"),
        (file_of(SMALL[:2], final_training_time=[1.0, float("inf")])[FILE], "numbers from 0 to 1e"),
        (file_of(SMALL[:2], final_training_time=[1.0, -1.0])[FILE], "numbers from 0 to 1e"),
        (file_of(SMALL[:2], trainable_parameters=[1, 2.5])[FILE], "numbers from 0 to 1e"),
        (file_of(SMALL[:2], trainable_parameters=[1, 10**400])[FILE], "numbers from 0 to 1e"),
        (file_of(SMALL[:2], **{"12_final_validation_accuracy": [0.5, 93.0]})[FILE], "numbers from 0 to 1 under 12_"),
        (file_of(SMALL[:2], **{"12_final_validation_accuracy": [0.5, "0.5"]})[FILE], "numbers from 0 to 1 under 12_"),
        (file_of(SMALL[:2], **{"12_final_validation_accuracy": [0.5, True]})[FILE], "numbers from 0 to 1 under 12_"),
        (file_of(SMALL[:2], **{"12_final_validation_accuracy": [0.5, [[]]]})[FILE], "numbers from 0 to 1 under 12_"),
    ],
)
def test_a_file_of_another_kind_is_refused(content, message):
    with pytest.raises(DataError, match=message):
        convert({FILE: content})


def test_hashes_of_no_cell_are_refused(monkeypatch):
    """Among the small cells here; among all 423,624 the search would take a minute."""
    monkeypatch.setattr(
        "optiproxy.tables.convert.nasbench101.canonical_numbers",
        lambda nodes: canonical_numbers(nodes) if nodes < 5 else iter(()),
    )
    with pytest.raises(DataError, match=r"1 hashes in .* are of no cell"):
        convert(file_of(SMALL[:2], key=["0" * 32, module_hash(SMALL[1].tobytes())]))


def test_a_missing_file_is_named():
    with pytest.raises(DataError, match=f"Expected the file {FILE} among no files"):
        convert({})


def test_the_best_of_the_published_cells(task):
    """The sample's own optimum, one training each; over all cells and trainings the best mean is 95.06."""
    assert task.optimum == pytest.approx(94.9119, abs=5e-5)
    assert isinstance(task.space, PoolSpace)
    assert task.space.size == 20_001
    assert [metric.name for metric in task.metrics] == ["val_accuracy", "training_seconds", "params"]
    assert {metric.name for metric in task.metrics if metric.free} == {"params"}


def test_every_cell_has_its_own_values(task, table):
    rows = to_rows(table)
    for n in range(0, len(rows), 501):
        cell = tuple(rows[n].tolist())
        assert task.evaluate(cell) == {
            "val_accuracy": 100 * table["valid_acc_e108"][n],
            "training_seconds": table["train_time_s"][n],
            "params": table["params"][n] / 1e6,
        }
        for epochs in (4, 12, 36):
            assert task.evaluate(cell, fidelity=epochs) == {
                "val_accuracy": 100 * table[f"valid_acc_e{epochs}"][n],
                "params": table["params"][n] / 1e6,
            }


def test_another_form_of_a_cell_has_its_values(task):
    """A dead node added, with an operation of its own: still the same network."""
    cell = next(a for a in task.space.everything() if not any(a[i] for i, edge in enumerate(EDGES) if 5 in edge))
    other = (*cell[:-1], 2)
    assert other not in set(task.space.everything())
    assert task.space.is_valid(other)
    assert task.evaluate(other) == task.evaluate(cell)


def test_cells_that_were_not_trained_are_refused(task):
    cell = next(a for a in SPACE.sample(np.random.default_rng(0), 100) if not task.space.is_valid(a))
    for wrong in (cell, (0,) * 26, (1,) * 26):
        with pytest.raises(UsageError, match="nasbench101-cifar10 holds 20001 architectures, and"):
            task.evaluate(wrong)
    with pytest.raises(UsageError, match="has the fidelities 4, 12, 36, 108, got 50"):
        task.evaluate(next(task.space.everything()), fidelity=50)


def test_unknown_sources_are_refused():
    with pytest.raises(UsageError, match=r"Unknown NAS-Bench-101 source 'nasbench101-20'\. Did you mean"):
        nasbench101_task("nasbench101-20")


def test_without_the_data_it_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    with pytest.raises(DataError, match="optiproxy data fetch nasbench101_20k"):
        nasbench101_task()
    with pytest.raises(DataError, match="optiproxy data import nasbench101 FILE"):
        nasbench101_task("nasbench101-records")
