"""Trainings on real clusters on this machine: nodes that are lost, trainings that crash and hang, and what they leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import cloudpickle
import psutil
import pytest

from optiproxy.errors import UsageError
from optiproxy.searching.search import search

pytestmark = pytest.mark.slow
cloudpickle.register_pickle_by_value(sys.modules[__name__])

CRASHES, HANGS = 1, 2


@pytest.fixture
def dask_cluster():
    """A scheduler and two workers of two threads each, all in processes of their own."""
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=2, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        yield cluster


def _train(choices: dict[str, int]) -> dict[str, float]:
    started = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    print("training", choices["a"])  # noqa: T201 - its output is kept
    if choices["a"] == CRASHES:
        os._exit(3)
    time.sleep(1000 if choices["a"] == HANGS else 0.5)
    return {"accuracy": float(choices["a"]), "pid": os.getpid(), "parent": os.getppid(), "started": started.pid}


def _check(result, timeout: str) -> None:
    """All architectures were trained, each in a process below one of the cluster, and nothing of that is left."""
    by_choice = {result.space.values(record.architecture)["a"]: record for record in result.records}
    assert len(by_choice) == len(result.records) == 8
    reasons = {choice: record.reason for choice, record in by_choice.items() if record.reason}
    assert reasons == {
        CRASHES: "The worker process ended with code 3.",
        HANGS: f"Stopped at the timeout of {timeout} s.",
    }
    good = [record for record in result.records if not record.reason]
    assert all(record.output == f"training {int(record.metrics['accuracy'])}\n" for record in good)
    assert len({record.metrics["parent"] for record in good}) > 1
    pids = {int(record.metrics[name]) for record in good for name in ("pid", "started")}
    deadline = time.monotonic() + 20
    while (left := list(filter(_alive, pids))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _search(executor, **settings):
    return search(
        {"a": [*range(8)]},
        _train,
        budget=8,
        algorithm="random",
        workers=4,
        timeout=10,
        max_failures=None,
        verbose=False,
        executor=executor,
        **settings,
    )


def test_dask_runs_trainings_again_when_a_worker_is_lost(dask_cluster):
    def lose(running, record):
        if len(running.records) == 1 and not record.reason:
            psutil.Process(int(record.metrics["parent"])).kill()

    _check(_search(dask_cluster.scheduler_address, callbacks=lose), timeout="10")


@pytest.mark.parametrize("name", ["dask://127.0.0.1:1", "tcp://127.0.0.1:1"])
def test_a_cluster_that_does_not_answer_is_named(name):
    pytest.importorskip("distributed", reason="needs the extra dask")
    from dask import config

    with (
        config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(UsageError, match=r"Cannot connect to a Dask scheduler at 'tcp://127\.0\.0\.1:1'"),
    ):
        _search(name)


@pytest.mark.parametrize(("name", "package"), [("dask", "distributed")])
def test_a_package_that_is_missing_is_named(name, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf"need the extra: pip install 'optiproxy\[{name}\]'"):
        _search(name)
