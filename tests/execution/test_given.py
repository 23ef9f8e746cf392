"""Executors of others: what a training that ends its process does to them, and to the search."""

from __future__ import annotations

import os
import sys
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cloudpickle
import pytest
from optuna import load_study
from optuna.trial import TrialState

from optiproxy.errors import SearchFailed, UsageError
from optiproxy.searching.search import search

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

cloudpickle.register_pickle_by_value(sys.modules[__name__])

CHOICES = {"a": [*range(6)]}

make = partial(ProcessPoolExecutor, 2, mp_context=get_context("fork"))
"""Forked: no worker has to import anything."""


def _crash_at(fatal: set[int], choices: dict[str, int]) -> float:
    if choices["a"] in fatal:
        os._exit(1)
    return float(choices["a"])


def _crash_once(crashed: str, choices: dict[str, int]) -> float:
    try:
        Path(crashed).touch(exist_ok=False)
    except FileExistsError:
        return float(choices["a"])
    os._exit(1)


def _search(evaluate, executor, **settings):
    return search(
        CHOICES, evaluate, budget=6, algorithm="random", max_failures=None, verbose=False, executor=executor, **settings
    )


def test_a_pool_that_can_be_made_anew_costs_the_training_that_broke_it():
    result = _search(partial(_crash_at, {3}), make)
    reasons = {record.architecture: record.reason for record in result.records}
    assert len(reasons) == 6
    failed = {architecture for architecture, reason in reasons.items() if reason}
    assert failed == {(3,)}
    assert reasons[3,].startswith("The executor broke twice while this ran (BrokenProcessPool:")
    assert "takes along all that run beside it" in reasons[3,]


def test_a_pool_that_breaks_by_chance_costs_nothing(tmp_path):
    result = _search(partial(_crash_once, str(tmp_path / "crashed")), make, workers=2)
    assert [record.reason for record in result.records] == [""] * 6


def test_a_pool_that_always_breaks_says_what_may_be_the_cause():
    result = _search(partial(_crash_at, {*range(6)}), make, workers=2)
    assert len(result.records) == 6
    assert all("No evaluation has come back" in record.reason for record in result.records)


@pytest.mark.slow
def test_an_open_pool_that_breaks_ends_the_search_and_everything_finished_is_stored(tmp_path):
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    with make() as pool, pytest.raises(SearchFailed, match=r"The executor broke \(BrokenProcessPool") as failed:
        _search(partial(_crash_at, {3}), pool, storage=storage, study="s")
    told = str(failed.value)
    assert "takes along all that run beside it" in told
    assert "give a function that makes the executor" in told
    assert "__main__" not in told
    states = [trial.state for trial in load_study(study_name="s", storage=storage).trials]
    assert TrialState.COMPLETE in states
    assert TrialState.RUNNING not in states
    # The same search goes on where it can.
    assert len(_search(partial(_crash_at, {3}), make, storage=storage, study="s", accept_changes=True).records) == 6


def test_an_open_pool_that_never_answers_says_what_else_may_be_wrong():
    with make() as pool, pytest.raises(SearchFailed, match="if __name__ == '__main__'"):
        _search(partial(_crash_at, {*range(6)}), pool)


def test_one_that_cannot_be_made_anew_ends_the_search():
    pools = [make()]
    with pytest.raises(SearchFailed, match=r"another could not be made: .*pop from empty list"):
        _search(partial(_crash_at, {*range(6)}), pools.pop)


@pytest.mark.parametrize("limit", [{"timeout": 3.0}, {"memory": "1GB"}])
def test_limits_are_kept_where_they_can_be(limit):
    with ThreadPoolExecutor(1) as threads, pytest.raises(UsageError, match="and on Dask and Ray only"):
        _search(partial(_crash_at, set()), threads, **limit)


def test_an_executor_that_cancels_ends_the_search_and_not_in_an_endless_loop():
    class Cancelling(ThreadPoolExecutor):
        def submit(self, fn, /, *args, **kwargs):
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(SearchFailed, match="The executor has cancelled an evaluation"):
        _search(partial(_crash_at, set()), Cancelling(1))


def test_what_returns_no_future_is_named():
    class Direct:
        def submit(self, fn, /, *args, **kwargs):
            return fn(*args, **kwargs)

    with pytest.raises(
        UsageError, match=r"Expected the executor to return a concurrent.futures.Future, got .*Evaluation"
    ):
        _search(partial(_crash_at, set()), Direct())
