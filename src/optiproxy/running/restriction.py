"""Limits on free metrics: known before training, so that what breaks one is never trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from optiproxy.errors import DeviceError
from optiproxy.metrics import Goal, Limit, Metrics
from optiproxy.running.evaluation import one_line
from optiproxy.spaces import Architecture, RestrictedSpace, Space
from optiproxy.task import Task

_PATIENCE = 3
"""Failures of a device, one after the other, after which it is taken to be gone."""


@final
class FreeMetrics:
    """What a task measures without training, as far as it can be had.

    Args:
        task: Measures.

    Attributes:
        problem: Why the latest measurement that failed did so; empty where none has.
    """

    def __init__(self, task: Task) -> None:
        self.problem = ""
        self._task = task
        self._device_failures = 0

    def __call__(self, architecture: Architecture) -> Metrics | None:
        """Metric name -> value; None for an architecture that cannot be measured, or not even be built.

        Raises:
            DeviceError: If the device that measures fails several times in a row: without it nothing can be said.
        """
        try:
            metrics = self._task.free_metrics(architecture)
        except DeviceError as error:
            self.problem = str(error)
            self._device_failures += 1
            if self._device_failures >= _PATIENCE:
                raise
            return None
        except Exception as error:  # noqa: BLE001 - a network that cannot be built is infeasible, whatever it raises
            self.problem = one_line(error)
            return None
        self._device_failures = 0
        return metrics


@final
class FreeLimits:
    """The limits of a goal that a task can check without training.

    An architecture that cannot even be measured keeps no limit.

    Args:
        task: Measures.
        goal: Limits.
        free: Names of the metrics that the task measures without training.
    """

    def __init__(self, task: Task, goal: Goal, free: Sequence[str]) -> None:
        self.limits: tuple[Limit, ...] = tuple(limit for limit in goal.limits if limit.metric in free)
        self._task = task
        self._measure = FreeMetrics(task)
        self._measured: dict[Architecture, Metrics] = {}

    def restrict(self, space: Space) -> Space:
        """The space without what breaks a limit; the same space where there is no such limit."""
        return RestrictedSpace(space, self._admits) if self.limits else space

    def measured(self, architecture: Architecture) -> Metrics:
        """The limited metrics as they were when the architecture was admitted; a latency is measured anew each time."""
        found = self._measured.get(self._task.space.canonical(architecture), {})
        return {limit.metric: found[limit.metric] for limit in self.limits if limit.metric in found}

    def nothing_left(self) -> str:
        """Two sentences for a search in which no architecture was admitted."""
        kept = f" that keeps {', '.join(map(str, self.limits))}" if self.limits else ""
        reason = self._measure.problem.rstrip(".")
        problem = f" Measuring failed with: {reason}." if reason else ""
        return (
            f"Found no architecture of {self._task.space.name!r}{kept}. Loosen the limits or widen the space.{problem}"
        )

    def _admits(self, architecture: Architecture) -> bool:
        metrics = self._measure(architecture)
        if metrics is None:
            return False
        self._measured[architecture] = metrics
        return all(limit.violation(metrics) <= 0 for limit in self.limits)
