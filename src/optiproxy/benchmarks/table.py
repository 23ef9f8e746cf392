"""A task whose every training has been done already: evaluation is a look-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Metric
from optiproxy.spaces import Architecture, Space
from optiproxy.task import Source, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TableTask(Task):
    """A tabular benchmark.

    A query returns the values of the very architecture that was asked for: isomorphic architectures were trained
    separately, and their values differ by the noise of training.

    Args:
        name: The id on the command line.
        space: Where to search.
        metrics: What the columns hold.
        goal: What is searched for unless the user says otherwise.
        source: Where the table comes from.
        architectures: ``(n, d)`` integer positions, one row per tabulated architecture.
        columns: Metric name -> ``(n,)`` values in the metric's unit; NaN where there is none.

    Raises:
        UsageError: If the columns are not those of the metrics, or not as long as the list of architectures.
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
    ) -> None:
        names = tuple(metric.name for metric in metrics)
        if set(names) != set(columns):
            raise UsageError(f"Expected one column per metric ({', '.join(names)}), got {', '.join(columns)}.")
        shapes = {key: np.shape(column) for key, column in columns.items()}
        if set(shapes.values()) != {(len(architectures),)}:
            raise UsageError(f"Expected columns of {len(architectures)} values, one per architecture, got {shapes}.")
        goal.check(metrics)
        self.name, self.space, self.metrics, self.goal, self.source = name, space, metrics, goal, source
        self._names = names
        self._free = [i for i, metric in enumerate(metrics) if metric.free]
        self._values = np.stack([np.asarray(columns[key], dtype=np.float64) for key in names], axis=1)
        self._row: dict[Architecture, int] = {tuple(row): n for n, row in enumerate(architectures.tolist())}
        self.optimum = self._best()

    def evaluate(self, architecture: Architecture, *, seed: int = 0, fidelity: int | None = None) -> dict[str, float]:  # noqa: ARG002 - tabulated once
        """Look up one architecture.

        Raises:
            UsageError: If the table does not hold it.
        """
        return self._measured(architecture, range(len(self._names)))

    def free_metrics(self, architecture: Architecture) -> dict[str, float]:
        return self._measured(architecture, self._free)

    def _measured(self, architecture: Architecture, positions: range | list[int]) -> dict[str, float]:
        row = self._row.get(architecture)
        if row is None:
            raise UsageError(f"{self.name} holds {len(self._row)} architectures, and {architecture} is none of them.")
        values = self._values[row].tolist()
        # A metric that could not be had is left out; NaN alone differs from itself.
        return {self._names[i]: values[i] for i in positions if values[i] == values[i]}

    def _best(self) -> float | None:
        """The first objective's best value among the rows that keep the goal's limits; for reports only."""
        objective = self.goal.objectives[0]
        column = self._values[:, self._names.index(objective.metric)]
        kept = np.isfinite(column)
        for limit in self.goal.limits:
            bounded = self._values[:, self._names.index(limit.metric)]
            kept &= bounded <= limit.bound if limit.sense == "<=" else bounded >= limit.bound
        if not kept.any():
            return None
        return float(column[kept].max() if objective.direction == "max" else column[kept].min())
