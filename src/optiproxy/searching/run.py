"""The search of a task: what it is made of put together, run, and read back from storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from optiproxy import registry
from optiproxy.errors import SearchFailed, UsageError
from optiproxy.execution.executors import InlineExecutor, ProcessExecutor
from optiproxy.execution.given import Given, opened
from optiproxy.execution.interrupts import Interrupts
from optiproxy.metrics import Goal, Metrics
from optiproxy.searching.ahead import proposals
from optiproxy.searching.loop import Callback, spend
from optiproxy.searching.note import note
from optiproxy.searching.phases import Exploration, Filling, Phase, Promotion, Retries, awaiting_promotion
from optiproxy.searching.progress import SILENCE, SearchObserver
from optiproxy.searching.result import SearchResult
from optiproxy.searching.settings import SearchSettings
from optiproxy.searching.stopping import Reason, RunningSearch
from optiproxy.searching.submitting import Quiet, Submit
from optiproxy.spaces import Architecture, Space
from optiproxy.storage.artifacts import Artifacts, files_of
from optiproxy.storage.dashboard import write_note
from optiproxy.storage.identity import (
    Identity,
    check_stored,
    goal_from_json,
    protocol_from_json,
    source_from_json,
    space_from_json,
)
from optiproxy.storage.liveness import heartbeat
from optiproxy.storage.log import QueryLog
from optiproxy.storage.opening import Storage, address_of
from optiproxy.storage.outage import Patience
from optiproxy.storage.parameters import Parameters
from optiproxy.storage.proposer import Proposer
from optiproxy.storage.record import Record
from optiproxy.storage.schema import STOPPED, finished_records, is_exhausted, metrics_of
from optiproxy.storage.secrets import shown
from optiproxy.storage.stranded import Stranded, folders
from optiproxy.storage.study import FAILURES, as_written, closed, open_study, storage_errors, stored_study
from optiproxy.task.free_metrics import FreeLimits
from optiproxy.task.protocol import QueryProtocol
from optiproxy.task.task import Task

if TYPE_CHECKING:
    from optuna.study import Study


def run(
    task: Task,
    settings: SearchSettings,
    *,
    goal: Goal | None = None,
    executor: Given | None = None,
    observer: SearchObserver = SILENCE,
    callbacks: Sequence[Callback] = (),
    first: Sequence[Architecture] = (),
    earlier: Sequence[tuple[Architecture, Metrics]] = (),
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
        executor: Runs the evaluations instead of local worker processes, as `opened` takes it.
        observer: Told of the progress.
        callbacks: Called with each record.
        first: Architectures to begin with.
        earlier: Results from elsewhere to learn from.

    Raises:
        UsageError: If the task cannot be searched so.
        StudyError: If the storage cannot be used, or holds another search under this name.
        SearchFailed: If no architecture keeps the limits, or no worker process can start.
    """
    task.check_declared()
    if settings.devices and not task.isolated:
        raise UsageError(f"Task {task.name!r} trains nothing, so leave the devices out.")
    goal = task.goal if goal is None else goal
    protocol = settings.protocol(task, goal)
    limits = FreeLimits(task, goal, protocol.free, tell=observer.on_news)
    space = limits.restrict(task.space)
    identity = Identity(
        task=task.name,
        space=space,
        goal=goal,
        source=task.source,
        algorithm=settings.algorithm_name,
        seed=settings.seed,
        protocol=protocol,
        code=task.code,
        formerly=task.formerly,
    )
    _check_beginning(first, space)
    # The algorithm is looked up before the study is opened: an unknown name leaves no database behind.
    name, parameters = settings.study_name(task), Parameters(space)
    proposer = Proposer(
        settings.factory,
        parameters,
        seed=settings.seed,
        metrics=partial(metrics_of, goal=goal),
        known=limits.known,
    )
    study = open_study(
        identity,
        storage=settings.storage,
        name=name,
        budget=settings.budget,
        accept_changes=settings.accept_changes,
    )
    interrupts = Interrupts()
    log = _log(study, proposer, goal, settings, first=first, interrupts=interrupts)
    # A search that failures have ended tries them again: whoever calls once more has mended something.
    retries = Retries(log, wanted=settings.retry_failed or study.user_attrs.get(STOPPED) == FAILURES)
    chosen = _executor(task, settings, executor)
    workers = 1 if isinstance(chosen, InlineExecutor) else settings.workers
    # A single worker is idle whenever something is measured before its training.
    alone = workers == 1 or not task.quiet(goal)
    propose = proposals(proposer, goal, interrupts, workers=workers if alone else 1)
    exploration = Exploration(log, budget=settings.budget, fidelity=protocol.fidelity, propose=propose)
    promotion = Promotion(log, goal, space, count=protocol.promote, free=protocol.free)
    submit = Submit(task, goal, settings, chosen, log, limits)
    quiet = Quiet(submit, lambda query: limits.measure(query.architecture), workers=workers)
    # What is promoted depends on all results, so that those of others are waited for.
    settled = (lambda: not log.exploring()) if protocol.promote else log.claims.settled
    phases: Sequence[Phase] = (
        retries,
        exploration,
        Filling(exploration, settled),
        *([promotion] if protocol.promote else []),
    )
    with storage_errors(settings.storage), closed(study):
        # First, because architectures of dead processes are free again, but for those whose results are here.
        log.endings.restore()
        log.claims.recover()
        log.learn(earlier)
        # What is tried again has not been done yet.
        search = RunningSearch(
            goal,
            protocol.queries(settings.budget),
            [record for record in log.records() if record.state != "failed" or not retries.wanted],
        )
        try:
            with heartbeat(log.claims.beat), closing(propose):
                ended = spend(
                    log,
                    submit if alone else quiet.submit,
                    phases=phases if alone else quiet.phases(phases),
                    search=search,
                    workers=workers,
                    interrupts=interrupts,
                    observer=observer,
                    rules=settings.rules,
                    callbacks=callbacks,
                )
        except SearchFailed:
            log.end(FAILURES)
            raise
        finally:
            # Workers end before their queries are given up, so that none is trained here and asked for elsewhere.
            chosen.shutdown(cancel_futures=True)
            log.claims.release()
        records = tuple(log.records())
        spent = _is_spent(records, settings.budget, goal, space, protocol)
        stopped = (
            ended if ended != "done" else "exhausted" if exploration.exhausted else "budget" if spent else "elsewhere"
        )
        useless = ended == "done" and bool(records) and all(record.state == "failed" for record in records)
        log.end(FAILURES if useless else stopped)
    if exploration.exhausted and not records:
        raise SearchFailed(limits.nothing_left())
    result = SearchResult(
        task=task.name,
        space=task.space,
        goal=goal,
        source=task.source,
        algorithm=identity.algorithm,
        seed=settings.seed,
        budget=settings.budget,
        records=records,
        stopped=stopped,
        study=name,
        storage=shown(settings.address),
        protocol=protocol,
        optimum=_optimum(task, goal),
    )
    return _noted(study, result)


def _noted(study: Study, result: SearchResult) -> SearchResult:
    """The result, after optuna-dashboard has been told of it where it can look."""
    if result.storage:
        with storage_errors(result.storage), closed(study):
            write_note(study, note(result))
    return result


def _log(
    study: Study,
    proposer: Proposer,
    goal: Goal,
    settings: SearchSettings,
    *,
    first: Sequence[Architecture],
    interrupts: Interrupts,
) -> QueryLog:
    storage, name = settings.address, study.study_name
    root = files_of(settings.artifacts, storage, name)
    return QueryLog(
        study,
        proposer,
        goal,
        artifacts=Artifacts(root),
        keep=settings.keep,
        first=first,
        patience=Patience(settings.max_outage, storage, interrupts),
        stranded=Stranded(folders(root, shown(storage), name), proposer.parameters),
    )


def _check_beginning(first: Sequence[Architecture], space: Space) -> None:
    for architecture in first:
        if not space.is_valid(architecture):
            raise UsageError(
                f"The search cannot start with {dict(space.values(architecture))}: that breaks a rule, a limit or what is fixed."
            )


def _executor(task: Task, settings: SearchSettings, given: Given | None) -> Executor:
    """What runs the evaluations; the search shuts it down."""
    if given is not None:
        return opened(given, limits=settings.limits, devices=settings.devices)
    if not task.isolated:
        return InlineExecutor()
    limits = settings.limits
    return ProcessExecutor(settings.workers, timeout=limits.timeout, memory=limits.memory, devices=settings.devices)


def load(storage: Storage, study: str | None = None, *, artifacts: str | Path | None = None) -> SearchResult:
    """The result, so far, of a stored search.

    Args:
        storage: SQLite file, address or one of Optuna's storages, as for `optiproxy.search`.
        study: Its name; None where the storage holds just one.
        artifacts: Folder of the files that trainings have saved, where the search was given one.

    Raises:
        StudyError: If there is no such study, or it cannot be read.
    """
    opened, content = stored_study(storage, study)
    with as_written(opened.study_name), storage_errors(storage), closed(opened):
        return _result_of(opened, content, address_of(storage), artifacts)


def _result_of(study: Study, content: Mapping[str, Any], storage: str, artifacts: str | Path | None) -> SearchResult:
    check_stored(content)
    task = registry.known_task(content["task"], content["space"])
    space = task.space if task else space_from_json(content)
    goal, protocol, source = goal_from_json(content), protocol_from_json(content), source_from_json(content)
    trials = study.get_trials(deepcopy=False)
    records = tuple(finished_records(trials, Parameters(space), files_of(artifacts, storage, study.study_name)))
    exhausted = is_exhausted(trials)
    spent = _is_spent(records, content["budget"], goal, space, protocol)
    done = spent or (exhausted and not awaiting_promotion(records, goal, space, protocol.promote))
    return SearchResult(
        task=content["task"],
        space=space,
        goal=goal,
        source=source,
        algorithm=content["algorithm"],
        seed=content["seed"],
        budget=content["budget"],
        records=records,
        # A rule that ended it holds until it goes on.
        stopped=("budget" if spent else "exhausted") if done else _ended(study),
        study=study.study_name,
        storage=shown(storage),
        protocol=protocol,
        optimum=_optimum(task, goal)
        if task and (task.source.name, task.source.digest) == (source.name, source.digest)
        else None,
    )


def _is_spent(records: Sequence[Record], budget: int, goal: Goal, space: Space, protocol: QueryProtocol) -> bool:
    """Whether all queries have finished, here and in other processes."""
    # Promotions are at another fidelity, and come on top of the budget.
    spent = sum(record.fidelity == protocol.fidelity for record in records) >= budget
    return spent and not awaiting_promotion(records, goal, space, protocol.promote)


def _ended(study: Study) -> Literal["interrupted"] | Reason:
    """Why a study stands before its end: the rule that has stopped it, or an interrupt."""
    stored = study.user_attrs.get(STOPPED)
    return next((reason for reason in get_args(Reason) if reason == stored), "interrupted")


def _optimum(task: Task, goal: Goal) -> float | None:
    """The task's known optimum, where the goal is the one that it holds for."""
    same = goal.objectives[0] == task.goal.objectives[0] and set(goal.limits) == set(task.goal.limits)
    return task.optimum if same else None
