"""A user's own functions as a task: one that trains, and others that measure before any training."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, final

from optiproxy.errors import UsageError
from optiproxy.metrics import Direction, Goal, Metric
from optiproxy.spaces import Architecture, RestrictedSpace, Space
from optiproxy.spaces.wrapper import SpaceWrapper
from optiproxy.task.code import code_digest, name_of
from optiproxy.task.quiet import is_quiet
from optiproxy.task.remembered import Remembered
from optiproxy.task.task import Source, Task
from optiproxy.task.training_trial import TrainingTrial, current_progress
from optiproxy.task.values import WrongValueError

Evaluate = Callable[..., "float | Mapping[str, float]"]
"""Takes what the space builds, decision name -> value or a network, and a `TrainingTrial` if it has a second argument.

Returns the one objective, or metric name -> value. Raising means that it failed.
"""

Measure = Callable[[Any], float]
"""Takes what the space builds, decision name -> value or a network. NaN or infinity means that it could not be measured."""


@final
class FunctionTask(Task):
    """What `optiproxy.search` searches.

    Args:
        space: The space that is searched.
        evaluate: The training function.
        goal: Names the metrics that it is to return; it may return others in addition.
        isolated: Whether it has to run in worker processes.
        free: Metric name -> a function that measures it before any training, from what the space builds.

    Raises:
        UsageError: If it is no function, or needs other arguments.

    Attributes:
        code: What -> `code_digest` of it: of the training function, of rules of the space and of free metrics.
    """

    source = Source("function", "returned by the user's own function")
    formerly = "function"

    def __init__(
        self,
        space: Space,
        evaluate: Evaluate,
        *,
        goal: Goal,
        isolated: bool,
        free: Mapping[str, Measure] = MappingProxyType({}),
    ) -> None:
        if not callable(evaluate):
            raise UsageError(
                f"Expected a training function, got {type(evaluate).__name__} {evaluate!r}. Give the function, without calling it."
            )
        if inspect.iscoroutinefunction(evaluate) or inspect.isgeneratorfunction(evaluate):
            raise UsageError(
                f"Expected a training function that returns metrics, got {name_of(evaluate)}, which returns a "
                f"{'coroutine' if inspect.iscoroutinefunction(evaluate) else 'generator'}. Wrap it in a function that runs it."
            )
        self.name = name_of(evaluate)
        functions = {
            "training function": evaluate,
            **_of_space(space),
            **{f"free metric {n}": f for n, f in free.items()},
        }
        self.code = {what: digest for what, function in functions.items() if (digest := code_digest(function))}
        directions: dict[str, Direction] = dict.fromkeys(free, "min")
        for limit in goal.limits:
            directions[limit.metric] = "min" if limit.sense == "<=" else "max"
        for objective in goal.objectives:
            directions[objective.metric] = objective.direction
        self.space = space
        self.goal = goal
        self.metrics = tuple(
            Metric(name=name, direction=direction, free=name in free, quiet=is_quiet(free.get(name)))
            for name, direction in directions.items()
        )
        self.isolated = isolated
        self._evaluate = evaluate
        self.reports = _takes_trial(evaluate)
        self._measures = {name: Remembered(name, measure) for name, measure in free.items()}

    def evaluate(self, architecture: Architecture, *, seed: int = 0, fidelity: int | None = None) -> dict[str, float]:  # noqa: ARG002 - there is only one
        # First: what cannot be measured is not worth a training. What admitted the architecture is not measured twice.
        known = current_progress().known
        measured = {name: known[name] for name in self._measures if name in known} or self.free_metrics(architecture)
        arguments: list[Any] = [self.space.build(architecture, seed=seed)]
        if self.reports:
            arguments.append(TrainingTrial(self.space.objects(architecture), seed=seed))
        try:
            returned: object = self._evaluate(*arguments)
        except (Exception, SystemExit) as error:
            error.add_note(", ".join(f"{name}={value}" for name, value in self.space.values(architecture).items()))
            raise
        return {**self._named(returned), **measured}

    def free_metrics(self, architecture: Architecture) -> dict[str, float]:
        """Metric name -> value, without what could not be measured; the canonical form is what is built and measured.

        Raises:
            WrongValueError: If a function returns something else than a number.
            Exception: Whatever building and measuring raise.
        """
        if not self._measures:
            return {}
        canonical = self.space.canonical(architecture)
        built = self.space.build(canonical)
        positions = {decision.name: i for decision, i in zip(self.space.decisions, canonical, strict=True)}
        values = {name: measure(built, positions) for name, measure in self._measures.items()}
        return {name: value for name, value in values.items() if math.isfinite(value)}

    def quiet(self, goal: Goal) -> tuple[str, ...]:  # noqa: ARG002 - whoever lists a latency wants the right one, read or not
        return tuple(metric.name for metric in self.metrics if metric.quiet)

    def _named(self, returned: object) -> dict[str, float]:
        """What the function returned, by metric; values are checked where they are recorded."""
        if isinstance(returned, Mapping):
            return dict[str, float](returned)
        asked = [objective.metric for objective in self.goal.objectives if objective.metric not in self._measures]
        if not asked:
            raise WrongValueError(
                f"Every objective is measured by free=, so the training has nothing to return but a mapping of others, got {returned!r}. "
                "Leave the objective out of free=, or name another one.",
                kind="nothing to return",
            )
        if len(asked) > 1:
            raise WrongValueError(
                f"Expected a mapping with {', '.join(asked)}, got one value: {returned!r}.", kind="one value"
            )
        return {asked[0]: returned}  # pyright: ignore[reportReturnType] - checked there, too


def _of_space(space: Space) -> dict[str, Callable[..., Any]]:
    """The functions that say which architectures a space admits, and what it builds."""
    found: dict[str, Callable[..., Any]] = {}
    while isinstance(space, SpaceWrapper):
        if isinstance(space, RestrictedSpace):
            found[f"rule {len(found) + 1}"] = space.rule
        space = space.base
    model = getattr(space, "model", None)
    return {**found, "model function": model} if callable(model) else found


def _takes_trial(evaluate: Evaluate) -> bool:
    """Whether the function needs a second argument; one with a default value is its own affair."""
    try:
        parameters = inspect.signature(evaluate).parameters.values()
    except (TypeError, ValueError):  # some that are written in C do not say
        return False
    needed = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(needed) > 2 or any(p.default is p.empty and p.kind == p.KEYWORD_ONLY for p in parameters):
        raise UsageError(
            f"Expected a training function with one or two arguments, (architecture) or (architecture, trial), got "
            f"{inspect.signature(evaluate)}. Give the others default values."
        )
    return len(needed) == 2
