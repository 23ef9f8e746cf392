"""What a task returned: checked, as plain numbers and as what else is worth keeping, and why it could not be."""

from __future__ import annotations

import json
import math
import os
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optiproxy.errors import nearest
from optiproxy.metrics import Goal


class WrongValueError(Exception):
    """A task returned something that is no set of metrics; the message becomes the trial's reason.

    Args:
        message: What was expected and what arrived.
        kind: The same for every value that is wrong in this way; None where the message shows no value.

    Attributes:
        kind: Which mistakes are alike.
    """

    def __init__(self, message: str, *, kind: str | None = None) -> None:
        super().__init__(message)
        self.kind = message if kind is None else kind


Attribute = str | int | float | bool | None | list[Any] | dict[str, Any]
"""What is kept beside metrics: anything that JSON can hold."""

LIKENESS = 0.5
"""Of two names of metrics that may be meant for one: a short form is not that like the whole word."""

LONGEST = 10_000
"""Characters of an attribute, as JSON; of a longer one the beginning is kept, as a text."""


@dataclass(frozen=True)
class Returned:
    """What a training function returned, taken apart.

    Attributes:
        metrics: Finite numbers by name.
        attributes: All else: paths, texts, lists, None.
        missing: Limited metrics that are not there at all. One that is NaN is there, and breaks its limit.
    """

    metrics: dict[str, float]
    attributes: dict[str, Attribute]
    missing: tuple[str, ...]


def checked(returned: object, goal: Goal) -> Returned:
    """Take apart what a task returned.

    Raises:
        WrongValueError: If it is no mapping, a metric that the goal reads is no number, or an objective is missing or not
            finite.
    """
    if not isinstance(returned, Mapping):
        raise WrongValueError(f"Expected a mapping of metrics, got {_shown(returned)}.", kind="no mapping")
    given = {str(name): value for name, value in dict[object, object](returned).items()}
    read = {*(objective.metric for objective in goal.objectives), *(limit.metric for limit in goal.limits)}
    numbers: dict[str, float] = {}
    attributes: dict[str, Attribute] = {}
    for name, value in given.items():
        try:
            numbers[name] = as_number(name, value)
        except WrongValueError:
            # Only what is read has to be a number; the rest may be anything, and is kept.
            if name in read:
                raise
            attributes[name] = as_attribute(value)
    for objective in goal.objectives:
        if objective.metric not in numbers:
            told = f"The objective {objective.metric!r} is missing among {[*given]}."
            raise WrongValueError(f"{told} {nearest(objective.metric, given, likeness=LIKENESS)}".rstrip())
        if not math.isfinite(numbers[objective.metric]):
            raise WrongValueError(f"The objective {objective.metric!r} is {numbers[objective.metric]}.")
    return Returned(
        {name: value for name, value in numbers.items() if math.isfinite(value)},
        attributes,
        tuple(limit.metric for limit in goal.limits if not limit.optional and limit.metric not in given),
    )


def as_attribute(value: object) -> Attribute:
    """What is kept of a value: itself where JSON can hold it, a path as its text, and all else as Python shows it."""
    if isinstance(value, os.PathLike):
        return os.fspath(value) if isinstance(os.fspath(value), str) else repr(value)
    try:
        text = json.dumps(value, default=_as_text)
    except Exception:  # noqa: BLE001 - whatever a user's object does when it is looked at
        return _shown_safely(value)[:LONGEST]
    return json.loads(text) if len(text) <= LONGEST else text[:LONGEST]


def _as_text(value: object) -> str:
    return os.fspath(value) if isinstance(value, os.PathLike) else _shown_safely(value)[:LONGEST]


def _shown_safely(value: object) -> str:
    """What Python shows of a value, or its type where showing it fails."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - the same
        return f"<{type(value).__name__}>"


def as_number(name: object, value: object) -> float:
    """The value of a metric as a plain float.

    Raises:
        WrongValueError: If it is no number.
    """
    # Scalars of numpy and torch know `__float__`; a text or a truth value that converts would hide a mistake.
    truth = isinstance(value, bool) or str(getattr(value, "dtype", "")) in ("bool", "torch.bool")
    if truth or isinstance(value, str | bytes) or not hasattr(value, "__float__"):
        raise WrongValueError(f"Expected a number for {name!r}, got {_shown(value)}.", kind=f"no number for {name!r}")
    if hasattr(value, "detach"):  # a loss with its graph: torch warns of a conversion that forgets it
        value = value.detach()  # pyright: ignore[reportAttributeAccessIssue]
    try:
        return float(value)  # pyright: ignore[reportArgumentType] - it has __float__
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise WrongValueError(
            f"Expected a number for {name!r}, got {_shown(value)}.", kind=f"no number for {name!r}"
        ) from error


def one_line(error: BaseException) -> str:
    """Type, message and notes of an exception, on one line of bounded length."""
    text = " ".join(str(error).split())
    told = f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__
    notes = " ".join(getattr(error, "__notes__", ()))
    return f"{told} ({notes})"[:500] if notes else told


MOST_TEXT = 64 * 1024
"""Characters that are kept of a traceback, and of what a training printed: the last ones."""


def whole_traceback(error: BaseException) -> str:
    """The traceback of an exception as Python prints it, without the frames of this package above the user's own."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))[-MOST_TEXT:]


_PACKAGE = Path(__file__).parent.parent


def _is_ours(file: str) -> bool:
    return Path(file).is_relative_to(_PACKAGE)


def _shown(value: object) -> str:
    return f"{type(value).__name__} {' '.join(_shown_safely(value).split())[:60]}"
