"""The page on a comparison, and its figures as files."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from optiproxy.comparison.comparison import Comparison
from optiproxy.comparison.grid import TaskSetting
from optiproxy.comparison.statistics import analyze
from optiproxy.reporting.comparison.page import Report, assign_roles, write_comparison_report

KNOWN = TaskSetting(objective="score:max", test="test", optimum=9.0, source="table")


def comparison_report(comparison):
    return Report(comparison, analyze(comparison)).page()


def test_a_page_shows_curves_hits_tables_and_overhead(comparison, read):
    page = read(comparison_report(comparison(lambda task, name, seed: [4.0 - seed, 4.5, 9.0 if seed else 5.0])))
    page.assert_self_contained()
    for told in ("known", "unknown", "Minimize loss, with params at most 3.", "50 %", "1.50", "7.5", "1.25"):
        assert told in page.text
    assert "1 censored" in page.text
    # Only the task whose optimum is known has a survival curve, and simple regrets.
    assert page.html.count('aria-label="Runs that have not met the optimum') == 1
    assert "Simple regret after 3" in page.text
    assert "Incumbent loss after 3" in page.text


def test_a_seed_without_anything_feasible_has_no_mean(comparison, read):
    page = read(comparison_report(comparison(lambda task, name, seed: [None, None, 1.0 if seed else None])))
    assert "1 of 2 seeds" in page.text
    assert "Feasible queries" in page.text
    assert "nan" not in page.text.lower()
    assert "inf" not in page.text.lower().replace("infeasible", "")


def test_a_comparison_in_which_nothing_was_ever_feasible_can_be_shown(comparison, read):
    page = read(comparison_report(comparison(lambda *_: [None])))
    page.assert_self_contained()


def test_many_algorithms_keep_distinct_inks(comparison):
    names = tuple(f"algorithm {i}" for i in range(24))
    made = comparison(lambda *_: [1.0], algorithms=names)
    found = assign_roles(made, analyze(made)).values()
    assert len({role.ink for role in found}) == len({role.key for role in found}) == 24
    assert sum(role.highlighted for role in found) == 6


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
    assert "Ahead of first: second on known (final incumbent)." in page.text
    assert "first is ahead in 1, behind in 1, and 1 remain open" in page.text
    assert page.html.count('class="n ahead"') == page.html.count('class="n behind"') == 1


def test_tasks_of_one_source_are_told_together(comparison, read):
    values = against({"first": 2.0, "second": 4.0})
    assert "Tasks of one source together" not in read(comparison_report(comparison(values))).text
    made = comparison(values, seeds=12, tasks={"a": KNOWN, "b": KNOWN})
    page = read(comparison_report(made))
    assert "Tasks of one source together" in page.text
    # Behind by all it could be: worse on each seed of both tasks.
    assert "−1.000/0/12, p = 0.0029" in page.text  # −1.00, and below it the counts
    assert "b (final incumbent), 2 tasks of table together (final incumbent)." in page.text
    assert page.html.count('class="n behind"') == 3


def test_nothing_is_emphasized_that_the_test_does_not_support(comparison, read):
    page = read(comparison_report(comparison(against({"first": 2.0, "second": 4.0}), seeds=5)))
    assert "Ahead of first: none." in page.text
    assert "second on known (final incumbent)" in page.text
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
    assert "Mean rank" not in page.text
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
    write_comparison_report(made, analyze(made), tmp_path / "report.html")
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
