"""What a search is for: the task's own goal, changed by ``--objective`` and ``--limit``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from optiproxy.metrics import Direction, Goal, Limit, Objective
from optiproxy.task.protocol import QueryProtocol
from optiproxy.task.task import Task

_SENSE = {"<=": "-at-most-", ">=": "-at-least-"}


def wanted_goal(task: Task, *, objectives: Sequence[str], limits: Sequence[str]) -> Goal:
    """The goal of the command line.

    Objectives replace the task's own. Limits come on top of the task's own and replace one of the same metric and sense.

    Args:
        task: Declares the metrics, and the goal that holds without options.
        objectives: Each ``METRIC``, in the direction that the task declares, or ``METRIC:min``, ``METRIC:max``.
        limits: Each ``METRIC<=VALUE`` or ``METRIC>=VALUE``.

    Raises:
        UsageError: If one is malformed, given twice, or of a metric that the task does not offer to a search.
    """
    directions: dict[str, Direction] = {metric.name: metric.direction for metric in task.metrics}
    named = [Objective.parse(text, default=directions.get(text, "max")) for text in objectives]
    bounds = [Limit.parse(text) for text in limits]
    given = {(limit.metric, limit.sense) for limit in bounds}
    kept = [limit for limit in task.goal.limits if (limit.metric, limit.sense) not in given]
    goal = Goal(tuple(named) or task.goal.objectives, (*kept, *bounds))
    goal.check(task.metrics)
    return goal


def study_name(task: Task, goal: Goal, *, algorithm: str, seed: int, protocol: QueryProtocol) -> str:
    """A name that is the same for the same search and another for another; fit for a folder."""
    usual = QueryProtocol.of(task, goal)
    parts = [task.name, algorithm, f"seed{seed}"]
    if goal.objectives != task.goal.objectives:
        parts += [f"{objective.metric}-{objective.direction}" for objective in goal.objectives]
    parts += [
        f"{limit.metric}{_SENSE[limit.sense]}{limit.bound!r}" for limit in goal.limits if limit not in task.goal.limits
    ]
    parts += [f"free-{name}" for name in protocol.free if name not in usual.free]
    if protocol.fidelity != usual.fidelity:
        parts.append(f"fidelity{protocol.epochs(protocol.fidelity)}")
    return re.sub(r"[^\w.+-]", "_", "-".join(parts))
