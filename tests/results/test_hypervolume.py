"""The box and its share: identities, an independent count, and what a search makes of them."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.results.hypervolume import Box
from optiproxy.searching.load import load
from optiproxy.searching.search import search

GOALS = {
    2: Goal((Objective("a"), Objective("b", "min"))),
    3: Goal((Objective("a"), Objective("b", "min"), Objective("c")), (Limit("c", 1.0, ">="),)),
    4: Goal((Objective("a"), Objective("b", "min"), Objective("c"), Objective("d", "min"))),
}
SIDE = 4
"""Values are whole numbers below it, so that volumes can be counted in unit cubes."""

value = st.integers(0, SIDE).map(float)
measured = st.fixed_dictionaries({"a": value, "b": value, "c": value}, optional={"d": value})
searches = st.tuples(st.sampled_from([*GOALS]), st.lists(measured, max_size=8))


def cubes(goal, box, found):
    """How many unit cubes of the box, and how many of these are dominated."""
    sides = []
    for objective, worst, best in zip(goal.objectives, box.reference, box.ideal, strict=True):
        low, high = sorted(objective.gain({objective.metric: x}) for x in (worst, best))
        sides.append([low + i + 0.5 for i in range(int(high - low))] or [low])
    gains = [goal.gains(metrics) for metrics in found if goal.feasible(metrics)]
    inside = [*product(*sides)]
    won = sum(any(all(g >= x for g, x in zip(p, cube, strict=True)) for p in gains) for cube in inside)
    return won / len(inside)


@given(searches)
def test_the_share_is_the_share_of_the_cubes_below_the_front(told):
    objectives, found = told
    goal = GOALS[objectives]
    box = Box.around(goal, found)
    if box is None:
        assert goal.front(found) == []
        return
    assert box.share(found) == pytest.approx(cubes(goal, box, found))
    assert box.share([found[i] for i in goal.front(found)]) == pytest.approx(box.share(found))
    assert box.share([]) == 0.0


@given(searches)
def test_the_curve_never_falls_and_ends_at_the_share(told):
    objectives, found = told
    box = Box.around(GOALS[objectives], found)
    if box is not None:
        curve = box.curve(found)
        assert all(before <= after + 1e-12 for before, after in pairwise(curve))
        assert curve[-1] == box.share(found)
        assert 0 <= min(curve) <= max(curve) <= 1


@pytest.mark.slow
@given(searches, st.floats(0.01, 100), st.floats(-1000, 1000))
def test_units_do_not_matter(told, factor, offset):
    objectives, found = told
    goal = GOALS[objectives]
    changed = [metrics | {"b": factor * metrics["b"] + offset} for metrics in found]
    before, after = Box.around(goal, found), Box.around(goal, changed)
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        assert after.share(changed) == pytest.approx(before.share(found), abs=1e-6)


def test_what_lies_beyond_the_box_counts_up_to_its_sides():
    box = Box(GOALS[2], reference=(0.0, 10.0), ideal=(4.0, 0.0))
    assert box.share([{"a": 9.0, "b": 5.0}]) == pytest.approx(0.5)
    assert box.share([{"a": -1.0, "b": 5.0}, {"a": 2.0, "b": 99.0}]) == 0.0


def test_one_trial_fills_its_box():
    box = Box.around(GOALS[2], [{"a": 1.0, "b": 2.0}])
    assert box is not None
    assert (box.reference, box.ideal) == ((1.0, 2.0), (1.0, 2.0))
    assert (box.share([{"a": 1.0, "b": 2.0}]), box.share([])) == (1.0, 0.0)


SPACE = {"width": [1, 2, 3, 4, 5, 6], "depth": [1, 2, 3, 4], "tail": [0, 1, 2]}
OBJECTIVES = ["accuracy", "cost:min", "memory:min", "energy:min"]


def train(values):
    if values["tail"] == 2 and values["width"] == 1:
        raise RuntimeError("too narrow")
    width, depth, tail = values.values()
    return {"accuracy": width + depth, "cost": width * depth, "memory": width + 2 * tail, "energy": depth * (3 - tail)}


@pytest.mark.slow
@pytest.mark.parametrize(("objectives", "algorithm"), [(2, "regularized-evolution"), (3, "random"), (4, "optiproxy")])
def test_a_search_keeps_the_feasible_front_and_its_hypervolume(objectives, algorithm, tmp_path):
    storage = f"sqlite:///{tmp_path}/s.db"
    result = search(
        SPACE, train, budget=16, objectives=OBJECTIVES[:objectives], limits=["cost<=12"],
        algorithm=algorithm, storage=storage,
    )  # fmt: skip
    measured = [record.metrics for record in result.records]
    assert all(record.metrics["cost"] <= 12 and record.state == "complete" for record in result.front)
    assert {record.number for record in result.front} == {result.records[i].number for i in result.goal.front(measured)}
    assert result.hypervolume == pytest.approx(result.hypervolume_so_far[-1])
    assert len(result.hypervolume_so_far) == len(result.records) == 16
    assert load(storage).hypervolume_so_far == result.hypervolume_so_far


def test_one_objective_has_no_hypervolume():
    result = search(SPACE, train, budget=3, algorithm="random")
    assert (result.box, result.hypervolume, result.hypervolume_so_far) == (None, None, ())


def test_nothing_feasible_has_none_either():
    result = search(SPACE, train, budget=3, algorithm="random", objectives=["accuracy", "cost:min"], limits=["cost<=0"])
    assert (result.box, result.hypervolume, result.hypervolume_so_far) == (None, None, ())


def test_more_objectives_are_refused_before_anything_is_trained():
    with pytest.raises(UsageError, match=r"at most 4 objectives, got 5. Turn some of them into limits"):
        search(SPACE, lambda _: pytest.fail("nothing may be trained"), budget=3, objectives=[*OBJECTIVES, "fifth"])
