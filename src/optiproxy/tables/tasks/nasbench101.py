"""NAS-Bench-101 (Ying et al., ICML 2019, arXiv 1902.09635): cells trained on CIFAR-10 for up to 108 epochs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.errors import unknown
from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces.published.nasbench101 import NETWORKS, NASBench101
from optiproxy.spaces.wrappers.pool import PoolSpace
from optiproxy.tables.store import datasets
from optiproxy.tables.store.nasbench101_arrays import to_rows
from optiproxy.tables.tasks.table import TableTask
from optiproxy.task.task import Source, Task

if TYPE_CHECKING:
    from optiproxy.tables.store.arrays import Arrays

SAMPLE = "nasbench101-20k"
RECORDS = "nasbench101-records"

EPOCHS = (4, 12, 36, 108)
"""Each a training of its own, its learning rate annealed to the end."""

_VALIDATION = Metric(name="val_accuracy", direction="max", unit="%")
_TEST = Metric(name="test_accuracy", direction="max", unit="%", reported_only=True)
_SECONDS = Metric(name="training_seconds", direction="min", unit="s")
_PARAMS = Metric(name="params", direction="min", unit="M", free=True)


def nasbench101_task(source: str | None = None) -> Task:
    """Find the best cell of NAS-Bench-101 by validation accuracy after 108 epochs.

    Only cells of the source can be asked for, and the search knows which these are.

    Args:
        source: ``"nasbench101-20k"``, 20,001 cells, each trained once for 4, 12, 36 and 108 epochs, without test accuracy;
            or ``"nasbench101-records"``, what `optiproxy data import nasbench101 FILE` made of the official file, means
            over its trainings. None takes the former.

    Raises:
        UsageError: If there is no such source.
        DataError: If its file is missing or damaged.
    """
    chosen = source or SAMPLE
    if chosen not in _READERS:
        raise unknown("NAS-Bench-101 source", chosen, _READERS)
    table, described = _READERS[chosen]()
    space = NASBench101()
    rows = space.canonical_rows(to_rows(table))
    epochs = tuple(number for number in EPOCHS if f"valid_acc_e{number}" in table)
    columns = {
        _VALIDATION: 100 * np.stack([table[f"valid_acc_e{number}"] for number in epochs], axis=1),
        # Known of the longest training only.
        _SECONDS: np.stack([np.full(len(rows), np.nan)] * (len(epochs) - 1) + [table["train_time_s"]], axis=1),
        _PARAMS: table["params"] / 1e6,
    }
    if all(f"test_acc_e{number}" in table for number in epochs):
        columns[_TEST] = 100 * np.stack([table[f"test_acc_e{number}"] for number in epochs], axis=1)
    return TableTask(
        "nasbench101-cifar10",
        space if len(rows) == NETWORKS else PoolSpace(space, rows),
        metrics=tuple(columns),
        goal=Goal((Objective(_VALIDATION.name),)),
        source=described,
        architectures=rows,
        columns={metric.name: column for metric, column in columns.items()},
        fidelities=epochs,
    )


def _sample() -> tuple[Arrays, Source]:
    dataset = datasets.dataset("nasbench101_20k")
    return datasets.load(dataset.name), Source(
        name=SAMPLE,
        description="20,001 random cells of NAS-Bench-101, one training each",
        licence=dataset.files[0].licence,
        digest=f"sha256:{dataset.digest}",
    )


def _records() -> tuple[Arrays, Source]:
    table, digest = datasets.load_imported("nasbench101")
    return table, Source(
        name=RECORDS,
        description="the official NAS-Bench-101 records, mean over the trainings of each cell",
        licence="Apache-2.0",
        digest=f"sha256:{digest}",
    )


_READERS: dict[str, Callable[[], tuple[Arrays, Source]]] = {SAMPLE: _sample, RECORDS: _records}
