"""Searches: of a task, of a user's function, and one that was stored earlier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING

from optiproxy import registry
from optiproxy.errors import SearchFailed, UsageError
from optiproxy.execution.evaluation import Evaluation, evaluate
from optiproxy.execution.executors import InlineExecutor, ProcessExecutor
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.sampler import AlgorithmSampler, Parameters
from optiproxy.searching.loop import spend
from optiproxy.searching.phases import Exploration, Promotion
from optiproxy.searching.progress import Observer, Silence
from optiproxy.searching.promotion import awaiting_promotion
from optiproxy.searching.result import SearchResult
from optiproxy.spaces import Choice, FlatSpace, Space
from optiproxy.storage.heartbeat import heartbeat
from optiproxy.storage.identity import (
    Identity,
    goal_from_json,
    protocol_from_json,
    source_from_json,
    space_from_json,
)
from optiproxy.storage.log import Query, QueryLog, stop
from optiproxy.storage.schema import RecordedMetrics, finished_records, is_exhausted
from optiproxy.storage.study import open_study, storage_errors, stored_study
from optiproxy.task.free_metrics import FreeLimits
from optiproxy.task.function import Evaluate, FunctionTask, Measure
from optiproxy.task.protocol import QueryProtocol

if TYPE_CHECKING:
    from optiproxy.task.task import Task


def search(
    space: Space | Mapping[str, Sequence[Choice]],
    evaluate: Evaluate,
    *,
    budget: int,
    objectives: Sequence[str] = ("accuracy",),
    limits: Sequence[str] = (),
    free: Mapping[str, Measure] | None = None,
    algorithm: str = "optiproxy",
    seed: int = 0,
    workers: int = 1,
    timeout: float | None = None,
    storage: str | None = None,
    study: str | None = None,
) -> SearchResult:
    """Find the best architecture for your own training function.

    With one worker and no timeout the function runs in this process, so closures and debuggers work as usual;
    otherwise in worker processes, where a crash costs one query. In a script, such a search has to stand under
    ``if __name__ == "__main__":``.

    Example::

        result = optiproxy.search(
            {"depth": [2, 4, 8], "kernel": [3, 5, 7], "activation": ["relu", "gelu"]},
            lambda architecture: {"accuracy": train(**architecture)},
            budget=20,
        )
        print(result.best_architecture)

    Args:
        space: A `Space`, or decision name -> its choices.
        evaluate: Takes what the space builds: decision name -> value, or the network where the space is one of networks
            (`Space.from_model`); and, if it has a second argument, a `TrainingTrial`. Returns the objective, or metric
            name -> value. Raising, NaN, a missing objective and a crash make a failed query; the search goes on.
        budget: Queries in all, those that failed included.
        objectives: Metrics to improve: ``"accuracy"``, ``"latency_ms:min"``.
        limits: Metrics to keep within bounds: ``"latency_ms<=2.5"``.
        free: Metric name -> a function that measures it before any training, from what the space builds (`Costs`,
            `DeviceRunner`, or your own). What breaks a limit on one is never trained, whatever the algorithm; each
            canonical architecture is measured once.
        algorithm: One of `optiproxy.registry.algorithms`.
        seed: Of the algorithm.
        workers: Evaluations at a time.
        timeout: Seconds after which an evaluation is stopped and has failed.
        storage: SQLite file or SQLAlchemy URL. The same call again resumes there; None keeps nothing.
        study: Name within the storage; None derives one.

    Returns:
        All records, `best`, `front`.

    Raises:
        UsageError: If an argument makes no sense.
        StudyError: If the storage cannot be used, or holds another search under this name.
        DeviceError: If the device that measures fails again and again; what was trained is kept, and the same call resumes.
        SearchFailed: If the space has no architecture at all, or no worker process can start.
    """
    goal = Goal(tuple(map(Objective.parse, objectives)), tuple(map(Limit.parse, limits)))
    return run(
        FunctionTask(
            space if isinstance(space, Space) else FlatSpace(space),
            evaluate,
            goal=goal,
            isolated=workers > 1 or timeout is not None,
            free=free or {},
        ),
        algorithm=algorithm,
        budget=budget,
        seed=seed,
        workers=workers,
        timeout=timeout,
        storage=storage,
        study=study,
    )


def run(
    task: Task,
    *,
    goal: Goal | None = None,
    algorithm: str = "optiproxy",
    budget: int,
    seed: int = 0,
    free: Sequence[str] = (),
    fidelity: int | None = None,
    promote: int | None = None,
    workers: int = 1,
    timeout: float | None = None,
    storage: str | None = None,
    study: str | None = None,
    executor: Executor | None = None,
    observer: Observer | None = None,
) -> SearchResult:
    """Search a task. The same call again resumes a stored search and finishes its budget.

    Limits on free metrics are kept beforehand, whatever the algorithm; the others are learned from what was queried.
    With one worker the same seed gives the same queries, interrupted or not, as far as the task's values are
    reproducible.

    At a lower fidelity the whole budget is spent there, on the same objectives, and then the best are queried again in
    full. The answer is chosen among the latter alone.

    Args:
        task: What to search.
        goal: What for; None means the task's own goal.
        algorithm: One of `registry.algorithms`.
        budget: Queries in all, with those that failed and those of earlier runs; promotions come on top.
        seed: Of algorithm and trainings.
        free: Metrics to be known before a query, besides those that the task treats so by itself.
        fidelity: One of the task's, to spend the budget there; None means the task's own choice.
        promote: How many of the best to query again in full; None means the task's own choice.
        workers: Evaluations at a time; a task that is not isolated takes them one by one.
        timeout: Seconds for one evaluation in a worker process.
        storage: SQLite file or SQLAlchemy URL; None keeps the study in memory.
        study: Its name; None derives one from task, algorithm and seed.
        executor: Runs the evaluations instead of local worker processes and stays open; ``timeout`` is then its affair.
        observer: Told of the progress.

    Raises:
        UsageError: If an argument makes no sense.
        StudyError: If the storage cannot be used, or holds another search under this name.
        SearchFailed: If no architecture keeps the limits, or no worker process can start.
    """
    _check(budget=budget, seed=seed, workers=workers, timeout=timeout, executor=executor)
    goal = task.goal if goal is None else goal
    goal.check(task.metrics)
    protocol = QueryProtocol.of(task, goal, free=free, fidelity=fidelity, promote=promote)
    limits = FreeLimits(task, goal, protocol.free)
    space = limits.restrict(task.space)
    identity = Identity(
        task=task.name,
        space=space,
        goal=goal,
        source=task.source,
        algorithm=algorithm,
        seed=seed,
        protocol=protocol,
    )
    name = study or f"{task.name}-{algorithm}-seed{seed}"
    sampler = AlgorithmSampler(
        registry.algorithm(algorithm), space, seed=seed, reading=RecordedMetrics(goal), on_exhausted=stop
    )
    opened = open_study(identity, sampler, storage=storage, name=name, budget=budget)
    parameters = Parameters(space)
    log = QueryLog(opened, parameters, goal)
    chosen = executor or (ProcessExecutor(workers, timeout=timeout) if task.isolated else InlineExecutor())

    exploration = Exploration(log, budget=budget, fidelity=protocol.fidelity)
    promotion = Promotion(log, goal, space, count=protocol.promote, free=protocol.free)

    def submit(query: Query) -> Future[Evaluation]:
        known = {**limits.measured(query.architecture), **query.known}
        return chosen.submit(
            evaluate,
            task,
            query.architecture,
            goal,
            seed=seed,
            known=known,
            fidelity=query.fidelity,
            number=query.number,
        )

    with storage_errors(storage):
        log.recover()
        try:
            with heartbeat(log.beat):
                finished = spend(
                    log,
                    submit,
                    phases=(exploration, promotion) if protocol.promote else (exploration,),
                    total=protocol.queries(budget),
                    workers=workers if task.isolated else 1,
                    observer=observer or Silence(),
                )
        finally:
            if executor is None:
                chosen.shutdown(cancel_futures=True)
            log.release()
        records = tuple(finished_records(opened, parameters))
    if exploration.exhausted and not records:
        raise SearchFailed(limits.nothing_left())
    return SearchResult(
        task=task.name,
        space=task.space,
        goal=goal,
        source=task.source,
        algorithm=algorithm,
        seed=seed,
        budget=budget,
        records=records,
        stopped="interrupted" if not finished else "exhausted" if exploration.exhausted else "budget",
        study=name,
        storage=storage or "",
        protocol=protocol,
        optimum=_optimum(task, goal),
    )


def load(storage: str, study: str | None = None) -> SearchResult:
    """The result, so far, of a stored search.

    Args:
        storage: SQLite file or SQLAlchemy URL.
        study: Its name; None where the storage holds just one.

    Raises:
        StudyError: If there is no such study, or it cannot be read.
    """
    opened, content = stored_study(storage, study)
    task = registry.known_task(content["task"], content["space"])
    space = task.space if task else space_from_json(content)
    goal, protocol, source = goal_from_json(content), protocol_from_json(content), source_from_json(content)
    with storage_errors(storage):
        records = tuple(finished_records(opened, Parameters(space)))
        exhausted = is_exhausted(opened)
    spent = sum(record.fidelity == protocol.fidelity for record in records) >= content["budget"]
    done = (spent or exhausted) and not awaiting_promotion(records, goal, space, protocol.promote)
    return SearchResult(
        task=content["task"],
        space=space,
        goal=goal,
        source=source,
        algorithm=content["algorithm"],
        seed=content["seed"],
        budget=content["budget"],
        records=records,
        stopped="interrupted" if not done else "budget" if spent else "exhausted",
        study=opened.study_name,
        storage=storage,
        protocol=protocol,
        optimum=_optimum(task, goal)
        if task and (task.source.name, task.source.digest) == (source.name, source.digest)
        else None,
    )


def _optimum(task: Task, goal: Goal) -> float | None:
    """The task's known optimum, where the goal is the one that it holds for."""
    same = goal.objectives[0] == task.goal.objectives[0] and set(goal.limits) == set(task.goal.limits)
    return task.optimum if same else None


def _check(*, budget: int, seed: int, workers: int, timeout: float | None, executor: Executor | None) -> None:
    if budget < 1:
        raise UsageError(f"Expected a budget of at least 1 query, got {budget}.")
    if seed < 0:
        raise UsageError(f"Expected a seed of 0 or more, got {seed}.")
    if workers < 1:
        raise UsageError(f"Expected at least 1 worker, got {workers}.")
    if timeout is not None and not timeout > 0:
        raise UsageError(f"Expected a timeout of more than 0 seconds, got {timeout:g}.")
    if timeout is not None and executor is not None:
        raise UsageError("A timeout is kept by the built-in worker processes only. Set it in the executor instead.")
