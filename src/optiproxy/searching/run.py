"""The search of a task: what it is made of put together, run, and read back from storage."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future

from optiproxy import registry
from optiproxy.errors import SearchFailed, UsageError
from optiproxy.execution.evaluation import Evaluation, evaluate
from optiproxy.execution.executors import InlineExecutor, ProcessExecutor
from optiproxy.metrics import Goal
from optiproxy.searching.loop import spend
from optiproxy.searching.phases import Exploration, Phase, Promotion, awaiting_promotion
from optiproxy.searching.progress import Observer, Silence
from optiproxy.searching.quiet import Quiet
from optiproxy.searching.result import SearchResult
from optiproxy.searching.settings import SearchSettings
from optiproxy.storage.identity import (
    Identity,
    goal_from_json,
    protocol_from_json,
    source_from_json,
    space_from_json,
)
from optiproxy.storage.liveness import heartbeat
from optiproxy.storage.log import QueryLog
from optiproxy.storage.parameters import Parameters
from optiproxy.storage.proposer import Proposer
from optiproxy.storage.record import Query, Record
from optiproxy.storage.schema import finished_records, is_exhausted, metrics_of
from optiproxy.storage.study import open_study, storage_errors, stored_study
from optiproxy.task.free_metrics import FreeLimits
from optiproxy.task.task import Task


def run(
    task: Task,
    settings: SearchSettings,
    *,
    goal: Goal | None = None,
    executor: Executor | None = None,
    observer: Observer[Record] | None = None,
) -> SearchResult:
    """Search a task. The same call again resumes a stored search and finishes its budget.

    Limits on free metrics are kept beforehand, whatever the algorithm; the others are learned from what was queried.
    With one worker the same seed gives the same queries, interrupted or not, as far as the task's values are
    reproducible.

    At a lower fidelity the whole budget is spent there, on the same objectives, and then the best are queried again in
    full. The answer is chosen among the latter alone.

    Args:
        task: What to search.
        settings: How.
        goal: What for; None means the task's own goal.
        executor: Runs the evaluations instead of local worker processes and stays open; a timeout is then its affair.
        observer: Told of the progress.

    Raises:
        UsageError: If the task cannot be searched so.
        StudyError: If the storage cannot be used, or holds another search under this name.
        SearchFailed: If no architecture keeps the limits, or no worker process can start.
    """
    task.check_declared()
    if executor is not None:
        _check_executor(executor, settings)
    if settings.devices and not task.isolated:
        raise UsageError(f"Task {task.name!r} trains nothing, so leave the devices out.")
    goal = task.goal if goal is None else goal
    protocol = settings.protocol(task, goal)
    limits = FreeLimits(task, goal, protocol.free)
    space = limits.restrict(task.space)
    identity = Identity(
        task=task.name,
        space=space,
        goal=goal,
        source=task.source,
        algorithm=settings.algorithm_name,
        seed=settings.seed,
        protocol=protocol,
    )
    # The algorithm is looked up before the study is opened: an unknown name leaves no database behind.
    name, parameters = settings.study_name(task), Parameters(space)
    proposer = Proposer(settings.factory, parameters, seed=settings.seed, metrics=metrics_of)
    study = open_study(identity, storage=settings.storage, name=name, budget=settings.budget)
    log = QueryLog(study, proposer, goal)
    exploration = Exploration(log, budget=settings.budget, fidelity=protocol.fidelity)
    promotion = Promotion(log, goal, space, count=protocol.promote, free=protocol.free)
    chosen = executor or (
        ProcessExecutor(settings.workers, timeout=settings.timeout, devices=settings.devices)
        if task.isolated
        else InlineExecutor()
    )

    def submit(query: Query) -> Future[Evaluation]:
        # What settled that the architecture keeps its limits stays so: a latency that is measured again may break one.
        known = {**limits.measured(query.architecture), **query.known}
        try:
            return chosen.submit(
                evaluate,
                task,
                query.architecture,
                goal,
                seed=settings.seed,
                known=known,
                fidelity=query.fidelity,
                number=query.number,
            )
        except RuntimeError as error:  # what an executor raises that has been shut down
            raise UsageError(f"The executor takes no evaluation: {error}. Give one that is open.") from error

    workers = settings.workers if task.isolated else 1
    quiet = Quiet(submit, lambda query: limits.measure(query.architecture), workers=workers)
    phases: Sequence[Phase] = (exploration, promotion) if protocol.promote else (exploration,)
    # A single worker is idle whenever something is measured before its training.
    alone = workers == 1 or not task.quiet(goal)
    with storage_errors(settings.storage):
        # First, because architectures of dead processes are free again.
        log.recover()
        try:
            with heartbeat(log.beat):
                finished = spend(
                    log,
                    submit if alone else quiet.submit,
                    phases=phases if alone else quiet.phases(phases),
                    total=protocol.queries(settings.budget),
                    workers=workers,
                    observer=observer or Silence(),
                )
        finally:
            # Workers end before their queries are given up, so that none is trained here and asked for elsewhere.
            if executor is None:
                chosen.shutdown(cancel_futures=True)
            log.release()
        records = tuple(log.records())
    if exploration.exhausted and not records:
        raise SearchFailed(limits.nothing_left())
    return SearchResult(
        task=task.name,
        space=task.space,
        goal=goal,
        source=task.source,
        algorithm=identity.algorithm,
        seed=settings.seed,
        budget=settings.budget,
        records=records,
        stopped="interrupted" if not finished else "exhausted" if exploration.exhausted else "budget",
        study=name,
        storage=settings.storage or "",
        protocol=protocol,
        optimum=_optimum(task, goal),
    )


def _check_executor(executor: object, settings: SearchSettings) -> None:
    """Raise `UsageError` unless evaluations can be submitted to it."""
    if isinstance(executor, type) or not callable(getattr(executor, "submit", None)):
        shown = (
            f"the class {executor.__name__}"
            if isinstance(executor, type)
            else f"{type(executor).__name__} {executor!r}"
        )
        raise UsageError(
            f"Expected an open executor with the interface of concurrent.futures.Executor, got {shown}. "
            "Give for example ThreadPoolExecutor(4)."
        )
    if settings.devices:
        raise UsageError(
            "Devices are given out to the built-in worker processes only. Give them out in the executor instead."
        )
    if settings.timeout is not None:
        raise UsageError("A timeout is kept by the built-in worker processes only. Set it in the executor instead.")


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
    # Promotions are at another fidelity, and come on top of the budget.
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
