"""How long one query takes, found out by making one."""

from __future__ import annotations

from optiproxy.execution.evaluation import Evaluation, evaluate, evaluation_of
from optiproxy.execution.executors import InlineExecutor, ProcessExecutor
from optiproxy.metrics import Goal
from optiproxy.spaces import Architecture
from optiproxy.task.task import Task


def one_query(
    task: Task, architecture: Architecture, goal: Goal, *, fidelity: int | None, longest: float
) -> Evaluation:
    """Evaluate once, in a process of its own where the task wants one; what becomes of it is no concern of any search.

    Args:
        task: Evaluates.
        architecture: To be evaluated.
        goal: Says which metrics have to be there.
        fidelity: One of the task's; None means the full one.
        longest: Seconds after which it is stopped and has failed, in a process of its own.
    """
    executor = ProcessExecutor(1, timeout=longest) if task.isolated else InlineExecutor()
    with executor:
        return evaluation_of(executor.submit(evaluate, task, architecture, goal, seed=0, known={}, fidelity=fidelity))
