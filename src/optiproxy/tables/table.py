"""A task whose every training has been done already: evaluation is a look-up. And the table that comes with the package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.errors import DataError, UsageError
from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces import Architecture, Space
from optiproxy.spaces.published.nasbench201 import NASBench201
from optiproxy.tables.store.files import arrays_digest, read_arrays
from optiproxy.task.task import Source, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from optiproxy.tables.store.files import Arrays


class TableTask(Task):
    """A tabular benchmark.

    A query returns the values of the very architecture that was asked for: isomorphic architectures were trained
    separately, and their values differ by the noise of training. An architecture that is not listed has the values of its
    canonical form.

    Args:
        name: Id of the task on the command line.
        space: Where to search.
        metrics: What the columns hold.
        goal: What is searched for unless the user says otherwise.
        source: Where the table comes from.
        architectures: ``(n, d)`` integer positions, one row per tabulated architecture.
        columns: Metric name -> values in the metric's unit, NaN where there is none: ``(n,)`` where they are the same at
            every fidelity, else ``(n, len(fidelities))``.
        fidelities: Epochs, cheapest first, where there are several.
        queried: Free metrics that a search learns from its queries all the same; see `Task`.
        search_fidelity: Where the budget is spent unless the search says otherwise; see `Task`.

    Raises:
        UsageError: If the columns are not those of the metrics, or not as long as the list of architectures, or if an
            architecture is listed twice.
    """

    isolated = False
    gaps = True

    def __init__(
        self,
        name: str,
        space: Space,
        *,
        metrics: tuple[Metric, ...],
        goal: Goal,
        source: Source,
        architectures: NDArray[np.integer],
        columns: Mapping[str, NDArray[np.floating]],
        fidelities: tuple[int, ...] = (),
        queried: tuple[str, ...] = (),
        search_fidelity: int | None = None,
    ) -> None:
        names = tuple(metric.name for metric in metrics)
        if set(names) != set(columns):
            raise UsageError(f"Expected one column per metric ({', '.join(names)}), got {', '.join(columns)}.")
        n, k = len(architectures), max(len(fidelities), 1)
        shapes = {key: np.shape(column) for key, column in columns.items()}
        if not set(shapes.values()) <= {(n,), (n, k)}:
            raise UsageError(
                f"Expected columns of {n} values, one per architecture, for {k} fidelities or for all at once; got {shapes}."
            )
        goal.check(metrics)
        self.name, self.space, self.metrics, self.goal, self.source = name, space, metrics, goal, source
        self.fidelities, self.queried, self.search_fidelity = fidelities, queried, search_fidelity
        self._names = names
        self._free = [i for i, metric in enumerate(metrics) if metric.free]
        # Shape (k, n, m): fidelities, architectures, metrics. Beside each other lies what one query reads.
        self._values = np.empty((k, n, len(names)))
        for i, key in enumerate(names):
            # Transposed, so that a column with one value for all fidelities spreads over them.
            self._values[:, :, i] = np.asarray(columns[key], dtype=np.float64).T
        self._row: dict[Architecture, int] = {tuple(row): r for r, row in enumerate(architectures.tolist())}
        if len(self._row) < n:
            raise UsageError(f"Expected each architecture of {name} once, got {n - len(self._row)} of them again.")
        # For reports alone: no search can ask a task for it.
        self.optimum = self._best()

    def evaluate(self, architecture: Architecture, *, seed: int = 0, fidelity: int | None = None) -> dict[str, float]:  # noqa: ARG002 - tabulated once
        """Look up one architecture.

        Raises:
            UsageError: If the table does not hold it, or there is no such fidelity.
        """
        return self._measured(architecture, range(len(self._names)), self._position(fidelity))

    def free_metrics(self, architecture: Architecture) -> dict[str, float]:
        return self._measured(architecture, self._free, -1)

    def _measured(self, architecture: Architecture, metrics: range | list[int], fidelity: int) -> dict[str, float]:
        # The very architecture first, which may have a training of its own.
        row = self._row.get(architecture)
        if row is None and self.space.is_valid(architecture):
            row = self._row.get(self.space.canonical(architecture))
        if row is None:
            raise UsageError(f"{self.name} holds {len(self._row)} architectures, and {architecture} is none of them.")
        values = self._values[fidelity, row].tolist()
        # A metric that has no value is left out; NaN alone differs from itself.
        return {self._names[i]: values[i] for i in metrics if values[i] == values[i]}

    def _position(self, fidelity: int | None) -> int:
        self.check_fidelity(fidelity)
        # The full fidelity is the last one.
        return -1 if fidelity is None else self.fidelities.index(fidelity)

    def _best(self) -> float | None:
        """The best value of the first objective, at the full fidelity, among the feasible rows; for reports only."""
        objective = self.goal.objectives[0]
        full = self._values[-1]
        # NaN keeps no limit and is no best value: comparisons with it are false.
        column = full[:, self._names.index(objective.metric)]
        kept = np.isfinite(column)
        for limit in self.goal.limits:
            bounded = full[:, self._names.index(limit.metric)]
            kept &= bounded <= limit.bound if limit.sense == "<=" else bounded >= limit.bound
        if not kept.any():
            return None
        return float(column[kept].max() if objective.direction == "max" else column[kept].min())


PATH = Path(__file__).parent / "data" / "digits_table.npz"
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
    # The file holds counts, which are exact and compress well.
    right: NDArray[np.float64] = table[part].mean(axis=0)
    return 100 * right / _IMAGES[part]
