"""Comparisons of one or several grids."""

from __future__ import annotations

from dataclasses import replace

import pytest

from optiproxy.comparison.comparison import Comparison
from optiproxy.comparison.grid import TaskSetting
from optiproxy.comparison.statistics import analyze
from optiproxy.errors import StudyError
from optiproxy.task.protocol import QueryProtocol

UP = TaskSetting(objective="score:max", test="test", optimum=9.0, source="made up")


def test_several_comparisons_are_one_over_all_of_their_tasks(comparison, constant):
    first = comparison(constant(ours=5.0, theirs=4.0), tasks=("a", "b"), seeds=3)
    second = comparison(constant(slow=6.0), tasks=("b", "c"), algorithms=("slow",), seeds=2, budget=20)
    joined = Comparison.joined([first, second])
    assert joined.tasks == ("a", "b", "c")
    assert joined.algorithms == ("ours", "theirs", "slow")
    assert joined.on("b") == ("ours", "theirs", "slow")
    assert joined.on("c") == ("slow",)
    assert (joined.common_queries("a", joined.on("a")), joined.common_queries("b", joined.on("b"))) == (60, 20)
    assert joined.common_queries("b", ("ours", "theirs")) == 60
    assert joined.runs("b", "slow").seeds == (0, 1)
    assert joined.summaries["b"]["ours"] == first.summaries["b"]["ours"]
    tests = {(test.task, test.rival, test.measure): test for test in analyze(joined).task_tests}
    assert tests["b", "slow", "best_at_end"].pairs == 2
    assert tests["b", "slow", "best_at_end"].at == 20
    assert ("b", "slow", "best_after_50") not in tests
    assert tests["b", "theirs", "best_after_50"].at == 50
    assert not [key for key in tests if key[0] == "c"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, r"ours has searched a with the same seeds in two"),
        ({"algorithms": ("new",), "version": "2"}, "optiproxy 1 and 2 are not mixed"),
        ({"algorithms": ("new",), "setting": replace(UP, source="elsewhere")}, "source of a: made up, now elsewhere"),
    ],
)
def test_what_does_not_go_together_is_refused(comparison, changes, told, constant):
    settings = {"algorithms": ("ours",), **changes}
    with pytest.raises(StudyError, match=told):
        Comparison.joined(
            [comparison(constant(ours=5.0), algorithms=("ours",)), comparison(lambda *_: [1.0], **settings)]
        )


def test_promoted_searches_of_different_budgets_have_nothing_in_common(comparison):
    setting = replace(UP, protocol=QueryProtocol(fidelity=12, promote=5, full=200))
    parts = [
        comparison(lambda *_: [1.0], algorithms=(name,), budget=budget, setting=setting)
        for name, budget in (("ours", 20), ("theirs", 30))
    ]
    with pytest.raises(StudyError, match="lower fidelity with budgets of 20 and 30"):
        Comparison.joined(parts)
