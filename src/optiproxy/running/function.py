"""A user's own function as a task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import final

from optiproxy.metrics import Direction, Goal, Metric, Objective
from optiproxy.running.evaluation import WrongValueError
from optiproxy.spaces import Architecture, Choice, Space
from optiproxy.task import Source, Task

Evaluate = Callable[[dict[str, Choice]], "float | Mapping[str, float]"]
"""Takes decision name -> value; returns the one objective, or metric name -> value. Raising means that it failed."""


@final
class FunctionTask(Task):
    """What `optiproxy.search` searches.

    Args:
        space: Where.
        evaluate: The function.
        goal: Names the metrics that it is to return; it may return others in addition.
        isolated: Whether it has to run in worker processes.
    """

    name = "function"
    source = Source("function", "returned by the user's own function")

    def __init__(self, space: Space, evaluate: Evaluate, *, goal: Goal, isolated: bool) -> None:
        directions: dict[str, Direction] = {}
        for limit in goal.limits:
            directions[limit.metric] = "min" if limit.sense == "<=" else "max"
        for objective in goal.objectives:
            directions[objective.metric] = objective.direction
        self.space = space
        self.goal = goal
        self.metrics = tuple(Metric(name=name, direction=direction) for name, direction in directions.items())
        self.isolated = isolated
        self._evaluate = evaluate

    def evaluate(self, architecture: Architecture, *, seed: int = 0, fidelity: int | None = None) -> dict[str, float]:  # noqa: ARG002 - the function decides both itself
        returned: object = self._evaluate(self.space.values(architecture))
        if isinstance(returned, Mapping):
            return dict(returned)  # pyright: ignore[reportUnknownArgumentType] - checked where it is recorded
        if len(self.goal.objectives) > 1:
            names = ", ".join(objective.metric for objective in self.goal.objectives)
            raise WrongValueError(f"Expected a mapping with {names}, got one value: {returned!r}.")
        return {_only(self.goal.objectives).metric: returned}  # pyright: ignore[reportReturnType] - checked there, too


def _only(objectives: tuple[Objective, ...]) -> Objective:
    (objective,) = objectives
    return objective
