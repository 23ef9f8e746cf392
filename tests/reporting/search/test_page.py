from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.reporting.search.page import MOST_COLUMNS, search_report, write_search_report
from optiproxy.spaces import FlatSpace, NASBench201
from optiproxy.task.protocol import QueryProtocol

HOSTILE = "</td></svg><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{ 7*7 }}"
TWO = Goal((Objective("accuracy"), Objective("latency", "min")), (Limit("params", 5.0),))


def report(found, tmp_path, read):
    page = read(search_report(found, folder=tmp_path))
    page.assert_self_contained()
    return page


def test_a_page_tells_the_goal_the_best_every_query_and_the_failures(result, tmp_path, read):
    trials = [{"accuracy": 0.5}, "RuntimeError: out of memory", {"accuracy": 0.875, "seconds": 3.0}, {"accuracy": 0.75}]
    page = report(result(trials, predicted={"accuracy": 0.8125}), tmp_path, read)
    for told in (
        "Maximize accuracy.",
        "0.875",
        "0.8125",
        "Query #2.",
        "RuntimeError: out of memory",
        "somewhere",
        "seed 3",
    ):
        assert told in page.text
    for heading in (
        "Best architecture",
        "Progress",
        "Predicted against observed",
        "Failures",
        "All queries",
        "Take it home",
    ):
        assert heading in page.text
    assert "4 of 4 queries" in page.text
    assert page.tags.count("svg") >= 3


def test_several_objectives_and_limits_show_front_and_trade_offs(result, tmp_path, read):
    trials = [{"accuracy": a, "latency": b, "params": c} for a, b, c in ((1, 1, 1), (2, 2, 2), (3, 3, 9), (2, 4, 1))]
    page = report(result(trials, goal=TWO), tmp_path, read)
    assert "The front" in page.text
    assert "Trade-offs" in page.text
    assert page.html.count('<tr class="best"') == 2 * 2  # two on the front, listed in both tables
    assert "infeasible" in page.text
    assert "of the box from accuracy 1, latency 4 to 2, 1" in page.text
    assert "hypervolume of the front after every query" in page.html


def test_each_pair_of_objectives_has_its_chart(result, tmp_path, read):
    goal = Goal(
        (Objective("accuracy"), Objective("latency", "min"), Objective("memory", "min")), (Limit("params", 5.0),)
    )
    trials = [{"accuracy": a, "latency": a * a, "memory": 5 - a, "params": a} for a in (1, 2, 3, 9)]
    html = report(result(trials, goal=goal), tmp_path, read).html
    for pair in (
        "accuracy against latency",
        "accuracy against memory",
        "latency against memory",
        "accuracy against params",
    ):
        assert html.count(f'"{pair}"') == 1


@pytest.mark.parametrize(
    "trials",
    [
        [],
        ["failed"],
        ["a", "b"],
        [{"accuracy": math.nan}],
        [{"accuracy": 1.0}],
        [{"accuracy": 1.0}] * 5,
        [{"other": 1.0}],
    ],
)
def test_a_page_can_be_made_of_very_little(result, tmp_path, read, trials):
    page = report(result(trials, stopped="interrupted", budget=9), tmp_path, read)
    assert "the same command resumes" in page.text
    assert "nan" not in page.text.lower()
    assert "nan" not in [value for _, _, value in page.attributes]


def test_nothing_feasible_shows_no_winner(result, tmp_path, read):
    goal = Goal((Objective("accuracy"),), (Limit("accuracy", 0.9, ">="),))
    page = report(result([{"accuracy": 0.5}, {"accuracy": 0.6}], goal=goal), tmp_path, read)
    assert "Best architecture" not in page.text
    assert "breaks a limit" in page.text


def test_hostile_names_stay_text(result, tmp_path, read):
    space = FlatSpace({HOSTILE: ["a", HOSTILE + "2"], "b\x00\x1b": ["<b>", "&amp;"]})
    goal = Goal((Objective(HOSTILE),), (Limit(HOSTILE + "limit", 3.0),))
    trials = [{HOSTILE: 1.0 + i, HOSTILE + "limit": 1.0 + i} for i in range(4)] + [HOSTILE]
    found = result(trials, goal=goal, space=space, task=HOSTILE, predicted={HOSTILE: 1.0})
    page = read(search_report(found, folder=tmp_path / HOSTILE.replace("/", "_")))
    page.assert_self_contained()
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert HOSTILE in page.text


def test_the_file_is_written_whole_and_a_bad_place_is_named(result, tmp_path):
    path = write_search_report(result([{"accuracy": 1.0}]), tmp_path / "new" / "report.html")
    assert path.read_text().endswith("</html>\n")
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]
    with pytest.raises(UsageError, match="Cannot write"):
        write_search_report(result([{"accuracy": 1.0}]), path / "report.html")


def test_a_search_at_a_lower_fidelity_tells_both_kinds_of_queries_apart(result, tmp_path, read):
    found = result([{"accuracy": 0.5}, {"accuracy": 0.75}, "too large", {"accuracy": 0.625}, {"accuracy": 0.875}])
    low = [replace(record, fidelity=5) for record in found.records[:3]]
    protocol = QueryProtocol(fidelity=5, promote=2, full=50)
    found = replace(found, records=(*low, *found.records[3:]), protocol=protocol, budget=3, optimum=0.9)
    page = report(found, tmp_path, read)
    for told in (
        "3 queries at fidelity 5, then the best 2 again at 50",
        "5 of 5 queries",
        "3 at fidelity 5 and 2 at 50, 115 epochs",
        "at fidelity 50.",
        "measured at fidelity 5",
        "measured at fidelity 50",
        "Query #4.",
        "optimum",
        "Fidelity",
    ):
        assert told in page.text


def test_limits_are_told_apart_by_when_they_are_known(result, tmp_path, read):
    goal = Goal((Objective("accuracy"),), (Limit("params", 5.0), Limit("latency", 3.0)))
    trials = [{"accuracy": 1.0, "params": 1.0, "latency": 2.0}, {"accuracy": 2.0, "params": 1.0, "latency": 4.0}]
    found = replace(result(trials, goal=goal), protocol=QueryProtocol(free=("params",)))
    text = report(found, tmp_path, read).text
    assert re.search(r"\(free\)[^.]*: params\.", text)
    assert re.search(r"\(queried\): latency\.", text)


def test_an_ordinary_search_says_nothing_of_protocols_fidelities_and_optima(result, tmp_path, read):
    text = report(result([{"accuracy": 0.5}]), tmp_path, read).text
    assert not [word for word in ("(free)", "(queried)", "Fidelity", "fidelity", "epochs", "optimum") if word in text]


def test_a_lucky_best_and_the_recommended_stand_side_by_side_with_all_values(lucky, result, tmp_path, read):
    found = lucky.recommended.number
    assert (lucky.best.number, found % 3) == (2, 1)
    told = (
        f"Best measured: query #2 (accuracy 92, test 72). Recommended: query #{found} (accuracy 85, test {70 + found})"
    )
    assert told in report(lucky, tmp_path, read).text
    # What is the same is told once.
    few = result([dict(record.metrics) for record in lucky.records[:9]])
    assert few.recommended is few.best
    assert "ecommended" not in report(few, tmp_path, read).text


def test_settings_are_listed_and_not_drawn_as_if_data_flowed_through_them(result, tmp_path, read):
    settings = report(result([{"accuracy": 0.5}]), tmp_path, read)
    assert "The best architecture as a graph" not in settings.html
    assert "Best architecture" in settings.text
    cell = report(result([{"accuracy": 0.5}], space=NASBench201()), tmp_path, read)
    assert "The best architecture as a graph" in cell.html
    for page in (settings, cell):
        assert page.tags.count("dt") - page.tags.count("dl") > 1


def test_each_of_a_hundred_decisions_has_a_column_that_scrolls_in_its_box(result, tmp_path, read):
    space = FlatSpace({f"block{i}.kernel": [1, 3] for i in range(130)})
    page = report(result([{"accuracy": 0.5}, "a reason"], space=space), tmp_path, read)
    table = page.html[page.html.index('class="trials"') :]
    assert table.count("<th ") == 4 + MOST_COLUMNS
    assert table.count('class="choice"') == 2 * MOST_COLUMNS
    assert "10 more decisions are in result.json" in page.text
    assert ("div", "class", "scroll tall") in page.attributes


def test_curves_importances_and_coordinates_are_shown_where_there_is_data(result, tmp_path, read):
    few = report(result([{"accuracy": 0.5}]), tmp_path, read).text
    assert "Learning curves" not in few
    assert "What matters" not in few
    found = result([{"accuracy": float(n % 3)} for n in range(20)])
    curves = tuple(replace(record, curve={1: 0.1, 2: 0.2}) for record in found.records)
    page = report(replace(found, records=curves), tmp_path, read)
    for heading in ("Learning curves", "What matters", "Decisions and what came of them"):
        assert heading in page.text
    assert "Permutation importance in a proxy" in page.text


def test_a_budget_smaller_than_what_is_there_is_not_exceeded(result, tmp_path, read):
    page = report(result([{"accuracy": 0.5}] * 24, budget=10), tmp_path, read)
    assert "of 10" not in page.text
    assert "24 queries (10 were asked for)" in page.text
