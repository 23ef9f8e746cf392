"""What a search asks of a task: its goal, and the protocol, which says what is known before a query and what one costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from optiproxy.errors import UsageError, unknown
from optiproxy.metrics import Direction, Goal, Limit, Objective
from optiproxy.task.task import Task


@dataclass(frozen=True, kw_only=True)
class QueryProtocol:
    """What a query costs and what it tells; part of what makes two searches comparable.

    Attributes:
        free: Metrics with a limit that are known before a query, so that none is spent on what breaks it. Every other
            limit is queried: whether an architecture keeps it is known only after its query.
        fidelity: Where the budget is spent; None means the full fidelity.
        promote: How many of the best are then queried again at the full fidelity; 0 where the budget is spent there.
        full: The full fidelity; None for a task that has only one.
    """

    free: tuple[str, ...] = ()
    fidelity: int | None = None
    promote: int = 0
    full: int | None = field(default=None, compare=False)

    @classmethod
    def of(
        cls,
        task: Task,
        goal: Goal,
        *,
        free: Sequence[str] = (),
        fidelity: int | None = None,
        promote: int | None = None,
    ) -> QueryProtocol:
        """The task's own protocol, changed by what a search asks for.

        Args:
            task: Declares which metrics are free and which fidelities there are.
            goal: Says which metrics have a limit.
            free: Metrics to be known before a query, besides those that the task treats so by itself.
            fidelity: Where to spend the budget; None takes the task's own.
            promote: How many of the best to query in full; None takes the task's own.

        Raises:
            UsageError: If a metric cannot be had without training, or there is no such fidelity or promotion.
        """
        offered = [metric.name for metric in task.metrics if metric.free]
        for name in free:
            if name not in {metric.name for metric in task.metrics}:
                raise unknown("metric", name, [metric.name for metric in task.metrics])
            if name not in offered:
                raise UsageError(
                    f"{name!r} of {task.name} is known only after training, so it cannot be free. "
                    f"Metrics that can: {', '.join(offered) or 'none'}."
                )
        known = {name for name in offered if name in free or name not in task.queried}
        limited = dict.fromkeys(limit.metric for limit in goal.limits)
        full = task.fidelities[-1] if task.fidelities else None
        asked = task.search_fidelity if fidelity is None else fidelity
        task.check_fidelity(asked)
        # The full one has one spelling only, or the same study would have two identities.
        lower = None if asked == full else asked
        return cls(
            free=tuple(name for name in limited if name in known),
            fidelity=lower,
            promote=_promoted(task, lower, promote),
            full=full,
        )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> QueryProtocol:
        """The inverse of `dataclasses.asdict`, after JSON has made a list of the tuple.

        Raises:
            TypeError, KeyError: If it is something else.
        """
        told: dict[str, Any] = {**content, "free": tuple(content["free"])}
        made = cls(**told)
        names: list[object] = [*told["free"]]
        counts = [made.promote, *(count for count in (made.fidelity, made.full) if count is not None)]
        if not all(isinstance(name, str) for name in names) or not all(type(count) is int for count in counts):
            raise TypeError(f"{told!r} is no protocol")
        return made

    def queried(self, goal: Goal) -> tuple[str, ...]:
        """Metrics whose limits are known only after a query."""
        return tuple(dict.fromkeys(limit.metric for limit in goal.limits if limit.metric not in self.free))

    def queries(self, budget: int) -> int:
        """Queries in all: the budget, and the promotions that come on top."""
        return budget + self.promote

    def epochs(self, fidelity: int | None) -> int | None:
        """What a query at a fidelity costs; None where the task has only one."""
        return self.full if fidelity is None else fidelity


def _promoted(task: Task, fidelity: int | None, promote: int | None) -> int:
    if fidelity is None:
        if promote:
            raise UsageError(
                f"Promotion goes from a lower fidelity to the full one, and this search of {task.name} is at the full "
                "one already. Give a lower fidelity, or leave the promotion out."
            )
        return 0
    wanted = task.promote if promote is None else promote
    if wanted < 1:
        raise UsageError(
            f"Expected to promote at least 1 architecture, got {wanted}. A search at fidelity {fidelity} takes its answer "
            f"from evaluations at {task.fidelities[-1]}."
        )
    return wanted


def wanted_goal(task: Task, *, objectives: Sequence[str], limits: Sequence[str]) -> Goal:
    """The goal of a task, changed by what a search asks for.

    Objectives replace the task's own. Limits come on top of the task's own and replace one of the same metric and sense.

    Args:
        task: Declares the metrics, and the goal that holds where nothing is asked for.
        objectives: Each ``METRIC``, in the direction that the task declares, or ``METRIC:min``, ``METRIC:max``.
        limits: Each ``METRIC<=VALUE`` or ``METRIC>=VALUE``.

    Raises:
        UsageError: If one is malformed, given twice, or of a metric that the task does not offer to a search.
    """
    task.check_declared()
    directions: dict[str, Direction] = {metric.name: metric.direction for metric in task.metrics}
    named = [Objective.parse(text, default=directions.get(text, "max")) for text in objectives]
    bounds = [Limit.parse(text) for text in limits]
    given = {(limit.metric, limit.sense) for limit in bounds}
    # A bound that is asked for is meant instead of the task's own, be it looser or tighter.
    kept = [limit for limit in task.goal.limits if (limit.metric, limit.sense) not in given]
    goal = Goal(tuple(named) or task.goal.objectives, (*kept, *bounds))
    goal.check(task.metrics)
    return goal
