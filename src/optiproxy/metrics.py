"""What is measured, what is wanted of it, and which trial is best.

A `Metric` is declared by a task. A `Goal` says what one search is after: objectives to improve and limits to keep.
Everything that compares two trials (the optimizer, the running study, the reports) asks the goal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from optiproxy.errors import UsageError, unknown

Direction = Literal["max", "min"]
Metrics = Mapping[str, float]
"""Metric name -> measured value. A metric that could not be measured is absent or NaN."""

MOST_OBJECTIVES = 4
"""Of one search."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One measurable property of an architecture.

    Attributes:
        name: The key in every metrics mapping, for example ``"latency_ms"``.
        direction: Which way is better.
        unit: For people: ``"%"``, ``"ms"``, ``""``.
        free: Seen before any training (parameters, FLOPs, latency of the untrained network).
        reported_only: Never a signal for the search (the test split).
        quiet: A time on this machine, which a training beside it would falsify.
    """

    name: str
    direction: Direction
    unit: str = ""
    free: bool = False
    reported_only: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class Objective:
    """A metric to push in one direction."""

    metric: str
    direction: Direction = "max"

    @classmethod
    def parse(cls, text: str, *, default: Direction = "max") -> Objective:
        """Read ``METRIC`` or ``METRIC:min`` or ``METRIC:max``.

        Raises:
            UsageError: If the direction is something else or the name is empty.
        """
        name, colon, direction = text.partition(":")
        if not name or (colon and direction not in ("min", "max")):
            raise UsageError(f"Expected an objective like 'accuracy:max', got {text!r}.")
        return cls(name, "min" if (direction or default) == "min" else "max")

    def gain(self, metrics: Metrics) -> float:
        """The metric with larger = better; ``-inf`` where it is missing or not finite."""
        value = metrics.get(self.metric, math.nan)
        if not math.isfinite(value):
            return -math.inf
        return value if self.direction == "max" else -value

    def __str__(self) -> str:
        return f"{self.metric}:{self.direction}"


@dataclass(frozen=True)
class Limit:
    """A bound that a feasible architecture keeps: ``metric <= bound`` or ``metric >= bound``.

    Attributes:
        metric: Its name.
        bound: In the metric's unit.
        sense: On which side of the bound to stay.
        optional: Whether an architecture without the metric keeps the bound, as with the constraints of an Optuna study.
    """

    metric: str
    bound: float
    sense: Literal["<=", ">="] = "<="
    optional: bool = False

    @classmethod
    def parse(cls, text: str) -> Limit:
        """Read ``METRIC<=VALUE`` or ``METRIC>=VALUE``.

        Raises:
            UsageError: If the text has another form or the value is no finite number.
        """
        found = re.fullmatch(r"\s*([^<>=\s]+)\s*(<=|>=)\s*(\S+)\s*", text)
        try:
            bound = float(found[3]) if found else math.nan
        except ValueError:
            bound = math.nan
        if found is None or not math.isfinite(bound):
            raise UsageError(f"Expected a limit like 'latency_ms<=2.5', got {text!r}.")
        return cls(found[1], bound, "<=" if found[2] == "<=" else ">=")

    def violation(self, metrics: Metrics) -> float:
        """How far beyond the bound, in the metric's unit: <= 0 is kept.

        Where the metric is missing or NaN, it is ``inf``, or ``-inf`` if it is optional.
        """
        value = metrics.get(self.metric, math.nan)
        if math.isnan(value):
            return -math.inf if self.optional else math.inf
        return value - self.bound if self.sense == "<=" else self.bound - value

    def __str__(self) -> str:
        return f"{self.metric}{self.sense}{self.bound:g}"


@dataclass(frozen=True)
class Goal:
    """What a search is after. With several objectives the answer is a Pareto front."""

    objectives: tuple[Objective, ...]
    limits: tuple[Limit, ...] = ()

    def __post_init__(self) -> None:
        if not self.objectives:
            raise UsageError("A search needs at least one objective, got none.")
        if len(self.objectives) > MOST_OBJECTIVES:
            # Beyond, nearly every architecture is on the front, and no budget of trainings covers it.
            raise UsageError(
                f"Expected at most {MOST_OBJECTIVES} objectives, got {len(self.objectives)}. "
                "Turn some of them into limits, like 'latency_ms<=2.5'."
            )
        for kind, entries in (
            ("objective", [o.metric for o in self.objectives]),
            ("limit", [str(x) for x in self.limits]),
        ):
            if len(set(entries)) < len(entries):
                raise UsageError(f"Each {kind} may be given once, got {', '.join(entries)}.")

        for low in (limit for limit in self.limits if limit.sense == ">="):
            for high in (limit for limit in self.limits if limit.sense == "<=" and limit.metric == low.metric):
                if low.bound > high.bound:
                    raise UsageError(f"Nothing can keep both {low} and {high}. Change one of the two limits.")

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Every metric that the goal reads, objectives first, each once."""
        return tuple(dict.fromkeys([o.metric for o in self.objectives] + [x.metric for x in self.limits]))

    def check(self, metrics: Sequence[Metric]) -> None:
        """Raise `UsageError` unless every metric of the goal is among the declared ones and may be searched on."""
        known = {metric.name: metric for metric in metrics}
        for name in self.metric_names:
            if name not in known:
                raise unknown("metric", name, known)
            if known[name].reported_only:
                raise UsageError(f"{name!r} is reported, never searched on. Use a validation metric instead.")

    def feasible(self, metrics: Metrics) -> bool:
        """Whether every objective was measured and every limit is kept."""
        measured = all(math.isfinite(objective.gain(metrics)) for objective in self.objectives)
        return measured and all(limit.violation(metrics) <= 0 for limit in self.limits)

    def gains(self, metrics: Metrics) -> tuple[float, ...]:
        """One number per objective, larger = better."""
        return tuple(objective.gain(metrics) for objective in self.objectives)

    def front(self, found: Sequence[Metrics]) -> list[int]:
        """Positions of the feasible, non-dominated entries, in order; of equal ones the first.

        With one objective this is the position of the best, or nothing where none is feasible.
        """
        feasible = [i for i, metrics in enumerate(found) if self.feasible(metrics)]
        gains = [self.gains(found[i]) for i in feasible]
        if len(self.objectives) == 1 or not feasible:
            return [feasible[gains.index(max(gains))]] if feasible else []
        from moocore import is_nondominated

        return [i for i, kept in zip(feasible, is_nondominated(gains, maximise=True), strict=True) if kept]

    def leading(self, found: Sequence[Metrics], count: int) -> list[int]:
        """Positions of the best ``count`` feasible entries, best first; of several objectives the whole front before others."""
        front = self.front(found) if count else []
        gains = {i: self.gains(metrics)[0] for i, metrics in enumerate(found) if self.feasible(metrics)}
        others = sorted((i for i in gains if i not in front), key=lambda i: -gains[i])
        return [*front, *others[: max(count - len(front), 0)]]
