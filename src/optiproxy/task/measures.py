"""Free metrics of a user's own: functions of what the space builds, asked before any training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, final

from optiproxy.spaces import Architecture, Space
from optiproxy.task.values import as_number

Measure = Callable[[Any], float]
"""Takes what the space builds, decision name -> value or a network. NaN or infinity means that it could not be measured."""


@final
class Measures:
    """Measures each canonical architecture once; a copy that is sent to another process keeps what was measured.

    Args:
        space: Builds.
        measures: Metric name -> the function that measures it.
    """

    def __init__(self, space: Space, measures: Mapping[str, Measure]) -> None:
        self._space = space
        self._measures = dict(measures)
        self._known: dict[Architecture, dict[str, float]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Of the metrics."""
        return tuple(self._measures)

    def __call__(self, architecture: Architecture) -> dict[str, float]:
        """Metric name -> value, without what could not be measured.

        Raises:
            WrongValueError: If a function returns something else than a number.
            Exception: Whatever building and measuring raise.
        """
        if not self._measures:
            return {}
        canonical = self._space.canonical(architecture)
        if canonical not in self._known:
            built = self._space.build(canonical)
            values = {name: as_number(name, measure(built)) for name, measure in self._measures.items()}
            self._known[canonical] = {name: value for name, value in values.items() if math.isfinite(value)}
        return dict(self._known[canonical])
