from __future__ import annotations

from dataclasses import replace

import pytest

from optiproxy.comparison.comparison import Comparison
from optiproxy.comparison.grid import Grid, Run, TaskSetting
from optiproxy.comparison.results import Row, RunResult

KNOWN = TaskSetting(objective="score:max", test="test", optimum=9.0, source="made up")
"""A task on which 9.0 is the best possible score."""


@pytest.fixture
def outcome():
    """One search from the values that its queries gave; None stands for a failed training."""

    def make(values, *, seed=0, direction="max", infeasible=(), ask_seconds=0.5, overhead_mb=1.0):
        better = max if direction == "max" else min
        best, queries = None, []
        for number, value in enumerate(values, start=1):
            feasible = value is not None and number not in infeasible
            if feasible:
                best = value if best is None else better(best, value)
            metrics = {} if value is None else {"score": value, "test": -value}
            query = Row(
                query=number,
                architecture={"kernel": number},
                metrics=metrics,
                feasible=feasible,
                best_so_far=best,
                ask_seconds=ask_seconds,
            )
            queries.append(query)
        return RunResult(
            run=Run("task", "algorithm", seed), source="made up", queries=tuple(queries), overhead_mb=overhead_mb
        )

    return make


@pytest.fixture
def comparison(outcome):
    """A comparison from the values of each search: ``values(task, algorithm, seed)``."""

    def make(values, *, tasks=("a",), algorithms=("ours", "theirs"), seeds=6, budget=60, setting=KNOWN, version="1"):
        grid = Grid(
            tasks=dict.fromkeys(tasks, setting), algorithms=algorithms, seeds=seeds, budget=budget, version=version
        )
        direction = setting.first_objective.direction
        return Comparison(
            (grid,),
            tuple(
                replace(outcome(values(run.task, run.algorithm, run.seed), direction=direction), run=run)
                for run in grid.runs
            ),
        )

    return make


@pytest.fixture
def constant():
    """Values of searches that are as good as their algorithm's level, a little better with each seed."""
    return lambda **levels: lambda task, name, seed: [levels[name] + 0.001 * seed]
