from __future__ import annotations

import io
import re
import sys
from dataclasses import replace

import pytest
from rich.console import Console

from optiproxy.errors import SearchFailed
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.searching.progress import Lines, Live, best, observer_for, story
from optiproxy.searching.run import run
from optiproxy.searching.search import search
from optiproxy.searching.settings import SearchSettings
from optiproxy.spaces import FlatSpace
from optiproxy.storage.record import Record
from optiproxy.task import free_metrics
from optiproxy.task.function import FunctionTask

GOAL = Goal((Objective("accuracy"),), (Limit("latency", 2.0),))


def _told(terminal: bool, storage=None, budget=4) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=200)

    def evaluate(values):
        if values["a"] == 2:
            raise ValueError("[red]odd")
        return {"accuracy": values["a"], "latency": values["a"]}

    task = FunctionTask(FlatSpace({"a": [0, 1, 2, 3]}), evaluate, goal=GOAL, isolated=False)
    settings = SearchSettings(algorithm="random", budget=budget, storage=storage)
    run(task, settings, observer=observer_for(GOAL, console))
    return console.file.getvalue()


def test_lines_tell_each_query_the_incumbent_and_the_time_left():
    lines = _told(terminal=False).splitlines()
    assert lines[0] == "searching for accuracy:max, latency<=2: 4 queries"
    assert sum(line[1:4] == "/4 " for line in lines) == 4
    # The first failure of its kind is shown whole.
    assert any(line.endswith("ValueError: [red]odd") and "failed" not in line for line in lines)
    assert lines[-1].startswith("4/4  #3 ")
    assert lines[-1].endswith(
        "best: accuracy 1 (#" + next(line for line in lines if "accuracy 1," in line)[5:].strip()[1] + ")  0 s left"
    )
    assert sum("failed: ValueError: [red]odd" in line for line in lines) == 1
    assert sum("(infeasible)" in line for line in lines) == 1


def test_lines_say_where_a_search_goes_on(tmp_path):
    url = f"sqlite:///{tmp_path}/s.db"
    _told(terminal=False, storage=url, budget=2)
    lines = _told(terminal=False, storage=url, budget=3).splitlines()
    assert lines[0].startswith("resumed, 2 of 3 done")
    assert lines[1].startswith("3/3  ")


def test_a_terminal_shows_a_bar_and_keeps_the_failures():
    shown = _told(terminal=True)
    assert "4/4" in shown
    assert "failed: ValueError: [red]odd" in shown


def test_predicted_stands_beside_observed():
    console = Console(file=io.StringIO(), width=200)
    lines = Lines(GOAL, console)
    lines.on_start(total=2, done=[])
    record = Record(
        number=0, architecture=(0,), state="complete", metrics={"accuracy": 91.5}, predicted={"accuracy": 90.25}
    )
    lines.on_finish(record)
    assert (
        "accuracy 91.5 (predicted 90.25), latency missing (infeasible)  best: none feasible yet"
        in console.file.getvalue()
    )


def test_several_objectives_tell_the_front_and_its_hypervolume():
    goal = Goal((Objective("accuracy"), Objective("latency", "min")))

    def told(*measured):
        return best(
            [
                Record(number=i, architecture=(i,), state="complete", metrics={"accuracy": a, "latency": b}, fidelity=f)
                for i, (a, b, f) in enumerate(measured)
            ],
            goal,
        )

    assert told() == "best: none feasible yet"
    assert told((1, 1, None)) == "front: 1, hypervolume 1.000"
    assert told((1, 1, None), (2, 3, None), (3, 5, None), (0, 4, None)) == "front: 3, hypervolume 0.500"
    # Once something is measured in full, what was measured at a lower fidelity no longer counts.
    assert told((9, 9, 5), (8, 7, 5)) == "front at fidelity 5: 2, hypervolume 0.000"
    assert told((9, 0, 5), (1, 1, None), (2, 3, None)) == "front: 2, hypervolume 0.000"


@pytest.mark.parametrize(("terminal", "kind"), [(True, Live), (False, Lines)])
def test_the_console_decides(terminal, kind):
    assert isinstance(observer_for(GOAL, Console(file=io.StringIO(), force_terminal=terminal)), kind)


def test_what_a_training_prints_scrolls_by_above_the_bar_of_a_terminal(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)

    def evaluate(values):
        sys.stderr.write(f"one {values['a']}\n")
        sys.stdout.write(f"another {values['a']}\n")
        return {"accuracy": values["a"], "latency": 1.0}

    task = FunctionTask(FlatSpace({"a": [0, 1, 2, 3]}), evaluate, goal=GOAL, isolated=False)
    # As `optiproxy.search` makes it: of whatever stream `sys.stderr` is.
    console = Console(stderr=True, force_terminal=True, width=200)
    found = run(task, SearchSettings(algorithm="random", budget=2), observer=observer_for(GOAL, console))
    for record in found.records:
        assert record.state == "complete"
        assert shown.getvalue().count(f"one {record.metrics['accuracy']:.0f}\n") == 1
        assert shown.getvalue().count(f"another {record.metrics['accuracy']:.0f}\n") == 1


def said(space, evaluate, **more):
    """The lines of a search, and how it ended."""
    console = Console(file=io.StringIO(), width=200)
    goal = Goal((Objective("accuracy"),), tuple(map(Limit.parse, more.get("limits", ()))))
    task = FunctionTask(space, evaluate, goal=goal, isolated=False, free=more.get("free", {}))
    settings = SearchSettings(budget=more.get("budget", 4), algorithm=more.get("algorithm", "random"))
    try:
        result = run(task, settings, goal=goal, observer=Lines(goal, console))
    except SearchFailed as error:
        result = error
    return console.file.getvalue().splitlines(), result


@pytest.mark.slow
def test_what_is_measured_before_is_not_predicted():
    lines, result = said(
        FlatSpace({"a": list(range(40)), "b": list(range(40))}),
        lambda v: v["a"],
        algorithm="optiproxy",
        budget=6,
        free={"size": lambda v: float(v["b"])},
        limits=["size<=20"],
    )
    assert any("(predicted" in line for line in lines)
    assert not any(re.search(r"size [\d.]+ \(predicted", line) for line in lines)
    assert all(record.predicted.keys() <= {"accuracy"} for record in result.records)


def test_a_pruned_training_shows_how_far_it_came():
    goal = Goal((Objective("accuracy"),))
    record = Record(number=3, architecture=(0,), state="pruned", curve={0: 0.25, 7: 0.5})
    assert story(record, goal) == "#3 pruned at 0.5 after step 7"
    assert story(replace(record, curve={}), goal) == "#3 pruned"


def test_a_limit_that_nothing_keeps_is_told_with_numbers_long_before_the_end(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(free_metrics.time, "monotonic", lambda: clock[0])

    def size(values):
        clock[0] += 0.25
        return 5322.0 + values["a"] + values["b"]

    lines, ended = said(
        FlatSpace({"a": list(range(9)), "b": list(range(9))}), lambda v: 1.0, free={"size": size}, limits=["size<=1000"]
    )
    assert lines[1].startswith("none of 12 architectures that were measured keeps size<=1000; the smallest has 5,3")
    assert lines[-1] == "none of 72 architectures that were measured keeps size<=1000; the smallest has 5,322"
    assert "keeps size<=1000 among 81 that were measured; the smallest has 5,322" in str(ended)


def test_what_is_measured_for_long_is_told_and_a_pause_begins_anew(monkeypatch):
    clock, told = [0.0], []
    monkeypatch.setattr(free_metrics.time, "monotonic", lambda: clock[0])

    def size(values):
        clock[0] += 0.9
        return float(values["a"])

    goal = Goal((Objective("accuracy"),), (Limit("size", 49.0),))
    space = FlatSpace({"a": list(range(99))})
    task = FunctionTask(space, constant, goal=goal, isolated=False, free={"size": size})
    limits = free_metrics.FreeLimits(task, goal, ["size"], tell=told.append)
    for a in (97, 1, 2, 98):
        limits.admits((a,))
    assert told == ["of 4 architectures that were measured, 2 keep size<=49"]
    for a in (3, 4, 5):
        limits.admits((a,))
        clock[0] += 60  # a training
    assert len(told) == 1


def constant(values):
    return 1.0


@pytest.mark.slow
def test_workers_that_start_are_announced_where_something_is_left_to_do(tmp_path, capsys):
    given = {"budget": 1, "workers": 2, "algorithm": "random", "storage": tmp_path / "s.db"}
    search({"a": [1, 2]}, constant, **given)
    assert "starting 2 workers" in capsys.readouterr().err
    search({"a": [1, 2]}, constant, **given)
    assert "starting" not in capsys.readouterr().err
