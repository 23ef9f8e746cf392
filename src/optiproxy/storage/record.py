"""The three forms of one query.

A `Query` is in flight: it has been asked for and not been answered. A `Record` is what the study keeps of it once it has
finished. A `Trial` (`optiproxy.optimizer`) is all that an algorithm sees of a record. Optuna calls the row in which the
first two are stored a trial as well; `optiproxy.storage.schema` says what is written there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from optiproxy.metrics import Metrics
from optiproxy.spaces import Architecture

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


@dataclass(frozen=True, kw_only=True)
class Query:
    """An architecture that has been asked for and not been answered yet.

    Attributes:
        stored: Where Optuna keeps it.
        number: Position among the study's queries, as in `Record`.
        architecture: To be evaluated.
        predicted: As in `Record`.
        intervals: As in `Record`.
        ask_seconds: As in `Record`.
        fidelity: Where to evaluate it; None means the full one.
        known: Metrics that an earlier query of the same architecture has settled.
    """

    stored: FrozenTrial
    number: int
    architecture: Architecture
    predicted: Metrics
    ask_seconds: float
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    fidelity: int | None = None
    known: Metrics = field(default_factory=dict[str, float])


@dataclass(frozen=True, kw_only=True)
class Record:
    """One finished query, as stored in the study.

    Attributes:
        number: Position among the study's queries, from 0, in the order of asking.
        architecture: What was evaluated.
        state: ``"complete"`` or ``"failed"``; both count against the budget.
        metrics: What was measured; empty where the training failed.
        reason: Why it failed, one line; empty where it did not.
        predicted: What the algorithm expected, metric name -> value; empty where it had no model.
        intervals: Metric name -> the bounds between which it expected the value; empty where it told none.
        ask_seconds: Spent by the algorithm to propose this, with the reading of the study.
        evaluation_seconds: Spent on the evaluation.
        fidelity: Where it was evaluated, below the full one; None means the full one.
        curve: Step -> value, as the training reported it; kept where it failed, too.
    """

    number: int
    architecture: Architecture
    state: Literal["complete", "failed"]
    metrics: Metrics = field(default_factory=dict[str, float])
    reason: str = ""
    predicted: Metrics = field(default_factory=dict[str, float])
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    ask_seconds: float = 0.0
    evaluation_seconds: float = 0.0
    fidelity: int | None = None
    curve: Mapping[int, float] = field(default_factory=dict[int, float])
