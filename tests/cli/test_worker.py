"""``optiproxy worker``: several processes that spend one budget, over one database."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from optiproxy.searching.load import load

MODULE = """
import os, time

space = {"a": [*range(5)], "b": [*range(5)]}


def fit(values):
    with open("calls", "a") as file:
        file.write(f"{values['a']} {values['b']} {os.getppid()}\\n")
    # Until all that are meant to share the budget have a part of it.
    end = time.monotonic() + 200
    while len({line.split()[2] for line in open("calls")}) < 3 and time.monotonic() < end:
        time.sleep(0.1)
    return float(values["a"])
"""

OWN = ["mine:space", "--evaluate", "mine:fit"]


@pytest.mark.slow
def test_workers_share_a_budget_over_postgresql(tmp_path, postgresql):
    (tmp_path / "mine.py").write_text(MODULE)
    command = [sys.executable, "-m", "optiproxy"]
    where = ["--storage", postgresql.address, "--study", "shared"]

    def started(*arguments):
        return subprocess.Popen(
            [*command, *arguments, *where], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    search = started("search", *OWN, "--algorithm", "random", "--budget", "14", "--workers", "2")
    while not (tmp_path / "calls").exists():
        assert search.poll() is None, search.communicate()[0]
        time.sleep(0.2)
    workers = [started("worker", *OWN), started("worker", *OWN)]
    told = [process.communicate(timeout=400)[0] for process in (search, *workers)]
    assert [process.returncode for process in (search, *workers)] == [0, 0, 0], told
    calls = (tmp_path / "calls").read_text().split("\n")[:-1]
    assert len(calls) == len({call.rpartition(" ")[0] for call in calls}) == 14
    result = load(postgresql.address, "shared")
    assert (result.stopped, len(result.records)) == ("budget", 14)
    assert len({call.split()[2] for call in calls}) == 3


def test_the_study_of_a_task_says_all_that_a_worker_needs(optiproxy):
    assert (
        optiproxy("search", "digits-table", "--algorithm", "random", "--budget", 3, "--storage", "s.db").exit_code == 0
    )
    told = optiproxy("worker", "--storage", "s.db")
    assert told.exit_code == 0
    assert "Finished: 3 of 3 queries spent." in told.stdout


@pytest.mark.slow
def test_code_of_the_user_is_named_by_the_user_alone(optiproxy, tmp_path, monkeypatch):
    (tmp_path / "named.py").write_text(MODULE.replace("< 3", "< 1"))
    monkeypatch.syspath_prepend(tmp_path)
    own = ["named:space", "--evaluate", "named:fit"]
    given = ["--algorithm", "random", "--budget", 2, "--storage", "s.db"]
    assert optiproxy("search", *own, *given).exit_code == 0
    told = optiproxy("worker", "--storage", "s.db")
    assert told.exit_code == 2
    assert "is of the task 'named:fit on space', which is code of your own" in told.stderr
    assert "Finished: 2 of 2" in optiproxy("worker", *own, "--storage", "s.db").stdout
    # Another task is another search.
    assert "Unknown metric 'accuracy'" in optiproxy("worker", "digits-table", "--storage", "s.db").stderr


def test_a_worker_needs_a_study(optiproxy):
    told = optiproxy("worker", "--storage", "none.db")
    assert told.exit_code == 2
    assert "There is no study database none.db" in told.stderr


@pytest.mark.parametrize(
    ("setting", "said"),
    [(("--memory", "much"), "memory"), (("--max-outage", "-1"), "Expected max_outage to be 0 seconds or more")],
)
def test_what_a_worker_may_take_is_checked_at_once(optiproxy, setting, said):
    optiproxy("search", "digits-table", "--algorithm", "random", "--budget", 1, "--storage", "s.db")
    told = optiproxy("worker", "--storage", "s.db", *setting)
    assert told.exit_code == 2
    assert said in told.output
