"""The settings of a comparison."""

from __future__ import annotations

from dataclasses import replace

from optiproxy.comparison.grid import Grid, Run, TaskSetting

UP = TaskSetting(objective="score:max", test="test", optimum=9.0, source="made up")


def test_a_grid_grows_and_nothing_is_taken_away():
    small = Grid(tasks={"a": UP}, algorithms=("ours",), seeds=2, budget=5, version="1")
    grown = replace(small, tasks={"b": UP, "a": UP}, algorithms=("theirs", "ours"), seeds=3)
    assert small.hindrance(small) == small.hindrance(grown) == ""
    assert grown.hindrance(small) == "seeds 3, now 2"
    assert small.hindrance(replace(small, budget=6)) == "budget 5, now 6"
    assert small.hindrance(replace(small, version="2")) == "version 1, now 2"
    assert small.hindrance(replace(small, tasks={"a": replace(UP, limits=("x<=1",))})) == "limits of a: none, now x<=1"
    assert set(small.runs) < set(grown.runs)
    assert Run("b", "theirs", 2) in grown.runs
