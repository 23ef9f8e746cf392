"""A search that is interrupted, in whatever way, and called again equals one that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace

import optuna
import pytest
from optuna.trial import TrialState

from optiproxy.searching.load import load
from optiproxy.searching.search import search
from optiproxy.storage import liveness
from optiproxy.storage.backends.trials import StoredTrials
from optiproxy.storage.liveness import Owner, looked_at
from optiproxy.storage.schema import OWNER, SEEN, UNSEEN

pytestmark = pytest.mark.slow

CHOICES = {"a": [*range(6)], "b": [*range(6)]}


def _score(values):
    if values["a"] == 3:
        raise ValueError("three")
    return float(values["a"] * values["b"])


def _find(storage, *, budget=20, evaluate=_score, algorithm="regularized-evolution", **arguments):
    # One study, whatever the function is called here, and changed as it may be.
    named = {"study": "s", "accept_changes": True, **arguments}
    return search(CHOICES, evaluate, budget=budget, algorithm=algorithm, storage=storage, **named)


def _interrupted(storage, **arguments):
    """What a search that an interrupt ends has kept."""
    with pytest.raises(KeyboardInterrupt):
        _find(storage, **arguments)
    return load(storage)


def _story(result):
    return [
        (r.number, r.architecture, r.state, r.reason, dict(r.metrics), dict(r.predicted), dict(r.intervals))
        for r in result.records
    ]


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/study.db"


@pytest.fixture(scope="module")
def uninterrupted():
    return _story(_find(None))


@pytest.mark.parametrize("algorithm", ["random", "regularized-evolution"])
def test_in_parts_as_in_one(url, algorithm):
    for budget in (1, 7, 8, 20):
        parts = _find(url, budget=budget, algorithm=algorithm)
    assert _story(parts) == _story(_find(None, algorithm=algorithm))


def test_a_finished_search_is_answered_from_its_study(url):
    first = _find(url)
    again = _find(url, evaluate=lambda _: pytest.fail("nothing is left to evaluate"))
    assert again.records == first.records


def test_the_exhausted_end_is_told_again_and_uses_no_budget(url):
    assert _find(url, budget=99).stopped == "exhausted"
    again = _find(url, budget=99)
    assert (again.stopped, len(again.records)) == ("exhausted", 36)
    assert (load(url).stopped, len(load(url).records)) == ("exhausted", 36)


def test_an_interrupt_keeps_what_finished(url, uninterrupted):
    calls = []

    def evaluate(values):
        calls.append(values)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return _score(values)

    result = _interrupted(url, evaluate=evaluate)
    assert (result.stopped, _story(result)) == ("interrupted", uninterrupted[:5])
    # The query that was cut off is asked for again.
    assert _story(_find(url)) == uninterrupted


def test_a_signal_in_the_middle_of_writing_waits(url, uninterrupted, monkeypatch):
    finish = StoredTrials.finish
    count = iter(range(100))

    def slow(trials, *arguments, **options):
        if next(count) == 4:
            os.kill(os.getpid(), signal.SIGTERM)
        return finish(trials, *arguments, **options)

    monkeypatch.setattr(StoredTrials, "finish", slow)
    result = _interrupted(url)
    assert (result.stopped, _story(result)) == ("interrupted", uninterrupted[:5])
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_signal_that_something_swallows_is_not_lost(url, uninterrupted):
    calls = []

    def evaluate(values):
        calls.append(values)
        if len(calls) == 4:
            # So does a destructor, in the libraries too, and code that catches everything.
            with suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
        return _score(values)

    result = _interrupted(url, evaluate=evaluate)
    assert (result.stopped, _story(result)) == ("interrupted", uninterrupted[:4])
    assert _story(_find(url)) == uninterrupted


SCRIPT = """
import os, signal, sys, time
from optiproxy.searching.search import search

# Whoever started the tests may ignore Ctrl-C, and that is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)

def evaluate(values):
    if values["a"] == 3:
        raise ValueError("three")
    if os.path.exists(sys.argv[2]) and len(open(sys.argv[2]).read()) == 5:
        print("hanging", flush=True)
        time.sleep(1000)
    with open(sys.argv[2], "a") as f:
        f.write("x")
    return float(values["a"] * values["b"])

if __name__ == "__main__":
    try:
        search(
            {"a": [*range(6)], "b": [*range(6)]}, evaluate, budget=20, algorithm="regularized-evolution", storage=sys.argv[1],
            timeout=float(sys.argv[3]) if len(sys.argv) > 3 else None, study="s",
        )
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.mark.parametrize(
    ("number", "timeout", "ends"),
    [
        (signal.SIGKILL, None, -signal.SIGKILL),
        (signal.SIGKILL, "500", -signal.SIGKILL),
        (signal.SIGTERM, None, 0),
        (signal.SIGINT, "500", 0),
    ],
    ids=["killed", "killed with workers", "terminated", "Ctrl-C with workers"],
)
def test_a_process_that_ends_early_is_continued(tmp_path, url, uninterrupted, number, timeout, ends):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    arguments = [sys.executable, str(script), url, str(tmp_path / "count"), *([timeout] if timeout else [])]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "hanging\n"
        process.send_signal(number)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == ends
    kept = load(url)
    finished = len(kept.records)
    assert _story(kept) == uninterrupted[:finished]
    assert sum(record.state == "complete" for record in kept.records) == 5
    assert said == ("interrupted\n" if ends == 0 else "")
    assert _story(_find(url)) == uninterrupted


def test_three_processes_share_a_budget_exactly_and_without_duplicates(tmp_path, url):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("== 5", "== 500"))
    arguments = [sys.executable, str(script), url, str(tmp_path / "count")]
    processes = [subprocess.Popen(arguments, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [process.wait(100) for process in processes] == [0, 0, 0]
    result = _find(url)
    assert len({record.architecture for record in result.records}) == len(result.records)
    assert len(result.records) == 20
    assert sorted(record.number for record in result.records) == list(range(len(result.records)))


def test_a_process_is_told_from_a_later_one_with_its_id():
    me = Owner()
    assert looked_at(me.to_json()) == "alive"
    assert looked_at(replace(me, created=me.created - 1000).to_json()) == "gone"
    assert looked_at({"host": me.host, "pid": "broken"}) == "alive"
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        process.wait()
        assert looked_at(replace(me, pid=process.pid, created=time.time()).to_json()) == "gone"


@pytest.mark.parametrize(("beats", "own", "stopped"), [(True, 3, "elsewhere"), (False, 4, "budget")])
def test_a_query_that_runs_on_another_host_counts_until_it_falls_silent(url, monkeypatch, beats, own, stopped):
    monkeypatch.setattr(liveness, "SILENCE", 5.0)
    _find(url, budget=2)
    study = optuna.load_study(study_name=None, storage=url)
    trial = study.ask()
    # Its clock is an hour slow, which says nothing.
    study._storage.set_trial_system_attr(trial._trial_id, OWNER, replace(Owner(), host="elsewhere").to_json())
    study._storage.set_trial_system_attr(trial._trial_id, SEEN, time.time() - 3600)
    ended = threading.Event()

    def beat():
        while beats and not ended.wait(0.2):
            study._storage.set_trial_system_attr(trial._trial_id, SEEN, time.time() - 3600)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        result = _find(url, budget=4)
    finally:
        ended.set()
        thread.join()
    assert (len(result.records), result.stopped) == (own, stopped)
    # Whoever reads the study later sees that it is not complete.
    assert load(url).stopped == ("interrupted" if beats else "budget")


def test_a_search_gives_signs_of_life_while_an_evaluation_runs(url, monkeypatch):
    monkeypatch.setattr(liveness, "INTERVAL", 0.02)
    seen = set()

    def evaluate(values):
        end = time.monotonic() + 60
        while len(seen) < 3 and time.monotonic() < end:
            (trial,) = optuna.load_study(study_name=None, storage=url).get_trials(states=[TrialState.RUNNING])
            seen.add(trial.system_attrs[SEEN])
        return 1.0

    _find(url, budget=1, evaluate=evaluate)
    assert len(seen) >= 3
    assert max(seen) == pytest.approx(time.time(), abs=60)


def test_a_result_counts_although_others_have_given_its_query_up(url):
    """A host that slept through the silence finishes an evaluation that nobody waits for any more."""

    def evaluate(values):
        if not given_up:
            study = optuna.load_study(study_name=None, storage=url)
            (trial,) = study.get_trials(states=[TrialState.RUNNING])
            study._storage.set_trial_system_attr(trial._trial_id, UNSEEN, "interrupted")
            study.tell(trial.number, state=TrialState.FAIL)
            given_up.append(trial.number)
        return _score(values)

    given_up = []
    result = _find(url, budget=5, evaluate=evaluate)
    assert (result.stopped, len(result.records)) == ("budget", 5)
    assert given_up == [0]
    assert result.records[0].number == 0
    assert len({record.architecture for record in result.records}) == 5
    assert load(url).records == result.records
