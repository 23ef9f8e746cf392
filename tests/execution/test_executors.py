from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, wait
from concurrent.futures.process import BrokenProcessPool

import psutil
import pytest

from optiproxy.errors import SearchFailed, UsageError
from optiproxy.execution.evaluation import Evaluation, evaluation_of
from optiproxy.execution.executors import InlineExecutor, ProcessExecutor

pytestmark = pytest.mark.slow


def _failed_with(error: BaseException) -> Future[Evaluation]:
    future: Future[Evaluation] = Future()
    future.set_exception(error)
    return future


def test_inline_hands_results_and_errors_on():
    executor = InlineExecutor()
    assert executor.submit(max, 1, 2).result() == 2
    assert isinstance(executor.submit(int, "x").exception(), ValueError)


def test_workers_survive_whatever_a_call_does():
    """One pool, one after the other: a hang, a crash, an exit, an error, then a good call."""
    with ProcessExecutor(1, timeout=2.0) as executor:
        hang = executor.submit(time.sleep, 1000)
        killed = executor.submit(lambda: os.kill(os.getpid(), signal.SIGKILL))
        left = executor.submit(lambda: os._exit(7))
        odd = executor.submit(int, "x")
        threads = executor.submit(lambda: (os.environ["OMP_NUM_THREADS"], os.getpid()))
        futures = [hang, killed, left, odd, threads]
        assert not wait(futures, timeout=60).not_done
        reasons = [evaluation_of(future).reason for future in futures[:4]]
        assert reasons == [
            "Stopped at the timeout of 2 s.",
            "The worker process was killed by SIGKILL.",
            "The worker process ended with code 7.",
            "ValueError: invalid literal for int() with base 10: 'x'",
        ]
        assert evaluation_of(hang).seconds == 2.0
        one, pid = threads.result()
        assert one == "1"
        assert pid != os.getpid()


def test_what_cannot_be_sent_is_said_at_once():
    lock = threading.Lock()
    executor = ProcessExecutor(1)
    with pytest.raises(UsageError, match="Cannot send the evaluation to a worker process"):
        executor.submit(lock.acquire)
    executor.shutdown(cancel_futures=True)


def test_shutting_down_with_cancellation_kills_at_once():
    executor = ProcessExecutor(1)
    pid = executor.submit(os.getpid).result()
    executor.submit(time.sleep, 1000)
    executor.shutdown(cancel_futures=True)
    assert not psutil.pid_exists(pid)


PARENT = """
import os, sys, time
from optiproxy.execution.executors import ProcessExecutor
if __name__ == "__main__":
    executor = ProcessExecutor(1)
    print(executor.submit(os.getpid).result(), flush=True)
    executor.submit(time.sleep, 1000)
    time.sleep(1000)
"""


def test_a_hanging_worker_ends_with_its_killed_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    worker.wait(30)
    assert not worker.is_running()


def test_a_pool_that_cannot_work_is_no_failed_training():
    with pytest.raises(SearchFailed, match="__main__"):
        evaluation_of(_failed_with(BrokenProcessPool("All workers expired")))


def test_an_error_of_a_foreign_executor_is_a_failed_training():
    assert evaluation_of(_failed_with(ConnectionError("node lost"))).reason == "ConnectionError: node lost"
