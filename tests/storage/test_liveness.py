"""Who lives: processes that see each other, and such that do not."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from optiproxy.searching.load import load
from optiproxy.searching.search import search
from optiproxy.storage import liveness
from optiproxy.storage.liveness import Owner, Signs, looked_at

SCRIPT = """
import sys, time
from optiproxy.searching.search import search

def evaluate(values):
    with open(sys.argv[2], "a") as file:
        file.write(f"{values['a']} {values['b']}\\n")
    time.sleep(float(sys.argv[4]))
    return float(values["a"])

search({"a": [*range(5)], "b": [*range(5)]}, evaluate, budget=int(sys.argv[3]), study="s", algorithm="random", storage=sys.argv[1])
"""

CONTAINER = ["unshare", "--pid", "--fork", "--mount-proc"]


def test_processes_of_another_container_are_not_taken_for_dead():
    """They have the same host name, and process ids of their own."""
    me = Owner()
    there = replace(me, machine=me.machine.replace("pid:[", "pid:[9"), pid=2**22 + 1)
    assert looked_at(me.to_json()) == "alive"
    assert looked_at(replace(me, pid=2**22 + 1).to_json()) == "gone"
    assert looked_at(there.to_json()) == "unknown"
    assert looked_at(replace(me, machine="another boot").to_json()) == "unknown"
    # Of an earlier version: by host and process id, as ever.
    former = {key: value for key, value in replace(me, pid=2**22 + 1).to_json().items() if key != "machine"}
    assert looked_at(former) == "gone"


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run([*CONTAINER, "true"], check=False, capture_output=True).returncode != 0,
    reason="needs the right to make a space of process ids (unshare --pid)",
)
def test_two_containers_share_a_budget(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [
        *CONTAINER,
        sys.executable,
        tmp_path / "script.py",
        tmp_path / "study.db",
        tmp_path / "calls",
        "8",
        "0.5",
    ]
    both = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(300) for process in both] == [0, 0]
    calls = (tmp_path / "calls").read_text().split("\n")[:-1]
    assert len(calls) == len({*calls}) == 8
    assert load(tmp_path / "study.db").stopped == "budget"


@pytest.mark.slow
@pytest.mark.parametrize(("killed", "stopped", "own"), [(True, "budget", 4), (False, "elsewhere", 3)])
def test_what_a_process_of_this_host_has_died_over_is_queried_at_once(tmp_path, killed, stopped, own):
    (tmp_path / "script.py").write_text(SCRIPT)
    arguments = [sys.executable, tmp_path / "script.py", tmp_path / "study.db", tmp_path / "calls", "4", "1000"]
    with subprocess.Popen(arguments, stderr=subprocess.DEVNULL) as other:
        while not (tmp_path / "calls").exists():
            time.sleep(0.1)
        done = []

        def evaluate(values):
            done.append(values)
            # In the last of ours, after which nothing was left to be asked for.
            if killed and len(done) == 3:
                other.send_signal(signal.SIGKILL)
                other.wait()
            return float(values["a"])

        try:
            result = search(
                {"a": [*range(5)], "b": [*range(5)]},
                evaluate,
                budget=4,
                study="s",
                algorithm="random",
                storage=tmp_path / "study.db",
                accept_changes=True,
            )
        finally:
            other.kill()
    assert (result.stopped, len(result.records), len(done)) == (stopped, own, own)


def test_signs_are_judged_by_whether_they_change(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    signs = Signs()

    def after(seconds, seen):
        verdict = ""
        for _ in range(int(seconds / 5)):
            now[0] += 5.0
            verdict = signs.verdict(0, seen)
        return verdict

    # Clocks of other hosts say anything.
    assert after(5, seen=9e9) == "unknown"
    assert after(15, seen=9e9 + 20) == "alive"
    assert after(liveness.SILENCE - 20, seen=9e9 + 20) == "alive"
    assert after(20, seen=9e9 + 20) == "gone"
    # Nobody looked for an hour, in which the storage was away: no silence was heard.
    now[0] += 3600
    assert after(5, seen=9e9 + 20) == "unknown"
    assert after(liveness.SILENCE + 10, seen=9e9 + 20) == "gone"
