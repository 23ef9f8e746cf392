"""What a task returned: checked, as plain numbers, and why it could not be."""

from __future__ import annotations

import math
from collections.abc import Mapping

from optiproxy.metrics import Goal


class WrongValueError(Exception):
    """A task returned something that is no set of metrics; the message becomes the trial's reason."""


def checked(returned: object, goal: Goal) -> dict[str, float]:
    """The metrics as plain floats, without those that are NaN or infinite.

    Raises:
        WrongValueError: If it is no mapping of names to numbers, or an objective is missing or not finite.
    """
    if not isinstance(returned, Mapping):
        raise WrongValueError(f"Expected a mapping of metrics, got {_shown(returned)}.")
    metrics: dict[object, float] = {
        name: as_number(name, value) for name, value in dict[object, object](returned).items()
    }
    for objective in goal.objectives:
        if objective.metric not in metrics:
            raise WrongValueError(f"The objective {objective.metric!r} is missing among {[*map(str, metrics)]}.")
        if not math.isfinite(metrics[objective.metric]):
            raise WrongValueError(f"The objective {objective.metric!r} is {metrics[objective.metric]}.")
    return {str(name): value for name, value in metrics.items() if math.isfinite(value)}


def as_number(name: object, value: object) -> float:
    """The value of a metric as a plain float.

    Raises:
        WrongValueError: If it is no number.
    """
    # Scalars of numpy and torch know `__float__`; a text or a truth value that converts would hide a mistake.
    truth = isinstance(value, bool) or str(getattr(value, "dtype", "")) in ("bool", "torch.bool")
    if truth or isinstance(value, str | bytes) or not hasattr(value, "__float__"):
        raise WrongValueError(f"Expected a number for {name!r}, got {_shown(value)}.")
    if hasattr(value, "detach"):  # a loss with its graph: torch warns of a conversion that forgets it
        value = value.detach()  # pyright: ignore[reportAttributeAccessIssue]
    try:
        return float(value)  # pyright: ignore[reportArgumentType] - it has __float__
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise WrongValueError(f"Expected a number for {name!r}, got {_shown(value)}.") from error


def one_line(error: BaseException) -> str:
    """Type, message and notes of an exception, on one line of bounded length."""
    text = " ".join(str(error).split())
    told = f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__
    notes = " ".join(getattr(error, "__notes__", ()))
    return f"{told} ({notes})"[:500] if notes else told


def _shown(value: object) -> str:
    return f"{type(value).__name__} {' '.join(repr(value).split())[:60]}"
