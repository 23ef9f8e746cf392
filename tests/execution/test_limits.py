"""How much memory a training may hold, as it is said, kept and told."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import cloudpickle
import pytest
from typer.testing import CliRunner

from optiproxy.cli.main import app
from optiproxy.errors import UsageError
from optiproxy.execution.evaluation import evaluation_of
from optiproxy.execution.executors import ProcessExecutor
from optiproxy.execution.limits import in_words, memory_size
from optiproxy.searching.search import search

cloudpickle.register_pickle_by_value(sys.modules[__name__])


@pytest.mark.parametrize(
    ("given", "size", "told"),
    [
        ("4GB", 4 * 10**9, "4 GB"),
        ("1.5 gib", 1_610_612_736, "1.61 GB"),
        ("500m", 500_000_000, "500 MB"),
        (2048, 2048, "2.05 kB"),
        ("3TB", 3 * 10**12, "3 TB"),
    ],
)
def test_an_amount_of_memory_is_read_as_people_write_it(given, size, told):
    assert memory_size(given) == size
    assert in_words(size) == told


@pytest.mark.parametrize("given", ["", "much", "-1GB", 0, "0GB", True, "4 XB", "nan", None, "1e9", 2.5e-9])
def test_what_is_no_amount_of_memory_is_refused(given):
    with pytest.raises(UsageError, match="Expected an amount of memory like '4GB'"):
        memory_size(given)


def test_an_amount_that_makes_no_sense_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(UsageError, match="amount of memory"):
        search({"a": [1, 2]}, lambda _: 1.0, budget=1, memory="lots")
    done = CliRunner().invoke(app, ["search", "digits", "--memory", "lots", "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "Expected an amount of memory like '4GB' or '500MB', got 'lots'." in done.stderr


def _hold(megabytes: int) -> None:
    """In a process of its own, so that more than the worker has to be looked at."""
    subprocess.check_call([sys.executable, "-c", f"held = bytearray({megabytes} * 10**6); import time; time.sleep(2)"])


def _share(megabytes: int) -> int:
    held = os.urandom(10**6) * megabytes
    children = [pid for _ in range(4) if (pid := os.fork()) or time.sleep(1.5) or os._exit(0)]
    for pid in children:
        os.waitpid(pid, 0)
    return len(held)


@pytest.mark.slow
def test_a_training_that_holds_more_than_its_memory_is_stopped():
    with ProcessExecutor(3, memory=memory_size("800MB")) as executor:
        small, large, shared = (
            executor.submit(call, megabytes) for call, megabytes in ((_hold, 50), (_hold, 1000), (_share, 300))
        )
        evaluation = evaluation_of(large)
        assert evaluation.reason == "Stopped, because it used more than 800 MB of memory."
        assert 0 < evaluation.seconds < 10
        assert small.exception(60) is None
        # Five processes hold the same 300 MB.
        assert shared.result(60) == 300 * 10**6


def _fill(choices: dict[str, int]) -> float:
    held = os.urandom(10**6) * choices["megabytes"]
    time.sleep(1.5)
    return float(len(held))


@pytest.mark.slow
def test_a_search_with_a_memory_limit_trains_in_a_process_of_its_own():
    result = search(
        {"megabytes": [1, 1500]}, _fill, budget=2, algorithm="random", memory="1GB", max_failures=None, verbose=False
    )
    assert {record.reason for record in result.records} == {"", "Stopped, because it used more than 1 GB of memory."}


def _run_out(group: str) -> int:
    (Path(group) / "cgroup.procs").write_text(str(os.getpid()))
    return len(os.urandom(10**6) * 1000)


@pytest.mark.slow
def test_what_the_system_kills_for_memory_is_told_as_such():
    own = Path("/proc/self/cgroup").read_text().partition(":memory:/")[2].partition("\n")[0]
    group = Path("/sys/fs/cgroup/memory") / own / f"optiproxy-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text("300M")
    except OSError as error:
        pytest.skip(f"needs a control group of its own to run out of memory in: {error}")
    try:
        with ProcessExecutor(1) as executor:
            evaluation = evaluation_of(executor.submit(_run_out, str(group)))
        assert evaluation.reason == "The system ran out of memory and killed the worker process."
    finally:
        group.rmdir()
