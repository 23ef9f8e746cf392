from __future__ import annotations

import pytest

from optiproxy.comparison.runs.grid import Cell
from optiproxy.comparison.runs.outcome import Outcome, Query


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
            query = Query(
                query=number,
                architecture={"kernel": number},
                metrics=metrics,
                feasible=feasible,
                best_so_far=best,
                ask_seconds=ask_seconds,
            )
            queries.append(query)
        return Outcome(
            cell=Cell("task", "algorithm", seed), source="made up", queries=tuple(queries), overhead_mb=overhead_mb
        )

    return make
