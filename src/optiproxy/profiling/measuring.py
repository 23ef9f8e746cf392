"""Look at a space before anything is trained: draw from it, measure what is free, and time one query."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Limit, Metrics, Objective
from optiproxy.profiling.profile import Profile, Share
from optiproxy.spaces import Architecture, Choice, FlatSpace, Space
from optiproxy.task.free_metrics import FreeMetrics
from optiproxy.task.function import FunctionTask, Measure
from optiproxy.task.protocol import QueryProtocol
from optiproxy.task.task import Task

if TYPE_CHECKING:
    import numpy as np

    from optiproxy.execution.evaluation import Evaluation

_ENUMERABLE = 100_000
"""Largest space that is listed combination by combination; validity in larger ones is found by random draws."""

_DRAWS = 1000
"""Number of combinations that are drawn to estimate the share of valid ones."""


def profile(
    space: Space | Mapping[str, Sequence[Choice]],
    *,
    free: Mapping[str, Measure] | None = None,
    limits: Sequence[str] = (),
    budget: int | None = None,
    samples: int = 100,
    seconds: float | None = None,
    seed: int = 0,
) -> Profile:
    """Look at your own space before you spend anything on it; nothing is trained.

    Example::

        found = profile(space, free={"latency_ms": costs.latency_ms}, limits=["latency_ms<=2"], budget=40)
        print(found.feasible, found.cautions)

    Args:
        space: A `Space`, or decision name -> its choices.
        free: Metric name -> a function that measures it, as for `optiproxy.search`.
        limits: ``"latency_ms<=2.5"``; limits on metrics that are not free are known only after a query.
        budget: Number of queries that are planned.
        samples: Number of architectures to measure.
        seconds: Time that one training takes.
        seed: Seed of the draws.

    Raises:
        UsageError: If an argument makes no sense.
        DeviceError: If the device that measures fails again and again.
    """
    # A goal needs an objective, and without a training no profile ever looks at it.
    goal = Goal((Objective("objective"),), tuple(map(Limit.parse, limits)))
    task = FunctionTask(
        space if isinstance(space, Space) else FlatSpace(space), _never, goal=goal, isolated=False, free=free or {}
    )
    return replace(profile_task(task, budget=budget, samples=samples, seconds=seconds, seed=seed), task="")


def profile_task(
    task: Task,
    *,
    goal: Goal | None = None,
    free: Sequence[str] = (),
    budget: int | None = None,
    samples: int = 100,
    seconds: float | None = None,
    seed: int = 0,
    watch: Callable[[Sequence[Architecture]], Iterable[Architecture]] = iter,
) -> Profile:
    """Look at a task; nothing is evaluated.

    Args:
        task: The task that is to be searched.
        goal: Objectives and limits; None means the task's own.
        free: Metrics that the task leaves to the queries and that are to be measured all the same, as in a search.
        budget: Number of queries that are planned, without promotions.
        samples: Number of architectures to measure.
        seconds: Time that one query takes.
        seed: Seed of the draws.
        watch: Wraps the architectures that are measured, to show the progress.

    Raises:
        UsageError: If an argument makes no sense.
        DeviceError: If the device that measures fails again and again.
    """
    import numpy as np

    for name, value in (("budget", budget), ("number of samples", samples)):
        if value is not None and value < 1:
            raise UsageError(f"Expected a {name} of at least 1, got {value}.")
    # Asked in this way, NaN is refused, too.
    if seconds is not None and not seconds > 0:
        raise UsageError(f"Expected more than 0 seconds for one training, got {seconds:g}.")
    goal = task.goal if goal is None else goal
    goal.check(task.metrics)
    protocol = QueryProtocol.of(task, goal, free=free)
    measures = tuple(
        metric for metric in task.metrics if metric.free and (metric.name not in task.queried or metric.name in free)
    )
    rng = np.random.default_rng(seed)
    drawn, exact = _architectures(task.space, rng, samples)
    times: list[float] = []
    measure = FreeMetrics(task)
    names = {metric.name for metric in measures}
    values: dict[Architecture, Metrics | None] = {}
    # Isomorphic architectures are measured once, but each of them counts in the shares.
    for architecture in watch(list(dict.fromkeys(map(task.space.canonical, drawn)))):
        start = time.perf_counter()
        found = measure(architecture) if names else {}
        values[architecture] = None if found is None else {name: found[name] for name in names if name in found}
        times.append(time.perf_counter() - start)
    measured = tuple(values[task.space.canonical(architecture)] for architecture in drawn)
    # Only limits on free metrics can be checked beforehand; the others are reported as open until a query.
    limits = tuple(limit for limit in goal.limits if limit.metric in protocol.free)
    return Profile(
        task=task.name,
        space=task.space.name,
        size=task.space.size,
        choices=tuple(decision.columns for decision in task.space.decisions),
        continuous=task.space.continuous,
        valid=_valid(task.space, rng),
        measured=measured,
        measures=measures,
        problem=measure.problem,
        # The median, because a first measurement often pays for loading and warming up.
        seconds_per_measurement=median(times) if times and names else None,
        limits=limits,
        queried=tuple(limit for limit in goal.limits if limit not in limits),
        feasible=_share(limits, measured, exact=exact),
        kept={str(limit): share for limit in limits if (share := _share([limit], measured, exact=exact))},
        budget=budget,
        protocol=protocol,
        training_seconds=seconds,
    )


def one_query(
    task: Task, architecture: Architecture, goal: Goal, *, fidelity: int | None, longest: float
) -> Evaluation:
    """Evaluate once, to see how long it takes: in a process of its own where the task wants one.

    Args:
        task: Evaluates the architecture.
        architecture: A valid member of the task's space.
        goal: Names the metrics that have to be there.
        fidelity: One of the task's; None means the full one.
        longest: Seconds after which it is stopped and has failed, in a process of its own.
    """
    from optiproxy.execution.evaluation import evaluate, evaluation_of
    from optiproxy.execution.executors import InlineExecutor, ProcessExecutor

    # As a search would evaluate it. Only another process can be stopped, so elsewhere `longest` has no effect.
    executor = ProcessExecutor(1, timeout=longest) if task.isolated else InlineExecutor()
    with executor:
        return evaluation_of(executor.submit(evaluate, task, architecture, goal, seed=0, known={}, fidelity=fidelity))


def _architectures(space: Space, rng: np.random.Generator, n: int) -> tuple[list[Architecture], bool]:
    """Return valid architectures, and whether they are all there are."""
    # So few that all of them cost no more than a sample, and nothing has to be estimated.
    if space.enumerable(n):
        return [architecture for architecture in space.everything() if space.is_valid(architecture)], True
    return space.sample(rng, n), False


def _valid(space: Space, rng: np.random.Generator) -> Share:
    """Estimate the valid share of the combinations that `Space.size` counts."""
    if space.enumerable(_ENUMERABLE):
        # From a list, because the combinations of a pool are no product of choices.
        members = list(space.everything())
        exact = len(members) <= _DRAWS
        chosen = range(len(members)) if exact else rng.choice(len(members), _DRAWS, replace=False).tolist()
        return Share(sum(space.is_valid(members[i]) for i in chosen), len(chosen), exact=exact)
    # Every combination is equally likely here; `Space.sample` would draw valid ones alone.
    return Share(sum(space.is_valid(row) for row in space.combinations(rng, _DRAWS)), _DRAWS)


def _share(limits: Sequence[Limit], measured: Sequence[Metrics | None], *, exact: bool) -> Share | None:
    if not measured:
        return None
    # What could not be measured keeps no limit: a search would not propose it either.
    hits = sum(found is not None and all(limit.violation(found) <= 0 for limit in limits) for found in measured)
    return Share(hits, len(measured), exact=exact)


def _never(_: object) -> float:
    """Stand for the training that a profile spares."""
    raise UsageError("A profile trains nothing. Call optiproxy.search to search.")
