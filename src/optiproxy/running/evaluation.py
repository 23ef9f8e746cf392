"""One evaluation, in whatever process it runs: call the task, check what it returned."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from optiproxy.metrics import Goal, Metrics
from optiproxy.running.training_trial import progress_of
from optiproxy.spaces import Architecture
from optiproxy.task import Task


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one evaluation.

    Attributes:
        metrics: Finite values; empty where it failed.
        reason: Why it failed, one line; empty where it did not.
        seconds: Wall time that it took.
        curve: Step -> value, as the training reported it.
    """

    metrics: Metrics = field(default_factory=dict[str, float])
    reason: str = ""
    seconds: float = 0.0
    curve: Mapping[int, float] = field(default_factory=dict[int, float])


class WrongValueError(Exception):
    """A task returned something that is no set of metrics; the message becomes the trial's reason."""


def evaluate(
    task: Task,
    architecture: Architecture,
    goal: Goal,
    *,
    seed: int,
    known: Metrics,
    fidelity: int | None = None,
    number: int = 0,
) -> Outcome:
    """Spend one query. Never raises for what a training may do; only an interrupt passes through.

    Args:
        task: Evaluates.
        architecture: To be evaluated.
        goal: Says which metrics have to be there.
        seed: Of the training.
        known: What was measured before the training; where the task returns the same metric, this counts.
        fidelity: One of the task's; None means the full one.
        number: Of the query.
    """
    start = time.perf_counter()
    with progress_of(number) as progress:
        try:
            returned: object = task.evaluate(architecture, seed=seed, fidelity=fidelity)
            metrics, reason = {**checked(returned, goal), **known}, ""
        except WrongValueError as error:
            metrics, reason = {}, str(error)
        # A training script that calls sys.exit has failed like one that raises.
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a training raises is its reason
            metrics, reason = {}, one_line(error)
    return Outcome(metrics=metrics, reason=reason, seconds=time.perf_counter() - start, curve=progress.curve)


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
