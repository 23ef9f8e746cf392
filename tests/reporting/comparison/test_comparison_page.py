from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.comparison.runs.grid import Contest, Grid
from optiproxy.comparison.runs.outcome import Outcome, Query
from optiproxy.comparison.stats.comparison import Comparison
from optiproxy.comparison.stats.findings import find
from optiproxy.reporting.comparison.cast import cast
from optiproxy.reporting.comparison.page_of_comparison import Report, write_comparison_report
from optiproxy.reporting.svg.labels import LETTER, LINE, beside
from optiproxy.reporting.svg.rank_diagram import groups
from optiproxy.reporting.svg.scale import LogAxis

CONTESTS = {
    "known": Contest(objective="score:max", test="test", optimum=9.0, source="table"),
    "unknown": Contest(objective="loss:min", limits=("params<=3",), source="training"),
}


@pytest.fixture
def comparison():
    """A comparison in which the value after each query is told by ``values(task, algorithm, seed)``."""

    def make(values, *, algorithms=("first", "second"), seeds=2, budget=3, contests=CONTESTS):
        grid = Grid(contests=contests, algorithms=algorithms, seeds=seeds, budget=budget, version="1")
        outcomes = []
        for cell in grid.cells:
            bests = values(cell.task, cell.algorithm, cell.seed)
            metric = contests[cell.task].aim.metric
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


def against(levels):
    """Searches that differ between algorithms alone."""
    return lambda task, name, seed: [levels[name] + 0.01 * seed] * 3


def test_a_rival_that_is_ahead_is_named_on_top(comparison, read):
    made = comparison(against({"first": 2.0, "second": 4.0}), seeds=12)
    page = read(comparison_report(made))
    # The one is better where more is wanted, the other where less is.
    assert "Ahead of first: second on known (best at the end)." in page.text
    assert "first is ahead in 1, behind in 1, and 1 remain open" in page.text
    assert page.html.count('class="n ahead"') == page.html.count('class="n behind"') == 1


def test_tasks_of_one_source_are_told_together(comparison, read):
    values = against({"first": 2.0, "second": 4.0})
    assert "Tasks of one source together" not in read(comparison_report(comparison(values))).text
    known = CONTESTS["known"]
    made = comparison(values, seeds=12, contests={"a": known, "b": known})
    page = read(comparison_report(made))
    assert "Tasks of one source together" in page.text
    # Behind by all it could be: worse on each seed of both tasks.
    assert "−1.000/0/12, p = 0.0029" in page.text  # −1.00, and below it the counts
    assert "b (best at the end), 2 tasks of table together (best at the end)." in page.text
    assert page.html.count('class="n behind"') == 3


def test_nothing_is_emphasized_that_the_test_does_not_support(comparison, read):
    page = read(comparison_report(comparison(against({"first": 2.0, "second": 4.0}), seeds=5)))
    assert "Ahead of first: none." in page.text
    assert "Leaning to the rival, though it may be chance: second on known (best at the end)." in page.text
    assert "it takes 7" in page.text
    assert 'class="n ahead"' not in page.html
    assert 'class="n behind"' not in page.html


def test_an_end_of_an_interval_is_beyond_the_queries_only_where_a_search_missed_the_optimum(comparison, read):
    met = {0: 1, 1: 2, 2: 3, 3: 4, 4: 5}
    values = lambda task, name, seed: [9.0 if query >= met[seed] else 1.0 for query in range(1, 7)]  # noqa: E731
    everybody = comparison(values, seeds=5, budget=6)
    assert everybody.summaries["known"]["first"].queries_to_optimum_survival.high is None
    assert "over 6" not in read(comparison_report(everybody)).text
    met[4] = 7
    assert "to over 6" in read(comparison_report(comparison(values, seeds=5, budget=6))).text


def test_one_algorithm_has_a_page_without_tests_and_ranks(comparison, read):
    page = read(comparison_report(comparison(lambda *_: [1.0], algorithms=("alone",))))
    assert "Average ranks" not in page.text
    assert "Holm" not in page.text


def test_algorithms_of_different_extent_share_a_page(comparison, read):
    parts = [
        comparison(lambda *_: [4.0, 9.0, 9.0], algorithms=("cheap", "random"), seeds=4),
        comparison(lambda *_: [5.0], algorithms=("slow",), seeds=2, budget=1),
    ]
    page = read(comparison_report(Comparison.joined(parts)))
    page.assert_self_contained()
    assert "3 algorithms on 2 tasks, 2 to 4 seeds each, 1 to 3 queries per search" in page.text
    assert page.text.count("optiproxy compare known unknown") == 2


def test_figures_are_whole_files(comparison, tmp_path):
    names = tuple(f"<algorithm> & {i}" for i in range(12))
    made = comparison(lambda task, name, seed: [1.0, 2.0, 9.0], algorithms=names)
    write_comparison_report(made, find(made), tmp_path / "report.html")
    files = {path.stem: path.read_text() for path in (tmp_path / "figures").iterdir()}
    assert set(files) == {
        *("known-best", "known-survival", "unknown-best", "overhead", "ranks-best_at_end", "ranks-queries_to_optimum")
    }
    for text in files.values():
        root = ET.fromstring(text)
        width, height = (float(root.attrib[side]) for side in ("width", "height"))
        assert root.attrib["viewBox"] == f"0 0 {width:g} {height:g}"
        assert "var(" not in text
    # What stands out is named, the rest is counted.
    shown = " ".join(ET.fromstring(files["known-best"]).itertext())
    assert "<algorithm> & 0" in shown
    assert "6 others" in shown


@given(
    st.lists(st.tuples(st.floats(20, 380), st.floats(20, 380), st.text("abc", min_size=1, max_size=20)), max_size=15)
)
def test_names_cover_neither_each_other_nor_the_margin(found):
    places = beside([(x, y) for x, y, _ in found], [text for *_, text in found], left=10, right=390)
    boxes = [(p, LETTER * len(text)) for p, (_, _, text) in zip(places, found, strict=True) if p]
    for i, ((x, y), width) in enumerate(boxes):
        assert x >= 10
        assert x + width <= 390
        for (u, v), wide in boxes[:i]:
            assert x + width <= u or u + wide <= x or abs(y - v) >= LINE - 2


def test_bars_join_the_longest_runs_that_are_not_told_apart():
    assert groups([1.0, 1.5, 2.4, 4.0], 1.0) == [(0, 1), (1, 2)]
    assert groups([1.0, 1.5, 1.9, 4.0], 1.0) == [(0, 2)]
    assert groups([1.0, 1.0], 0.0) == []
    assert groups([], 1.0) == []


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=8))
def test_a_logarithmic_axis_shows_all_values_in_their_order(values):
    axis = LogAxis.over("seconds", [*values, 0.0, math.inf])
    places = [axis.position(value) for value in sorted(values)]
    assert all(axis.shows(value) for value in values)
    assert places == sorted(places)
    assert all(0 <= place <= 1 for place in places)
    assert len(axis.labels(5)) <= 5
    assert (axis.position(0.0), axis.position(math.inf)) == (0, 1)
