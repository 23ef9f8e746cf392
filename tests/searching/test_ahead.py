"""Proposals are ready when workers are, and know what they can know."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from itertools import product

import pytest
from optuna.trial import TrialState, create_trial

from optiproxy.baselines import RandomSearch
from optiproxy.metrics import Goal, Objective
from optiproxy.optimizer import Proposal
from optiproxy.searching.ahead import Ahead
from optiproxy.searching.load import load
from optiproxy.searching.search import search
from optiproxy.spaces import FlatSpace
from optiproxy.storage.parameters import Parameters
from optiproxy.storage.proposer import Proposer
from optiproxy.storage.schema import EVALUATION_SECONDS, METRICS, metrics_of

SPACE = FlatSpace({"a": [*range(10)], "b": [*range(10)]})
GOAL = Goal((Objective("score"),))
START = datetime(2026, 1, 1)  # noqa: DTZ001 - Optuna's times are naive


class InOrder:
    """Proposes all of a space, one after the other, and takes its time."""

    seconds = 0.0

    def __init__(self, space, goal, *, seed):
        self.calls: list[tuple[int, int, int]] = []
        self.told = 0
        self.known = set()
        type(self).latest = self

    def observe(self, trials):
        self.told = len(trials)
        self.known = {trial.architecture for trial in trials}

    def propose(self, n, pending=()):
        time.sleep(self.seconds)
        self.calls.append((self.told, len(pending), n))
        free = [a for a in product(range(10), range(10)) if a not in self.known and a not in pending]
        return [Proposal(architecture) for architecture in free[:n]]


class Slow(InOrder):
    seconds = 0.2


class Study:
    """Trials as a study would show them."""

    def __init__(self):
        self.trials = []

    def begin(self, proposal):
        parameters = Parameters(SPACE)
        trial = create_trial(
            state=TrialState.RUNNING,
            params=parameters.encode(proposal.architecture),
            distributions=dict(parameters.distributions),
        )
        trial.number = len(self.trials)
        trial.datetime_start = START + timedelta(seconds=trial.number)
        self.trials.append(trial)

    def end(self, number, *, seconds):
        trial = create_trial(
            state=TrialState.COMPLETE,
            value=float(number),
            params=self.trials[number].params,
            distributions=self.trials[number].distributions,
            user_attrs={METRICS: {"score": float(number)}, EVALUATION_SECONDS: seconds},
        )
        trial.number, trial.datetime_start = number, self.trials[number].datetime_start
        trial.datetime_complete = START + timedelta(hours=1, seconds=number)
        self.trials[number] = trial


def source(algorithm, *, workers):
    return Ahead(Proposer(algorithm, Parameters(SPACE), seed=0, metrics=metrics_of), GOAL, workers=workers)


def answer(ahead, study):
    """The next proposal, however long that takes, begun."""
    while isinstance(found := ahead([*study.trials]), Future):
        wait([found])
    study.begin(found[0])
    return found[0].architecture


def begun(workers, algorithm=InOrder):
    ahead, study = source(algorithm, workers=workers), Study()
    for _ in range(workers):
        answer(ahead, study)
    return ahead, study


def test_one_fit_serves_all_workers():
    ahead, study = begun(4)
    ahead.close()
    assert [trial.params for trial in study.trials] == [{"a": 0, "b": b} for b in range(4)]
    assert len(InOrder.latest.calls) == 1


def test_a_worker_waits_for_a_proposal_that_knows_the_result_of_a_long_training():
    ahead, study = begun(4, Slow)
    for number in range(3):
        study.end(number, seconds=3600.0)
        assert isinstance(ahead([*study.trials]), Future)
        answer(ahead, study)
    assert [told for told, _, _ in Slow.latest.calls] == [0, 1, 2, 3]
    ahead.close()


def test_nothing_that_was_proposed_before_any_result_is_taken_after_one():
    ahead, study = begun(4, Slow)
    study.end(0, seconds=0.01)
    assert isinstance(ahead([*study.trials]), Future)
    ahead.close()


def test_short_trainings_do_not_wait_and_what_is_taken_meanwhile_is_begun_once():
    ahead, study = begun(4, Slow)
    study.end(0, seconds=0.01)
    answer(ahead, study)
    for number in range(1, 4):
        study.end(number, seconds=0.01)
        found = ahead([*study.trials])
        assert not isinstance(found, Future)
        study.begin(found[0])
    # Nor does the fit know it that these were begun beside.
    for number in range(4, 12):
        study.end(number, seconds=0.01)
        answer(ahead, study)
    shown = [tuple(trial.params.values()) for trial in study.trials]
    assert len({*shown}) == len(shown)
    ahead.close()


def test_an_exhausted_space_is_told_once_nothing_is_left_for_sure():
    ahead, study = begun(4)
    while True:
        found = ahead([*study.trials])
        if isinstance(found, Future):
            wait([found])
        elif found:
            study.begin(found[0])
            study.end(len(study.trials) - 1, seconds=1.0)
        else:
            break
    assert len(study.trials) == 100
    # It can go on where a query was given up: another search of the study has died.
    study.trials.pop()
    assert answer(ahead, study) == (9, 9)
    ahead.close()


def test_what_the_algorithm_raises_reaches_the_search():
    class Broken(InOrder):
        def propose(self, n, pending=()):
            raise ZeroDivisionError("a mistake")

    for workers in (1, 2):
        with pytest.raises(ZeroDivisionError, match="a mistake"):
            search({"a": [1, 2]}, float, algorithm=Broken, budget=2, workers=workers, verbose=False)


def test_closing_ends_what_is_being_computed():
    class Endless(InOrder):
        def propose(self, n, pending=()):
            while True:
                try:
                    time.sleep(0.01)
                except Exception:  # noqa: BLE001 - as some do
                    continue

    ahead = source(Endless, workers=2)
    assert isinstance(ahead([]), Future)
    start = time.monotonic()
    ahead.close()
    assert time.monotonic() - start < 5
    assert not any(thread.name == "proposals" for thread in threading.enumerate())


class InRounds(Executor):
    """Ends all evaluations together as soon as there are as many as workers."""

    def __init__(self, workers):
        self.waiting, self.workers = [], workers

    def submit(self, fn, /, *args, **kwargs):
        self.waiting.append((Future(), lambda: fn(*args, **kwargs)))
        future = self.waiting[-1][0]
        if len(self.waiting) == self.workers:
            for waiting, call in self.waiting:
                waiting.set_result(call())
            self.waiting = []
        return future


@pytest.mark.slow
def test_all_that_has_finished_is_stored_before_anything_is_asked_for(tmp_path):
    storage, seen = str(tmp_path / "study.db"), []

    class Watching(RandomSearch):
        def propose(self, n, pending=()):
            seen.append((len(self._trials), len(load(storage).records)))
            return super().propose(n, pending)

    choices = {"a": [*range(20)], "b": [*range(20)]}
    result = search(
        choices,
        lambda v: v["a"],
        algorithm=Watching,
        budget=60,
        workers=4,
        storage=storage,
        executor=InRounds(4),
        verbose=False,
    )
    assert len(result.records) == 60
    # More often than one batch can serve, and each time told of whole rounds.
    assert len(seen) >= 3
    assert all(told % 4 == 0 for told, _ in seen)
    # What is left of the batch before may have been tried, too, by the time that this is asked.
    assert all(stored >= told for told, stored in seen)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_signal_is_heard_while_a_proposal_is_computed(workers, tmp_path):
    class Thinking(RandomSearch):
        def propose(self, n, pending=()):
            if len(self._trials) >= 3:
                threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
                for _ in range(600):
                    time.sleep(0.1)
            return super().propose(n, pending)

    storage, start = str(tmp_path / "study.db"), time.monotonic()
    with ThreadPoolExecutor(workers) as threads, pytest.raises(KeyboardInterrupt):
        search(
            # More than what is left of a batch, so that the search has to wait for the next one.
            {"a": [*range(99)]},
            lambda v: v["a"],
            algorithm=Thinking,
            budget=90,
            workers=workers,
            executor=threads,
            storage=storage,
            verbose=False,
        )
    assert time.monotonic() - start < 30
    assert len(load(storage).records) >= 3
    assert load(storage).stopped == "interrupted"
