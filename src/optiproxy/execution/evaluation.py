"""One evaluation, in whatever process it runs: call the task, check what it returned, say why there is nothing."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Generator, Mapping
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from optiproxy.errors import SearchFailed
from optiproxy.execution.limits import CallEnded
from optiproxy.execution.output import kept_output
from optiproxy.metrics import Goal, Metrics
from optiproxy.spaces import Architecture
from optiproxy.task.task import Task
from optiproxy.task.training_trial import Judge, Progress, progress_of
from optiproxy.task.values import MOST_TEXT, Attribute, WrongValueError, checked, one_line, whole_traceback


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What became of one evaluation.

    Attributes:
        metrics: Finite values; empty where it failed or was pruned.
        reason: Why it failed, one line; empty where it did not.
        seconds: Wall time that it took.
        curve: Step -> value, as the training reported it.
        pruned: Whether it was ended early, because it promised too little.
        attributes: What it returned beside metrics.
        missing: Metrics with a limit that it did not return, though its task has no gaps.
        kind: Which failures are of one kind: the same exception, message and place, or values that are wrong in the same way.
        traceback: Of the exception that it raised, whole but for its beginning where it is very long.
        output: The end of what it printed.
        folder: Where it has left files; None where it has left none.
        notes: What the judge wants to be stored with it.
    """

    metrics: Metrics = field(default_factory=dict[str, float])
    reason: str = ""
    seconds: float = 0.0
    curve: Mapping[int, float] = field(default_factory=dict[int, float])
    pruned: bool = False
    attributes: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])
    missing: tuple[str, ...] = ()
    kind: str = ""
    traceback: str = ""
    output: str = ""
    folder: Path | None = None
    notes: Mapping[str, Any] = field(default_factory=dict[str, Any])


def evaluate(
    task: Task,
    architecture: Architecture,
    goal: Goal,
    *,
    seed: int,
    known: Metrics,
    fidelity: int | None = None,
    number: int = 0,
    folder: Path | None = None,
    judge: Judge | None = None,
) -> Evaluation:
    """Spend one query. Never raises for what a training may do; only an interrupt passes through.

    Args:
        task: Evaluates the architecture.
        architecture: A valid member of the task's space.
        goal: Says which metrics have to be there.
        seed: Seed of the training.
        known: What was measured before the training; where the task returns the same metric, this counts.
        fidelity: One of the task's; None means the full one.
        number: Number of the query, for the training function.
        folder: Where it may leave files; None where no files are kept.
        judge: Says whether it is to be pruned; None where nothing is.
    """
    start = time.perf_counter()
    with progress_of(Progress(number, known, folder, judge)) as progress, kept_output() as output, _same_folder():
        found = _outcome(task, architecture, goal, seed=seed, fidelity=fidelity)
    return replace(
        found,
        metrics={**found.metrics, **known} if found.metrics else found.metrics,
        missing=tuple(name for name in found.missing if name not in known),
        seconds=time.perf_counter() - start,
        curve=progress.curve,
        output="".join(output)[-MOST_TEXT:],
        notes={} if judge is None else judge.notes,
        folder=progress.folder if progress.folder and progress.folder.is_dir() else None,
    )


def _outcome(task: Task, architecture: Architecture, goal: Goal, *, seed: int, fidelity: int | None) -> Evaluation:
    try:
        returned = checked(task.evaluate(architecture, seed=seed, fidelity=fidelity), goal)
    except WrongValueError as error:
        return Evaluation(reason=str(error), kind=error.kind)
    # A training script that calls sys.exit has failed like one that raises.
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a training raises is its reason
        if _is_pruned(error):
            return Evaluation(pruned=True)
        return Evaluation(reason=one_line(error), kind=_kind(error), traceback=whole_traceback(error))
    missing = () if task.gaps else returned.missing
    return Evaluation(metrics=returned.metrics, attributes=returned.attributes, missing=missing)


def _is_pruned(error: BaseException) -> bool:
    """Whether it is Optuna's; whoever has raised that has imported Optuna, which takes too long for every worker."""
    exceptions = sys.modules.get("optuna.exceptions")
    return exceptions is not None and isinstance(error, exceptions.TrialPruned)


def _kind(error: BaseException) -> str:
    """The type of an exception, its message, and the line that raised it.

    What depends on the architecture mostly says so in its message, such as sizes that do not fit together.
    """
    frames = traceback.extract_tb(error.__traceback__)
    told = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return f"{told} at {frames[-1].filename}:{frames[-1].lineno}" if frames else told


@contextmanager
def _same_folder() -> Generator[None]:
    """Come back to the current folder: what a training changes must not move the study's own files."""
    before = Path.cwd()
    try:
        yield
    finally:
        with suppress(OSError):  # it is gone
            os.chdir(before)


def evaluation_of(future: Future[Evaluation]) -> Evaluation:
    """What a future that is done has come to; what happened to its worker becomes the reason of the failure.

    Raises:
        SearchFailed: If no worker can work at all, or no other any more.
    """
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, SearchFailed):
        raise error
    if isinstance(error, BrokenExecutor):
        raise SearchFailed(
            "The worker processes ended before they could start working. In a script, put the search under "
            "`if __name__ == '__main__':`, because every worker imports the script."
        ) from error
    if isinstance(error, TimeoutError):
        # It ran until then, whatever it was.
        limit = next((argument for argument in error.args if isinstance(argument, int | float)), None)
        told = "" if limit is None else f" of {limit:g} s"
        return Evaluation(reason=f"Stopped at the timeout{told}.", kind="timeout", seconds=float(limit or 0.0))
    if isinstance(error, CallEnded):
        return Evaluation(reason=str(error), kind=error.kind, seconds=error.seconds)
    return Evaluation(reason=one_line(error), kind=type(error).__name__, traceback=whole_traceback(error))
