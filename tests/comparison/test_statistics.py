"""Paired tests against the reference."""

from __future__ import annotations

import pytest

from optiproxy.comparison.grid import TaskSetting
from optiproxy.comparison.statistics import analyze
from optiproxy.errors import UsageError


def test_a_clear_winner_is_ahead_whichever_is_the_reference(comparison, constant):
    made = comparison(constant(ours=5.0, theirs=4.0), seeds=10)
    ours = {test.measure: test for test in analyze(made).tests}
    assert set(ours) == {"queries_to_optimum", "best_after_50", "best_at_end"}
    best = ours["best_at_end"]
    assert (best.wins, best.ties, best.losses, best.winner, best.effect_size) == (
        10,
        0,
        0,
        "reference",
        pytest.approx(1),
    )
    assert best.p_value == pytest.approx(2 / 2**10)
    assert best.p_corrected == pytest.approx(3 * best.p_value)
    tied = ours["queries_to_optimum"]
    assert (tied.wins, tied.ties, tied.winner, tied.favors, tied.p_value) == (0, 10, "", "", 1)
    theirs = {test.measure: test for test in analyze(made, "theirs").tests}
    assert (theirs["best_at_end"].winner, theirs["best_at_end"].effect_size) == ("rival", pytest.approx(-1))
    with pytest.raises(UsageError, match="Did you mean 'ours'"):
        analyze(made, "our")


def test_few_seeds_support_nothing(comparison, constant):
    found = analyze(comparison(constant(ours=5.0, theirs=4.0), seeds=5)).tests
    assert {test.winner for test in found} == {""}
    assert "reference" in {test.favors for test in found}


def test_lower_is_better_where_that_is_the_aim(comparison, constant):
    setting = TaskSetting(objective="score:min", source="made up")
    (test,) = analyze(comparison(constant(ours=1.0, theirs=2.0), seeds=10, budget=30, setting=setting)).tests
    assert (test.measure, test.winner, test.effect_size) == ("best_at_end", "reference", pytest.approx(1))


PAIRED = [
    "rival",
    "measure",
    "words",
    "pairs",
    "wins",
    "ties",
    "losses",
    "advantage",
    "p",
    "leaning",
    "p_corrected",
    "ahead",
]


def test_the_file_has_the_documented_keys(comparison, constant):
    made = comparison(constant(ours=5.0, theirs=4.0), tasks=("a", "b"), seeds=3)
    content = analyze(made).to_json()
    assert list(content) == ["reference", "level", "tests", "suites", "rankings"]
    assert {tuple(test) for test in content["tests"]} == {(*PAIRED, "task", "at")}
    assert {tuple(test) for test in content["suites"]} == {(*PAIRED, "source", "tasks")}
    keys = ("measure", "words", "tasks", "ranks", "left_out", "friedman", "p", "critical_difference")
    assert {tuple(ranking) for ranking in content["rankings"]} == {keys}
    assert {test["measure"]: test["words"] for test in content["tests"]} == {
        "queries_to_optimum": "queries to the optimum",
        "best_after_50": "best after 50 queries",
        "best_at_end": "best at the end",
    }
