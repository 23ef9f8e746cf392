"""Proposals that are computed while trainings run, so that a worker that becomes free need not wait for one."""

from __future__ import annotations

import ctypes
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from threading import Thread
from typing import TYPE_CHECKING, final

from optiproxy.execution.interrupts import Interrupts
from optiproxy.metrics import Goal
from optiproxy.optimizer import Proposal
from optiproxy.spaces import Architecture
from optiproxy.storage.proposer import Proposer
from optiproxy.storage.schema import EVALUATION_SECONDS

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

SHARE = 0.1
"""Part of the time between two results that a proposal may take for a worker to wait until it knows the latest one.

Beyond, workers would stand idle, and one result among many is worth less than that."""

RECENT = 20
"""Number of latest trainings whose median says how long one takes."""

MOST = 8
"""Largest number of proposals that are computed at once, for each worker."""


def proposals(proposer: Proposer, goal: Goal, interrupts: Interrupts, *, workers: int) -> AtOnce | Ahead:
    """Where a search has its proposals from, to be closed at its end.

    Args:
        proposer: Asks the algorithm.
        goal: What is good.
        interrupts: Of the search.
        workers: Evaluations at a time. What a single one is to do next depends on the result that is still to come, so
            nothing is computed ahead, and the same seed asks the same.
    """
    return AtOnce(proposer, goal, interrupts) if workers == 1 else Ahead(proposer, goal, workers=workers)


@final
class AtOnce:
    """A `Source` that computes each proposal when it is asked for, in the thread that asks; an interrupt is heard.

    Args:
        proposer: Asks the algorithm.
        goal: What is good.
        interrupts: Of the search.
    """

    def __init__(self, proposer: Proposer, goal: Goal, interrupts: Interrupts) -> None:
        self._proposer = proposer
        self._goal = goal
        self._interrupts = interrupts

    def __call__(self, trials: Sequence[FrozenTrial], /) -> Sequence[Proposal]:
        with self._interrupts.heard():
            return self._proposer.propose(trials, self._goal)

    def close(self) -> None:
        """Nothing is being computed."""


@dataclass(frozen=True)
class _Batch:
    """What one fit has proposed.

    Attributes:
        proposals: Best first.
        trials: Numbers of those that the algorithm was told of, as finished or as pending.
        finished: How many of them had finished.
        seconds: That it took.
    """

    proposals: Sequence[Proposal] = ()
    trials: frozenset[int] = frozenset()
    finished: int = -1
    seconds: float = 0.0


@final
class Ahead:
    """A `Source` that computes proposals in a thread while trainings run, several at a time.

    One fit serves several workers: to the algorithm, what runs is pending. As soon as a result is there that a batch does
    not know, the next one is computed. The worker waits for it if trainings are so long that this is nothing to them, and
    else takes what is left of the batch before. What was proposed before any result is never taken after one.

    Args:
        proposer: Asks the algorithm.
        goal: What is good.
        workers: Evaluations at a time.
    """

    def __init__(self, proposer: Proposer, goal: Goal, *, workers: int) -> None:
        self._proposer = proposer
        self._goal = goal
        self._workers = workers
        self._batch = _Batch()
        self._computing: Future[_Batch] | None = None
        self._thread: Thread | None = None

    def __call__(self, trials: Sequence[FrozenTrial], /) -> Sequence[Proposal] | Future[_Batch]:
        if self._computing is not None and self._computing.done():
            self._batch, self._computing = self._computing.result(), None
        batch, finished = self._batch, sum(trial.state.is_finished() for trial in trials)
        latest = batch.finished == finished
        if latest and not batch.proposals:
            return ()
        usable = latest or (batch.finished > 0 and self._hurried(trials))
        chosen = list(islice(self._left(trials), 1)) if usable else []
        if self._computing is None and not (latest and chosen):
            self._computing = self._compute(trials, finished, [proposal.architecture for proposal in chosen])
        return chosen or self._computing or ()

    def close(self) -> None:
        """End the thread, wherever it is. Nothing may be asked for afterwards."""
        thread = self._thread
        while thread is not None and thread.is_alive():
            # The interpreter does not end a thread: it would wait for this one, or tear it out of torch and crash.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
            thread.join(0.05)

    def _left(self, trials: Sequence[FrozenTrial]) -> Iterator[Proposal]:
        """What of the batch nobody has begun since."""
        proposer, known = self._proposer, self._batch.trials
        begun = {proposer.canonical(proposer.architecture(trial)) for trial in trials if trial.number not in known}
        return (p for p in self._batch.proposals if proposer.canonical(p.architecture) not in begun)

    def _hurried(self, trials: Sequence[FrozenTrial]) -> bool:
        """Whether results come so fast that workers would stand idle if each proposal knew them all."""
        return self._workers * self._batch.seconds > SHARE * _training(trials)

    def _compute(self, trials: Sequence[FrozenTrial], finished: int, besides: Sequence[Architecture]) -> Future[_Batch]:
        future: Future[_Batch] = Future()
        seen, training = frozenset(trial.number for trial in trials), _training(trials)
        # As many as start until the batch after this one is there, and as many again for chance.
        busy = 2 * self._batch.seconds / training if training else 0.0
        n = round(self._workers * min(2 + busy, MOST))

        def work() -> None:
            start = time.perf_counter()
            try:
                proposals = self._proposer.propose(trials, self._goal, n, besides=besides)
                future.set_result(_Batch(proposals, seen, finished, time.perf_counter() - start))
            except BaseException as error:  # noqa: BLE001 - whatever it is, the search hears of it
                future.set_exception(error)

        self._thread = Thread(target=work, name="proposals", daemon=True)
        self._thread.start()
        return future


def _training(trials: Sequence[FrozenTrial]) -> float:
    """How many seconds a training takes, by the latest that have finished; 0 where none has."""
    timed = (float(t.user_attrs[EVALUATION_SECONDS]) for t in reversed(trials) if EVALUATION_SECONDS in t.user_attrs)
    return statistics.median([*islice(timed, RECENT)] or [0.0])
