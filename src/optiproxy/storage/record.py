"""One query, as a search keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from optiproxy.metrics import Metrics
from optiproxy.optimizer import Trial
from optiproxy.spaces import Architecture


@dataclass(frozen=True, kw_only=True)
class Record:
    """One query, as stored in the study.

    Attributes:
        number: Position among the study's queries, from 0, in the order of asking.
        architecture: What was evaluated.
        state: ``"complete"`` or ``"failed"``; both count against the budget.
        metrics: What was measured; empty where the training failed.
        reason: Why it failed, one line; empty where it did not.
        predicted: What the algorithm expected, metric name -> value; empty where it had no model.
        ask_seconds: Spent by the algorithm to propose this.
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
    ask_seconds: float = 0.0
    evaluation_seconds: float = 0.0
    fidelity: int | None = None
    curve: Mapping[int, float] = field(default_factory=dict[int, float])

    @property
    def trial(self) -> Trial:
        """The record as the algorithms see it."""
        return Trial(self.architecture, self.metrics)
