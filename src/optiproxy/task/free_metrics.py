"""Free metrics that a goal reads: known before training, so that what breaks a limit on one is never trained."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import final

from optiproxy.errors import DeviceError
from optiproxy.metrics import Goal, Limit, Metrics
from optiproxy.spaces import Architecture, RestrictedSpace, Space
from optiproxy.task.task import Task
from optiproxy.task.values import one_line

_PAUSE = 1.0
"""Seconds without a measurement that end a search for what may be trained."""

_TOLD = 3.0
"""Seconds of such a search after which, again and again, it is told how far that is."""

_PATIENCE = 3
"""Failures of a device, one after the other, after which it is taken to be gone."""


@final
class FreeMetrics:
    """What a task measures without training, as far as it can be had: asked once per network and remembered.

    A latency differs from one measurement to the next; the first one holds for the whole search.

    Args:
        task: Measures.
        tell: Told of the first network that cannot be measured.

    Attributes:
        problem: Why the latest measurement that failed did so; empty where none has.
    """

    def __init__(self, task: Task, tell: Callable[[str], None] = lambda _: None) -> None:
        self.problem = ""
        self._task = task
        self._tell = tell
        self._device_failures = 0
        self._measured: dict[Architecture, Metrics | None] = {}

    def __call__(self, architecture: Architecture) -> Metrics | None:
        """Metric name -> value; None for an architecture that cannot be measured, or not even be built.

        Raises:
            DeviceError: If the device that measures fails several times in a row: without it nothing can be said.
        """
        # Isomorphic architectures are one network, and it is the canonical form that is built.
        key = self._task.space.canonical(architecture)
        if key not in self._measured:
            self._measured[key] = self._measure(key)
        return self._measured[key]

    @property
    def measured(self) -> list[Metrics]:
        """All that could be measured so far."""
        return [metrics for metrics in self._measured.values() if metrics is not None]

    def remembered(self, architecture: Architecture) -> Metrics:
        """What has been measured already; nothing is measured now."""
        return self._measured.get(self._task.space.canonical(architecture)) or {}

    def _measure(self, architecture: Architecture) -> Metrics | None:
        try:
            metrics = self._task.free_metrics(architecture)
        except DeviceError as error:
            self.problem = str(error)
            self._device_failures += 1
            if self._device_failures >= _PATIENCE:
                raise
            return None
        except Exception as error:  # noqa: BLE001 - a network that cannot be built is infeasible, whatever it raises
            first, self.problem = not self.problem, one_line(error)
            if first:
                self._tell(f"what cannot be measured before its training is left out, at first: {self.problem}")
            return None
        # One that answers in between is there; its other failures are the architectures' own.
        self._device_failures = 0
        return metrics


@final
class FreeLimits:
    """The limits of a goal that a task can check without training, and the objectives that it can measure so.

    An architecture that cannot even be measured keeps no limit, and has not the objectives that make it feasible.

    Args:
        task: Measures.
        goal: Limits and objectives.
        free: Names of the limited metrics that the search knows without training.
        tell: Told now and then how far it is, while much is measured.
    """

    def __init__(
        self, task: Task, goal: Goal, free: Sequence[str], *, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self.limits: tuple[Limit, ...] = tuple(limit for limit in goal.limits if limit.metric in free)
        offered = {metric.name for metric in task.metrics if metric.free}
        # An objective that cannot be had makes a query infeasible, and that can be known before.
        self._objectives = tuple(o for o in goal.objectives if o.metric in offered and o.metric not in task.queried)
        self._task = task
        self._metrics = FreeMetrics(task, tell)
        self._tell = tell
        self._began = self._ended = self._told = time.monotonic()

    @property
    def known(self) -> frozenset[str]:
        """Names of the limited metrics and the objectives that are measured before a query."""
        return frozenset([*(limit.metric for limit in self.limits), *(o.metric for o in self._objectives)])

    def restrict(self, space: Space) -> Space:
        """The space without what breaks a limit or cannot be measured; the same space where nothing is to be measured."""
        if not (self.limits or self._objectives):
            return space
        return RestrictedSpace(space, self.admits, violation=self.violation)

    def admits(self, architecture: Architecture) -> bool:
        """Whether it can be measured and keeps the limits; the same answer however often it is asked.

        Raises:
            DeviceError: As `FreeMetrics`.
        """
        return self.violation(architecture) == 0

    def violation(self, architecture: Architecture) -> float:
        """By how much it breaks the limits in all, each relative to its bound; infinite where it cannot be measured.

        Raises:
            DeviceError: As `FreeMetrics`.
        """
        self._begin()
        metrics = self._metrics(architecture)
        self._end()
        if metrics is None or not all(math.isfinite(objective.gain(metrics)) for objective in self._objectives):
            return math.inf
        return self._excess(metrics)

    def measured(self, architecture: Architecture) -> Metrics:
        """The metrics that admitted the architecture; a latency that is measured anew would be another one."""
        found = self._metrics.remembered(architecture)
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def measure(self, architecture: Architecture) -> None:
        """Measure now what `measured` is to return then.

        Raises:
            DeviceError: As `FreeMetrics`.
        """
        self._metrics(architecture)

    def nothing_left(self) -> str:
        """Two or three sentences for a search in which no architecture was admitted."""
        space, measured = self._task.space, self._metrics.measured
        where = f"Found no architecture of {space.name!r}"
        reason = self._metrics.problem.rstrip(".")
        problem = f" Measuring failed with: {reason}." if reason else ""
        taken = ", ".join(f"{space.decisions[d].name}={space.decisions[d].choices[i]}" for d, i in space.fixed.items())
        if taken and not measured and not reason:
            return f"{where} with {taken} that keeps its rules. Fix other values, or loosen the rules."
        if isinstance(space, RestrictedSpace) and not measured and not reason:
            return (
                f"{where} that keeps its rules, among {space.asked:,} combinations that were tried. Loosen the rules, or list "
                "those that keep them, optiproxy.PoolSpace(space, architectures)."
            )
        without = [limit.metric for limit in self.limits if not any(limit.metric in metrics for metrics in measured)]
        if measured and without:
            return (
                f"{where} of which {without[0]!r} is known: of none of {len(measured):,} that were measured it was a finite number. "
                "Mend the function that measures it."
            )
        kept = f" that keeps {', '.join(map(str, self.limits))}" if self.limits else ""
        shown = self._nearest(measured)
        tried = f" among {len(measured):,} that were measured; {shown}" if shown else ""
        return f"{where}{kept}{tried}. Loosen the limits or widen the space.{problem}"

    def _begin(self) -> None:
        now = time.monotonic()
        # After a pause, such as a training, it is another search for what may be trained.
        if now - self._ended > _PAUSE:
            self._began = self._told = now

    def _end(self) -> None:
        self._ended = time.monotonic()
        if self._ended - self._told >= _TOLD:
            self._told = self._ended
            self._tell(self._so_far())

    def _so_far(self) -> str:
        """What has come of measuring, as long as nothing has been found that may be trained."""
        measured = self._metrics.measured
        kept = sum(self._excess(metrics) == 0 for metrics in measured)
        limits = " and ".join(map(str, self.limits))
        if not limits:
            return f"before any training, {len(measured):,} architectures were measured"
        nearest = f"; {shown}" if (shown := self._nearest(measured)) else ""
        if kept:
            return f"of {len(measured):,} architectures that were measured, {kept:,} keep {limits}"
        return f"none of {len(measured):,} architectures that were measured keeps {limits}{nearest}"

    def _nearest(self, measured: Sequence[Metrics]) -> str:
        """The values of what is nearest to the limits; empty where nothing is measured."""
        nearest = min(measured, key=self._excess, default={})
        known = [limit for limit in self.limits if limit.metric in nearest]
        if len(known) == len(self.limits) == 1:
            limit = known[0]
            return f"the {'smallest' if limit.sense == '<=' else 'largest'} has {_shown(nearest[limit.metric])}"
        shown = ", ".join(f"{limit.metric} {_shown(nearest[limit.metric])}" for limit in known)
        return f"the nearest has {shown}" if shown else ""

    def _excess(self, metrics: Metrics) -> float:
        # Relative, so that units do not matter.
        return sum(max(limit.violation(metrics), 0.0) / (abs(limit.bound) or 1.0) for limit in self.limits)


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.5g}"
