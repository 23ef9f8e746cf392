"""A task whose every training has been done already: evaluation is a look-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Metric
from optiproxy.spaces import Architecture, Space
from optiproxy.task.task import Source, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
            self._values[:, :, i] = np.asarray(columns[key], dtype=np.float64).T
        self._row: dict[Architecture, int] = {tuple(row): r for r, row in enumerate(architectures.tolist())}
        if len(self._row) < n:
            raise UsageError(f"Expected each architecture of {name} once, got {n - len(self._row)} of them again.")
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
