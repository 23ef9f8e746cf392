"""NAS-Bench-101 (Ying et al., ICML 2019, arXiv 1902.09635): cells trained on CIFAR-10 for up to 108 epochs.

The second half says how the data files hold cells: a matrix and a list of operations, without the nodes that lie on no path
from input to output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from optiproxy.errors import unknown
from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces.pool import PoolSpace
from optiproxy.spaces.published.nasbench101 import NETWORKS, NASBench101
from optiproxy.spaces.published.nasbench101_cells import EDGES, INNER, NODES, OPERATIONS, Cells
from optiproxy.tables.store import datasets
from optiproxy.tables.table import TableTask
from optiproxy.task.task import Source, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from optiproxy.tables.store.files import Arrays

SAMPLE = "nasbench101-20k"
RECORDS = "nasbench101-records"

EPOCHS = (4, 12, 36, 108)
"""Epochs of the trainings; each is a training of its own, its learning rate annealed to the end."""

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
    # The benchmark trained one cell of each isomorphism class; which one does not matter.
    rows = space.canonical_rows(to_rows(table))
    # The shorter of the two official files holds the trainings of 108 epochs alone.
    epochs = tuple(number for number in EPOCHS if f"valid_acc_e{number}" in table)
    columns = {
        _VALIDATION: 100 * np.stack([table[f"valid_acc_e{number}"] for number in epochs], axis=1),
        # Both sources tell the time of the longest training only.
        _SECONDS: np.stack([np.full(len(rows), np.nan)] * (len(epochs) - 1) + [table["train_time_s"]], axis=1),
        _PARAMS: table["params"] / 1e6,
    }
    # The sample has no test accuracies.
    if all(f"test_acc_e{number}" in table for number in epochs):
        columns[_TEST] = 100 * np.stack([table[f"test_acc_e{number}"] for number in epochs], axis=1)
    return TableTask(
        "nasbench101-cifar10",
        # A full table needs no list of the cells that may be asked for.
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


OPERATION_NAMES = (*OPERATIONS, "input", "output")

PADDING = 255
"""Stands in ``ops`` beyond the last node."""

_SOURCES, _TARGETS = np.array(EDGES).T


def to_arrays(rows: NDArray[np.integer]) -> dict[str, NDArray[Any]]:
    """Write cells as the data files hold them.

    Args:
        rows: ``(n, 26)`` canonical forms of `NASBench101`.

    Returns:
        ``adj (n, 7, 7)`` and ``ops (n, 7)`` with the ``n_vertices (n,)`` live nodes first, input to output; ``ops`` are
        positions in ``op_names``.
    """
    n = len(rows)
    matrices = np.zeros((n, NODES, NODES), dtype=np.uint8)
    # A cell of the space always has seven nodes; the files leave out those that lie on no path.
    matrices[:, _SOURCES, _TARGETS] = rows[:, : len(EDGES)]
    labels = np.full((n, NODES), OPERATION_NAMES.index("input"), dtype=np.uint8)
    labels[:, list(INNER)] = rows[:, len(EDGES) :]
    labels[:, -1] = OPERATION_NAMES.index("output")
    # `live` is one bit per inner node; input and output always live.
    vertices = (2 + (Cells.of(rows).live()[:, None] >> np.arange(len(INNER)) & 1).sum(axis=1)).astype(np.uint8)
    adjacency, operations = np.zeros_like(matrices), np.full_like(labels, PADDING)
    for count, chosen, nodes in _groups(vertices):
        adjacency[chosen, :count, :count] = matrices[chosen[:, None, None], nodes[:, None], nodes]
        operations[chosen, :count] = labels[chosen[:, None], nodes]
    return {"adj": adjacency, "ops": operations, "op_names": np.array(OPERATION_NAMES), "n_vertices": vertices}


def to_rows(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
    """Read the cells of a data file; the inverse of `to_arrays`.

    Returns:
        ``(n, 26)`` architectures of `NASBench101`.
    """
    matrices = np.zeros((len(arrays["adj"]), NODES, NODES), dtype=np.uint8)
    labels = np.zeros((len(matrices), NODES), dtype=np.uint8)
    for count, chosen, nodes in _groups(arrays["n_vertices"]):
        matrices[chosen[:, None, None], nodes[:, None], nodes] = arrays["adj"][chosen, :count, :count]
        labels[chosen[:, None], nodes] = arrays["ops"][chosen, :count]
    # Nodes that the file leaves out have no edge and operation 0 here.
    return np.concatenate([matrices[:, _SOURCES, _TARGETS], labels[:, list(INNER)]], axis=1)


def _groups(vertices: NDArray[np.integer]) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.intp]]]:
    """Group cells by their number of live nodes.

    Yields:
        That number, which cells have it, and the places of their live nodes among all seven. In canonical form live nodes
        are numbered from the front, and the output is always the last.
    """
    for count in np.unique(vertices).tolist():
        yield count, np.flatnonzero(vertices == count), np.array([*range(count - 1), NODES - 1])
