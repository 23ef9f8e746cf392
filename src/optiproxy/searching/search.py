"""`optiproxy.search`: the public function, for a user's own training function or a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any, cast

from optiproxy.errors import UsageError, unknown
from optiproxy.execution.devices import device_names
from optiproxy.execution.given import Given
from optiproxy.execution.limits import memory_size
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.results.result import SearchResult
from optiproxy.searching.earlier import known_results
from optiproxy.searching.loop import Callback
from optiproxy.searching.progress import Logged, SearchObserver, Together, observer_for
from optiproxy.searching.pruning import USUAL
from optiproxy.searching.run import run
from optiproxy.searching.settings import SearchSettings
from optiproxy.searching.stopping import StopRules, check_whole
from optiproxy.spaces import Architecture, FlatSpace, Space, narrowed
from optiproxy.storage.backends.opening import Storage
from optiproxy.storage.backends.outage import SECONDS
from optiproxy.task.function import Evaluate, FunctionTask, Measure
from optiproxy.task.protocol import wanted_goal
from optiproxy.task.task import Task

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.pruners import BasePruner

    from optiproxy.optimizer import AlgorithmFactory


def search(
    space: Space | Mapping[str, Iterable[Any]] | Task,
    evaluate: Evaluate | None = None,
    *,
    budget: int,
    objectives: Sequence[str] | None = None,
    limits: Sequence[str] = (),
    free: Mapping[str, Measure] | Sequence[str] | None = None,
    fidelity: int | None = None,
    promote: int | None = None,
    algorithm: str | AlgorithmFactory = "optiproxy",
    seed: int = 0,
    workers: int = 1,
    timeout: float | None = None,
    memory: int | str | None = None,
    devices: int | Sequence[str] | None = None,
    storage: Storage | None = None,
    study: str | None = None,
    executor: Given | None = None,
    fixed: Mapping[str, Any] | None = None,
    start_with: Mapping[str, Any] | Sequence[Mapping[str, Any]] = (),
    earlier: object = None,
    target: float | None = None,
    patience: int | None = None,
    max_seconds: float | None = None,
    max_failures: int | None = 3,
    retry_failed: bool = False,
    accept_changes: bool = False,
    max_outage: float = SECONDS,
    pruner: BasePruner | None = USUAL,
    keep: int = 1,
    artifacts: str | Path | None = None,
    callbacks: Callback | Sequence[Callback] = (),
    verbose: bool = True,
) -> SearchResult:
    """Find the best architecture for your own training function, or of a `Task`.

    With one worker, no timeout and no memory limit the function runs in this process, so closures and debuggers work as usual;
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
        space: A `Space`, or decision name -> its choices; or a `Task`, which brings its own evaluation.
        evaluate: Takes what the space builds: decision name -> value, or the network where the space is one of networks
            (`Space.from_model`); and, if it has a second argument, a `TrainingTrial`. Returns the objective, or metric
            name -> value. Raising, NaN, a missing objective and a crash make a failed query; the search goes on.
        budget: Queries in all, those that failed included.
        objectives: Metrics to improve: ``"accuracy"``, ``"latency_ms:min"``. None means the task's own, and
            ``"accuracy"`` for a function.
        limits: Metrics to keep within bounds: ``"latency_ms<=2.5"``; those of a task's own goal hold besides.
        free: Metric name -> a function that measures it before any training, from what the space builds (`Costs`,
            `DeviceRunner`, or your own). What breaks a limit on one is never trained, whatever the algorithm; each
            canonical architecture is measured once. For a task: names of its metrics that are to be known so.
        fidelity: Of a task: where to spend the budget; None means the task's own choice.
        promote: How many of the best at a lower fidelity to query again in full; None means the task's own choice.
        algorithm: One of `optiproxy.registry.algorithms`, ``"MODULE:NAME"``, or a factory: the class of an `Algorithm`.
        seed: Of the algorithm.
        workers: Evaluations at a time.
        timeout: Seconds after which an evaluation is stopped, with all that it has started, and has failed.
        memory: ``"4GB"``, or bytes: an evaluation that holds more, with all that it has started, is stopped and has failed.
        devices: ``["cuda:0", "cuda:1"]``, or how many CUDA devices: each worker process has its own, sees no other and calls it
            ``trial.device``. At least so many workers are started. None leaves them all to all.
        storage: An SQLite file, the address of a database (``postgresql://HOST/DATABASE``), of a journal file (``journal:///PATH``,
            where SQLite cannot lock, as on NFS) or of Optuna's proxy (``grpc://HOST:PORT``), or one of Optuna's storages. The same
            call again resumes there, also from other processes and machines at the same time; None keeps nothing. A password in it is
            written down nowhere.
        study: Name within the storage; None derives one.
        executor: Runs the evaluations instead of local worker processes, ``workers`` at a time. ``"dask"``,
            ``"tcp://HOST:PORT"`` (`DaskExecutor`), ``"ray"`` and ``"ray://HOST:PORT"`` (`RayExecutor`) are clusters; else any
            `concurrent.futures.Executor`, which stays open, or a function or ``"MODULE:NAME"`` that makes one. Timeout and memory
            are kept on clusters; any other executor keeps its own.
        fixed: Decision name -> value, of decisions that are taken already.
        start_with: Architectures to begin with, decision name -> value; what does not matter may be left out.
        earlier: Results from elsewhere that the algorithm is to learn from and no budget counts: another `SearchResult`, or a
            DataFrame (or a list of mappings) with a column for each decision and each metric.
        target: Value of the first objective at which the search ends.
        patience: Number of queries without a better one after which it ends.
        max_seconds: Wall time after which nothing more is queried; what runs is finished.
        max_failures: So many failures of one kind before anything has succeeded end the search; None for any number.
        retry_failed: Whether queries of earlier runs that failed are tried again first.
        accept_changes: Whether to resume although the training function, or another of yours, has changed since.
        max_outage: Seconds for which the storage may be away: a database that restarts, a locked file, a full disk. It is waited for,
            and results that are there meanwhile are kept beside the study, or in the user's cache folder; after this time the
            search ends, and the same call stores them first.
        pruner: Judges trainings that ask `TrainingTrial.should_prune`: `LeadersPruner`, or one of Optuna's. None prunes nothing.
        keep: Of how many of the best trainings the files are kept that they saved (`TrainingTrial.save`).
        artifacts: Folder of these files; None means beside the storage where that is an SQLite file, or a temporary one.
        callbacks: Called after each query with a `RunningSearch`, which they may stop, and the `Record`.
        verbose: Whether progress is shown on stderr: a bar in a terminal, lines elsewhere. The logger ``optiproxy`` is told
            in any case, at level INFO.

    Returns:
        All records, `best`, `front`.

    Raises:
        UsageError: If an argument makes no sense.
        StudyError: If the storage cannot be used, or holds another search under this name.
        DeviceError: If the device that measures fails again and again; what was trained is kept, and the same call resumes.
        SearchFailed: If the space has no architecture at all, no worker process can start, or going on would be of no use
            (``max_failures``, a limited metric that is not returned).
        KeyboardInterrupt: After ctrl-C, once everything finished has been stored; the same call resumes.
    """
    named = () if devices is None else device_names(devices)
    check_whole("workers", workers, 1)
    workers = max(workers, len(named))
    objectives = (objectives,) if isinstance(objectives, str) else objectives
    limits = (limits,) if isinstance(limits, str) else limits
    callbacks = _checked_callbacks((callbacks,) if callable(callbacks) else callbacks)
    start_with = (start_with,) if isinstance(start_with, Mapping) else start_with
    if isinstance(space, Task):
        if fixed:
            raise UsageError(
                f"Task {space.name!r} has a space of its own, in which nothing can be fixed. Give space and function."
            )
        task, names = _checked_task(space, evaluate, free), tuple(cast("Sequence[str]", free or ()))
        goal = wanted_goal(task, objectives=objectives or (), limits=limits)
    else:
        wanted = ("accuracy",) if objectives is None else objectives
        goal = Goal(tuple(map(Objective.parse, wanted)), tuple(map(Limit.parse, limits)))
        isolated = workers > 1 or timeout is not None or memory is not None or bool(named)
        task, names = _function_task(_fixed(space, fixed), evaluate, goal=goal, isolated=isolated, free=free), ()
    settings = SearchSettings(
        budget=budget,
        algorithm=algorithm,
        seed=seed,
        free=names,
        fidelity=fidelity,
        promote=promote,
        workers=workers,
        timeout=timeout,
        memory=None if memory is None else memory_size(memory),
        devices=named,
        storage=storage,
        study=study,
        rules=StopRules(target=target, patience=patience, seconds=max_seconds, failures=max_failures),
        keep=keep,
        artifacts=artifacts,
        retry_failed=retry_failed,
        accept_changes=accept_changes,
        max_outage=max_outage,
        pruner=pruner,
    )
    observer: SearchObserver = Logged(goal)
    if verbose:
        from rich.console import Console

        console = Console(stderr=True)
        if console.is_jupyter:
            # Plain lines: each of rich's would be an output of its own, and a kernel says that it is a terminal.
            console = Console(stderr=True, force_jupyter=False, force_terminal=False)
        if executor is None and (unused := settings.unused(task)):
            console.print(unused, markup=False, highlight=False)
        observer = Together([observer, observer_for(goal, console)])
    result = run(
        task,
        settings,
        goal=goal,
        executor=executor,
        observer=observer,
        callbacks=callbacks,
        first=[_beginning(task.space, values, fixed or {}) for values in start_with],
        earlier=known_results(earlier, task.space, goal),
    )
    if result.stopped == "interrupted":
        raise KeyboardInterrupt
    return result


def _checked_callbacks(callbacks: Sequence[Callback]) -> Sequence[Callback]:
    for callback in callbacks:
        try:
            signature(callback).bind(None, None)
        except ValueError:  # some that are written in C do not say what they take
            continue
        except TypeError as error:
            raise UsageError(
                f"Expected callbacks that take a RunningSearch and a Record, got {callback!r}, which does not ({error})."
            ) from error
    return callbacks


def _beginning(space: Space, values: object, fixed: Mapping[str, Any]) -> Architecture:
    if not isinstance(values, Mapping):
        raise UsageError(f"Expected architectures to start with as mappings of decisions to values, got {values!r}.")
    return space.architecture({**fixed, **cast("Mapping[str, Any]", values)})


def _fixed(space: object, choices: Mapping[str, Any] | None) -> Any:  # noqa: ANN401 - what a search is given
    """The space with some decisions taken; anything else as it is, to be refused where it is looked at."""
    if not choices or not isinstance(space, Space | Mapping):
        return space
    opened = space if isinstance(space, Space) else FlatSpace(cast("Mapping[str, Iterable[Any]]", space))
    names = [decision.name for decision in opened.decisions]
    unknown_names = [name for name in choices if name not in names]
    if unknown_names:
        raise unknown("decision", unknown_names[0], names)
    positions = {names.index(name): opened.decisions[names.index(name)].position(v) for name, v in choices.items()}
    return narrowed.fixed(opened, positions)


def _checked_task(task: Task, evaluate: object, free: object) -> Task:
    if evaluate is not None:
        raise UsageError(f"Task {task.name!r} evaluates its architectures itself, so leave the training function out.")
    if free and isinstance(free, Mapping):
        raise UsageError(
            f"Task {task.name!r} measures its metrics itself, so list the names of those that are to be free."
        )
    return task


def _function_task(
    space: Space | Mapping[str, Iterable[Any]],
    evaluate: Evaluate | None,
    *,
    goal: Goal,
    isolated: bool,
    free: Mapping[str, Measure] | Sequence[str] | None,
) -> Task:
    if not isinstance(space, Space | Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - of a user without a type checker
        raise UsageError(_no_space(space))
    if evaluate is None:
        raise UsageError("Expected a training function beside the space, got none. Only a Task brings its own.")
    if free and not isinstance(free, Mapping):
        raise UsageError(f"Expected free metrics by name with the functions that measure them, got {free!r}.")
    opened = space if isinstance(space, Space) else FlatSpace(space)
    return FunctionTask(opened, evaluate, goal=goal, isolated=isolated, free=free if isinstance(free, Mapping) else {})


def _no_space(given: object) -> str:
    """What to do about a first argument that is neither a space nor a task."""
    got = f"the class {given.__name__}" if isinstance(given, type) else f"{type(given).__name__} {given!r}"[:80]
    if isinstance(given, type) and issubclass(given, Task):
        advice = f"Make the task first: {given.__name__}()."
    elif isinstance(given, str):
        advice = f"Build a task by its name with optiproxy.registry.task({given!r})."
    elif callable(given):
        advice = (
            "A function that builds a network becomes a space by Space.from_model; the training function comes second."
        )
    else:
        advice = "For example {'depth': [2, 4, 8]}."
    return f"Expected a Space, a mapping of choices or a Task first, got {got}. {advice}"
