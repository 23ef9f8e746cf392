"""Whatever a training starts ends with it, however it ends; what ends workers costs at most one query."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import cloudpickle
import psutil
import pytest

from optiproxy.execution.evaluation import evaluation_of
from optiproxy.execution.executors import ProcessExecutor
from optiproxy.searching.search import search

pytestmark = pytest.mark.slow

# Else each worker would import what the tests import, as part of its first call.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

CHOICES = {"a": [*range(4)], "b": [*range(4)]}


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _spread(folder: str) -> None:
    """Start processes in every way that gets away from who has started them, and write down which."""
    sleep = ["sleep", "1000"]
    started = [
        subprocess.Popen(sleep).pid,
        subprocess.Popen(sleep, start_new_session=True).pid,
        # Its parent ends at once.
        int(subprocess.check_output(["sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & echo $!"])),
        # It knows nothing of any mark; its parent does.
        subprocess.Popen(["/bin/sleep", "1000"], env={}).pid,
    ]
    if (forked := os.fork()) == 0:
        time.sleep(1000)
    part = Path(folder) / f"{os.getpid()}.part"
    part.write_text(" ".join(map(str, [os.getpid(), forked, *started])))
    part.rename(Path(folder) / f"{os.getpid()}.txt")


def _started(folder: Path) -> list[int]:
    deadline = time.monotonic() + 60
    while not (found := list(folder.glob("*.txt"))):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return [int(pid) for pid in found[0].read_text().split()]


def _hang(folder: str) -> None:
    _spread(folder)
    time.sleep(1000)


def _crash(folder: str) -> None:
    _spread(folder)
    os._exit(3)


@pytest.mark.parametrize("ends", ["timeout", "crash", "cancelled", "done"])
def test_all_that_a_training_has_started_ends_with_it(tmp_path, ends):
    with ProcessExecutor(1, timeout=5.0 if ends == "timeout" else None) as executor:
        call = {"crash": _crash, "done": _spread}.get(ends, _hang)
        future = executor.submit(call, str(tmp_path))
        pids = _started(tmp_path)
        assert len(pids) == 6
        if ends == "done":
            assert future.result(60) is None
            # A training may leave running what serves the next ones, as long as there are any.
            assert all(map(_alive, pids))
            executor.shutdown()
        else:
            if ends == "cancelled":
                assert all(map(_alive, pids))
                executor.shutdown(cancel_futures=True)
            assert (
                evaluation_of(future).reason
                == {
                    "timeout": "Stopped at the timeout of 5 s.",
                    "crash": "The worker process ended with code 3.",
                    "cancelled": "The worker process was killed by SIGTERM.",
                }[ends]
            )
        if ends == "crash":
            # Without a parent and without a mark it cannot be known whose it is.
            os.kill(pids.pop(), signal.SIGKILL)
        assert not list(filter(_alive, pids))


SCRIPT = """
import signal, sys
# Started in the background, as a test run may be, a process ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {folder!r})
import optiproxy
from test_endings import _hang

if __name__ == "__main__":
    optiproxy.search(
        {{"a": [1, 2, 3]}}, lambda choices: _hang({target!r}), budget=3, algorithm="random", timeout=1000, verbose=False
    )
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_a_search_that_is_ended(tmp_path, number):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(folder=str(Path(__file__).parent), target=str(tmp_path)))
    with subprocess.Popen([sys.executable, str(script)], stderr=subprocess.DEVNULL) as process:
        try:
            pids = _started(tmp_path)
            everything = {child.pid for child in psutil.Process(process.pid).children(recursive=True)} | set(pids)
            process.send_signal(number)
            process.wait(60)
        finally:
            process.kill()  # or leaving the block would wait for it
    deadline = time.monotonic() + 20
    while (left := list(filter(_alive, everything))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


def test_a_training_may_end_in_peace(tmp_path):
    """SIGTERM comes first: a checkpoint can be written."""
    code = """
        import pathlib, signal, sys, time
        def leave(number, frame):
            pathlib.Path(sys.argv[1]).write_text("kept")
            sys.exit()
        signal.signal(signal.SIGTERM, leave)
        pathlib.Path(sys.argv[1]).write_text("ready")
        time.sleep(1000)
    """
    arguments = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "checkpoint")]
    with ProcessExecutor(1, timeout=5.0) as executor:
        with pytest.raises(TimeoutError):
            executor.submit(subprocess.check_call, arguments).result(60)
        assert (tmp_path / "checkpoint").read_text() == "kept"


def _die_later() -> int:
    threading.Timer(0.1, os._exit, [1]).start()
    return os.getpid()


def test_an_idle_worker_that_dies_is_replaced():
    """All that there are have died, and nobody was working."""
    with ProcessExecutor(1) as executor:
        pid = executor.submit(_die_later).result(60)
        while _alive(pid):
            time.sleep(0.02)
        assert executor.submit(os.getpid).result(60) != pid


def test_a_search_whose_workers_die_when_they_are_idle_goes_on():
    """While the next architecture is chosen, or during the next training, which it then costs."""
    result = search(
        CHOICES, lambda choices: float(_die_later() > 0), budget=6, algorithm="random", workers=2, verbose=False
    )
    assert len(result.records) == 6
    assert any(record.state == "complete" for record in result.records)
    assert {record.reason for record in result.records} <= {"", "The worker process ended with code 1."}


def _workers_of(process: psutil.Process) -> list[psutil.Process]:
    return [child for child in process.children() if _alive(child.pid) and "spawn_main" in " ".join(child.cmdline())]


def test_workers_that_are_killed_from_outside_cost_what_they_were_doing():
    killed = []

    def kill(_running, record):
        if record.number % 3 == 0:
            for worker in _workers_of(psutil.Process()):
                killed.append(worker.pid)
                worker.kill()

    result = search(
        CHOICES,
        lambda choices: float(choices["a"]),
        budget=9,
        algorithm="random",
        workers=2,
        max_failures=None,
        verbose=False,
        callbacks=kill,
    )
    assert len(killed) >= 3
    assert len(result.records) == 9
    # Also one that was killed twice while it started.
    assert all(re.match(r"$|The worker process was killed by SIGKILL", record.reason) for record in result.records)


def test_no_more_workers_start_than_there_is_work_for():
    def siblings(_choices):
        return float(len(_workers_of(psutil.Process(os.getppid()))))

    result = search(CHOICES, siblings, budget=2, algorithm="random", workers=24, verbose=False)
    assert max(record.metrics["accuracy"] for record in result.records) <= 2
