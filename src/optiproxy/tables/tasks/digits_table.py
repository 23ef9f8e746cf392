"""Every distinct NAS-Bench-201 cell trained on digits: a table that comes with the package (docs/decisions/digits-table.md)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from optiproxy.errors import DataError
from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces.published.nasbench201 import NASBench201
from optiproxy.tables.store.files import arrays_digest, read_arrays
from optiproxy.tables.tasks.table import TableTask
from optiproxy.task.task import Source, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from optiproxy.tables.store.files import Arrays

PATH = Path(__file__).parents[1] / "data" / "digits_table.npz"
"""The file, which ``benchmarks/digits_table/make.py`` made."""

DIGEST = "f7375189cca8dd6a6b808ae759c79a53d770acd74acb13d31529232071467085"
"""Digest of the file's arrays."""

_IMAGES = {"validation": 748, "test": 749}
"""Images in the parts that networks are scored on."""


def digits_table_task() -> Task:
    """Find the cell with the best validation accuracy on digits, without training any.

    Values are means over the seeds of the table. A fidelity is a point on the learning curve of the one training of 50
    epochs; in the task `digits`, which trains, each fidelity has a learning rate schedule of its own.

    Raises:
        DataError: If the package's file is damaged.
    """
    table = _table()
    columns = {
        Metric(name="val_accuracy", direction="max", unit="%"): _accuracy(table, "validation"),
        Metric(name="test_accuracy", direction="max", unit="%", reported_only=True): _accuracy(table, "test"),
        Metric(name="params", direction="min", free=True): table["params"],
        Metric(name="flops", direction="min", free=True): table["flops"],
        Metric(name="latency_ms", direction="min", unit="ms", free=True): table["latency_ms"],
        Metric(name="latency_iqr_ms", direction="min", unit="ms", free=True): table["latency_iqr_ms"],
    }
    seeds = len(table["validation"])
    return TableTask(
        "digits-table",
        NASBench201(),
        metrics=tuple(columns),
        goal=Goal((Objective("val_accuracy"),)),
        source=Source(
            "digits-table-v1",
            "the 6,466 distinct cells trained as the task digits trains them (8x8 images of scikit-learn; UCI optdigits, "
            f"Alpaydin and Kaynak 1998), mean over {seeds} seed{'s' if seeds > 1 else ''}",
            licence="CC-BY-4.0",
            digest=f"sha256:{DIGEST}",
        ),
        architectures=table["cells"],
        columns={metric.name: column for metric, column in columns.items()},
        fidelities=tuple(table["epochs"].tolist()),
    )


def _table() -> Arrays:
    remedy = "Install optiproxy again."
    arrays = read_arrays(PATH, remedy=remedy)
    # Installed files are damaged seldom, but a study names this digest, so it has to be true.
    found = arrays_digest(arrays)
    if found != DIGEST:
        raise DataError(
            f"Expected the arrays in {PATH} to have the digest {DIGEST[:12]}..., got {found[:12]}...: "
            f"it is damaged or another version. {remedy}"
        )
    return arrays


def _accuracy(table: Arrays, part: str) -> NDArray[np.float64]:
    """Mean accuracy over the seeds in percent, ``(n, fidelities)``, from counts of right answers ``(seeds, n, fidelities)``."""
    right: NDArray[np.float64] = table[part].mean(axis=0)
    return 100 * right / _IMAGES[part]
