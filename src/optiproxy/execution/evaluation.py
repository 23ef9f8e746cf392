"""One evaluation, in whatever process it runs: call the task, check what it returned, say why there is nothing."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass, field

from pebble import ProcessExpired

from optiproxy.errors import SearchFailed
from optiproxy.metrics import Goal, Metrics
from optiproxy.spaces import Architecture
from optiproxy.task.task import Task
from optiproxy.task.training_trial import progress_of
from optiproxy.task.values import WrongValueError, checked, one_line


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What became of one evaluation.

    Attributes:
        metrics: Finite values; empty where it failed.
        reason: Why it failed, one line; empty where it did not.
        seconds: Wall time that it took.
        curve: Step -> value, as the training reported it.
    """

    metrics: Metrics = field(default_factory=dict[str, float])
    reason: str = ""
    seconds: float = 0.0
    curve: Mapping[int, float] = field(default_factory=dict[int, float])


def evaluate(
    task: Task,
    architecture: Architecture,
    goal: Goal,
    *,
    seed: int,
    known: Metrics,
    fidelity: int | None = None,
    number: int = 0,
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
    """
    start = time.perf_counter()
    with progress_of(number, known) as progress:
        try:
            returned: object = task.evaluate(architecture, seed=seed, fidelity=fidelity)
            metrics, reason = {**checked(returned, goal), **known}, ""
        except WrongValueError as error:
            metrics, reason = {}, str(error)
        # A training script that calls sys.exit has failed like one that raises.
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a training raises is its reason
            metrics, reason = {}, one_line(error)
    return Evaluation(metrics=metrics, reason=reason, seconds=time.perf_counter() - start, curve=progress.curve)


def evaluation_of(future: Future[Evaluation]) -> Evaluation:
    """What a future that is done has come to; what happened to its worker becomes the reason of the failure.

    Raises:
        SearchFailed: If no worker can work at all.
    """
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, BrokenExecutor):
        raise SearchFailed(
            "The worker processes ended before they could start working. In a script, put the search under "
            "`if __name__ == '__main__':`, because every worker imports the script."
        ) from error
    if isinstance(error, TimeoutError):
        # It ran until then, whatever it was.
        limit = next((argument for argument in error.args if isinstance(argument, int | float)), None)
        told = "" if limit is None else f" of {limit:g} s"
        return Evaluation(reason=f"Stopped at the timeout{told}.", seconds=float(limit or 0.0))
    if isinstance(error, ProcessExpired):
        return Evaluation(reason=f"The worker process {_end(error.exitcode)}.")
    return Evaluation(reason=one_line(error))


def _end(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return f"was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"was killed by signal {-code}"
    return f"ended with code {code}"
