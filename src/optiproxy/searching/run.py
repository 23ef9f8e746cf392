"""The search of a task: what it is made of put together, run, and read back from storage."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from optiproxy.errors import SearchFailed, UsageError
from optiproxy.execution.given import Given
from optiproxy.execution.interrupts import Interrupts
from optiproxy.metrics import Goal, Metrics
from optiproxy.results.note import note
from optiproxy.results.result import SearchResult
from optiproxy.searching.load import is_spent, known_optimum
from optiproxy.searching.loop import Callback
from optiproxy.searching.progress import SILENCE, SearchObserver
from optiproxy.searching.settings import SearchSettings
from optiproxy.searching.stopping import RunningSearch
from optiproxy.searching.work import Work
from optiproxy.spaces import Architecture, Space
from optiproxy.storage.artifacts import Artifacts, files_of
from optiproxy.storage.backends.outage import Patience
from optiproxy.storage.backends.secrets import shown
from optiproxy.storage.backends.stranded import Stranded, folders
from optiproxy.storage.dashboard import write_note
from optiproxy.storage.identity import (
    Identity,
)
from optiproxy.storage.log import QueryLog
from optiproxy.storage.parameters import Parameters
from optiproxy.storage.proposer import Proposer
from optiproxy.storage.schema import STOPPED, metrics_of
from optiproxy.storage.study import FAILURES, closed, open_study, storage_errors
from optiproxy.task.free_metrics import FreeLimits
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
    again = settings.retry_failed or study.user_attrs.get(STOPPED) == FAILURES
    work = Work(
        task,
        goal,
        settings,
        protocol=protocol,
        log=log,
        proposer=proposer,
        limits=limits,
        executor=executor,
        interrupts=interrupts,
        again=again,
    )
    with storage_errors(settings.storage), closed(study):
        # First, because architectures of dead processes are free again, but for those whose results are here.
        log.endings.restore()
        log.claims.recover()
        log.learn(earlier)
        # What is tried again has not been done yet.
        done = [record for record in log.records() if record.state != "failed" or not again]
        search = RunningSearch(goal, protocol.queries(settings.budget), done)
        try:
            ended = work.spend(search, observer=observer, callbacks=callbacks)
        except SearchFailed:
            log.end(FAILURES)
            raise
        records = tuple(log.records())
        spent = is_spent(records, settings.budget, goal, space, protocol)
        stopped = ended if ended != "done" else "exhausted" if work.exhausted else "budget" if spent else "elsewhere"
        useless = ended == "done" and bool(records) and all(record.state == "failed" for record in records)
        log.end(FAILURES if useless else stopped)
    if work.exhausted and not records:
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
        optimum=known_optimum(task, goal),
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
