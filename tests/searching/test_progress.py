from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.searching.progress import Lines, Live, best, observer_for
from optiproxy.searching.run import run
from optiproxy.searching.settings import SearchSettings
from optiproxy.spaces import FlatSpace
from optiproxy.storage.record import Record
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
