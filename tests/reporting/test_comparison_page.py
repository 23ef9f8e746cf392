from __future__ import annotations

import pytest

from optiproxy.comparing.comparison import Comparison
from optiproxy.comparing.findings import find
from optiproxy.comparing.grid import Contest, Grid
from optiproxy.comparing.outcome import Outcome, Query
from optiproxy.reporting.cast import cast
from optiproxy.reporting.comparison_page import Report

CONTESTS = {
    "known": Contest(objective="score:max", test="test", optimum=9.0, source="table"),
    "unknown": Contest(objective="loss:min", limits=("params<=3",), source="training"),
}


@pytest.fixture
def comparison():
    """A comparison in which the value after each query is told by ``values(task, algorithm, seed)``."""

    def make(values, *, algorithms=("first", "second"), seeds=2, budget=3):
        grid = Grid(contests=CONTESTS, algorithms=algorithms, seeds=seeds, budget=budget, version="1")
        outcomes = []
        for cell in grid.cells:
            bests = values(cell.task, cell.algorithm, cell.seed)
            metric = CONTESTS[cell.task].aim.metric
            queries = tuple(
                Query(
                    query=i,
                    architecture={},
                    metrics={} if best is None else {metric: best, "test": 1.25},
                    feasible=best is not None,
                    best_so_far=best,
                    ask_seconds=0.5,
                )
                for i, best in enumerate(bests, start=1)
            )
            outcomes.append(Outcome(cell=cell, source="table", queries=queries, overhead_mb=7.5))
        return Comparison((grid,), tuple(outcomes))

    return make


def comparison_report(comparison):
    return Report(comparison, find(comparison)).page()


def test_a_page_shows_curves_hits_tables_and_overhead(comparison, read):
    page = read(comparison_report(comparison(lambda task, name, seed: [4.0 - seed, 4.5, 9.0 if seed else 5.0])))
    page.assert_self_contained()
    for told in ("known", "unknown", "Minimize loss, with params at most 3.", "50 %", "1.50", "7.5", "1.25"):
        assert told in page.text
    assert "1 censored" in page.text
    assert "a search that did not meet the optimum counts as all its queries" in page.text
    assert page.html.count("share of searches still without the optimum") == 1


def test_a_seed_without_anything_feasible_has_no_mean(comparison, read):
    page = read(comparison_report(comparison(lambda task, name, seed: [None, None, 1.0 if seed else None])))
    assert "there is no honest mean" in page.text
    assert "Feasible" in page.text
    assert "nan" not in page.text.lower()
    assert "inf" not in page.text.lower().replace("infeasible", "")


def test_a_comparison_in_which_nothing_was_ever_feasible_can_be_shown(comparison, read):
    page = read(comparison_report(comparison(lambda *_: [None])))
    page.assert_self_contained()


def test_many_algorithms_keep_distinct_inks(comparison):
    names = tuple(f"algorithm {i}" for i in range(24))
    made = comparison(lambda *_: [1.0], algorithms=names)
    found = cast(made, find(made)).values()
    assert len({role.ink for role in found}) == len({role.key for role in found}) == 24
    assert sum(role.lit for role in found) == 6


def test_hostile_names_stay_text(comparison, read):
    hostile = "<script>alert(1)</script>"
    page = read(comparison_report(comparison(lambda *_: [1.0], algorithms=(hostile,))))
    assert page.tags.count("script") == 1
    assert hostile in page.text
