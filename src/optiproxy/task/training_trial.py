"""What a training function may know about its query, and tell while it runs."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from optiproxy.errors import UsageError
from optiproxy.metrics import Metrics
from optiproxy.task.device import current_device


@dataclass
class Progress:
    """One query in the process that evaluates it.

    Attributes:
        number: Of the query, as in `Record`.
        known: Metrics that were measured before the training, and need not be measured again.
        curve: Step -> value, as far as reported.
    """

    number: int = 0
    known: Metrics = field(default_factory=dict[str, float])
    curve: dict[int, float] = field(default_factory=dict[int, float])


# A context variable, so that evaluations in several threads of one process do not mix.
_PROGRESS: ContextVar[Progress | None] = ContextVar("optiproxy progress", default=None)


@contextmanager
def progress_of(number: int, known: Metrics) -> Generator[Progress]:
    """Collect what the evaluation within reports, and let it see what is known already."""
    progress = Progress(number, known)
    token = _PROGRESS.set(progress)
    try:
        yield progress
    finally:
        _PROGRESS.reset(token)


def current_progress() -> Progress:
    """Of the query that is evaluated here and now; an empty one outside of a search."""
    return _PROGRESS.get() or Progress()


class TrainingTrial:
    """The second argument of a training function, where it takes two.

    Args:
        architecture: Decision name -> value.
        seed: Of the search.

    Attributes:
        architecture: The same.
        seed: To seed the training with.
        number: Of the query, from 0.
    """

    def __init__(self, architecture: Mapping[str, Any], *, seed: int) -> None:
        self._progress = current_progress()
        self.architecture = architecture
        self.seed = seed
        self.number = self._progress.number

    @property
    def device(self) -> str:
        """What torch calls the device to train on: the worker's own, else the first CUDA device or ``"cpu"``."""
        return current_device()

    def report(self, value: float, step: int) -> None:
        """Keep a point of the learning curve in the record of the query, as `optuna.Trial.report` does.

        It is written when the training ends, and lost where that is killed. A step that is reported again is replaced.

        Args:
            value: For example the validation accuracy so far.
            step: For example the epoch, from 0.

        Raises:
            UsageError: If the value is not finite, or the step no whole number from 0.
        """
        if isinstance(step, bool) or not hasattr(step, "__index__") or step.__index__() < 0:
            raise UsageError(f"Expected the step of a learning curve to be a whole number from 0, got {step!r}.")
        try:
            number = math.nan if isinstance(value, str | bytes | bool) else float(value)
        except (TypeError, ValueError, RuntimeError):
            number = math.nan
        if not math.isfinite(number):
            raise UsageError(
                f"Expected a finite number for step {step} of the learning curve, got {type(value).__name__} {value!r}. "
                "Report nothing where there is nothing to report, or let the training fail."
            )
        self._progress.curve[step.__index__()] = number
