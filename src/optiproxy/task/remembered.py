"""A free metric of a user's own, measured once for all architectures that it cannot tell apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

from optiproxy.spaces.reading import Reading
from optiproxy.task.quiet import is_quiet
from optiproxy.task.values import as_number

_Read = tuple[tuple[str, int | None], ...]
"""What was read first, second and so on, each with the position of its choice; None for what is not there."""


@final
class Remembered:
    """What a function has measured.

    Two mappings of decisions are one to it if they agree in what it reads of them: a learning rate changes no latency. Of
    networks nobody knows what a function looks at, but for times that `optiproxy.Costs` measures, which depend on the
    operations of a forward pass alone.

    Args:
        name: Of the metric.
        measure: The function; the same input gives the same value, up to noise.
    """

    def __init__(self, name: str, measure: Callable[[Any], float]) -> None:
        self._name = name
        self._measure = measure
        # What has been read so far -> the name that is read next, or the value.
        self._known: dict[_Read, str | float] = {}
        self._times: dict[str, float] = {}

    def __call__(self, built: Any, positions: Mapping[str, int]) -> float:  # noqa: ANN401 - what a space builds
        """Measure, unless that is known.

        Args:
            built: A network, or decision name -> value.
            positions: Decision name -> position of its choice.

        Raises:
            WrongValueError: If the function returns something else than a number.
            Exception: Whatever it raises; that is not remembered.
        """
        if type(built) is dict:
            return self._by_reading(built, positions)
        computation = getattr(getattr(self._measure, "__self__", None), "computation", None)
        if not callable(computation) or not is_quiet(self._measure):
            return self._measured(built)
        key = str(computation(built))
        if key not in self._times:
            self._times[key] = self._measured(built)
        return self._times[key]

    def _by_reading(self, values: dict[str, Any], positions: Mapping[str, int]) -> float:
        def then(read: _Read, name: str) -> _Read:
            return (*read, (name, positions.get(name) if name in values else None))

        read: _Read = ()
        while isinstance(known := self._known.get(read), str):
            read = then(read, known)
        if known is not None:
            return known
        reading = Reading(values)
        value = self._measured(reading)
        # What reads nothing, as far as can be told, may have found another way to look.
        read = ()
        for name in reading.read or values:
            self._known[read] = name
            read = then(read, name)
        self._known[read] = value
        return value

    def _measured(self, built: object) -> float:
        return as_number(self._name, self._measure(built))
