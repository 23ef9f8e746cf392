"""An executor: where evaluations run. This one starts a command for each of them, as the queue of a cluster does.

Anything with the interface of `concurrent.futures.Executor` will do: its own pools of threads and processes, those of
loky and Dask, or a class like this, for example with ``CommandExecutor(("srun", "--gpus=1", *WORKER), jobs=8)``. Only
`submit` has to be written. What is submitted is a function of optiproxy with a task and an architecture.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import cloudpickle

WORKER = (sys.executable, "-m", __name__)


class CommandExecutor(Executor):
    """Runs each call in a new process; a call that dies with its process raises `RuntimeError` and costs one query.

    Args:
        command: What is started: a worker that reads a call from its standard input and answers on its standard output.
        jobs: How many run at a time.
    """

    def __init__(self, command: Sequence[str] = WORKER, jobs: int = 2) -> None:
        self._command = tuple(command)
        self._waiting = ThreadPoolExecutor(jobs)  # each thread waits for one process

    def submit(self, fn: Callable, /, *args: object, **kwargs: object) -> Future:
        """Schedule a call; the future holds what it returns or raises."""
        return self._waiting.submit(self._run, cloudpickle.dumps((fn, args, kwargs)))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no further calls; `with` does it at its end."""
        self._waiting.shutdown(wait, cancel_futures=cancel_futures)

    def _run(self, call: bytes) -> object:
        done = subprocess.run(self._command, input=call, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"The worker ended with code {done.returncode}: {done.stderr.decode()[-200:]}")
        answer, error = cloudpickle.loads(done.stdout)
        if error is not None:
            raise error
        return answer


if __name__ == "__main__":
    # Whatever the training prints must not end up in the answer.
    output, sys.stdout = sys.stdout, sys.stderr
    function, arguments, named = cloudpickle.loads(sys.stdin.buffer.read())
    try:
        told = function(*arguments, **named), None
    except Exception as raised:  # noqa: BLE001 - a future hands on whatever a call raises
        told = None, raised
    output.buffer.write(cloudpickle.dumps(told))
