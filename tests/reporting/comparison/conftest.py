from __future__ import annotations

import pytest

from optiproxy.comparison.comparison import Comparison
from optiproxy.comparison.grid import Grid, TaskSetting
from optiproxy.comparison.results import Row, RunResult

SETTINGS = {
    "known": TaskSetting(objective="score:max", test="test", optimum=9.0, source="table"),
    "unknown": TaskSetting(objective="loss:min", limits=("params<=3",), source="training"),
}


@pytest.fixture
def comparison():
    """A comparison in which the value after each query is told by ``values(task, algorithm, seed)``."""

    def make(values, *, algorithms=("first", "second"), seeds=2, budget=3, tasks=SETTINGS):
        grid = Grid(tasks=tasks, algorithms=algorithms, seeds=seeds, budget=budget, version="1")
        results = []
        for run in grid.runs:
            bests = values(run.task, run.algorithm, run.seed)
            metric = tasks[run.task].first_objective.metric
            queries = tuple(
                Row(
                    query=i,
                    architecture={},
                    metrics={} if best is None else {metric: best, "test": 1.25},
                    feasible=best is not None,
                    best_so_far=best,
                    ask_seconds=0.5,
                )
                for i, best in enumerate(bests, start=1)
            )
            results.append(RunResult(run=run, source="table", queries=queries, overhead_mb=7.5))
        return Comparison((grid,), tuple(results))

    return make
