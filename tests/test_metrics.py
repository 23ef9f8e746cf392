from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Limit, Metric, Objective

finite = st.floats(allow_nan=False, allow_infinity=False)
names = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)


@given(metric=names, direction=st.sampled_from(["max", "min"]))
def test_an_objective_reads_back_what_it_writes(metric, direction):
    objective = Objective(metric, direction)
    assert Objective.parse(str(objective)) == objective
    assert Objective.parse(metric, default=direction) == objective


@given(metric=names, bound=st.integers(-999_999, 999_999).map(lambda n: n / 1000), sense=st.sampled_from(["<=", ">="]))
def test_a_limit_reads_back_what_it_writes(metric, bound, sense):
    limit = Limit(metric, float(f"{bound:g}"), sense)
    assert Limit.parse(str(limit)) == limit
    assert Limit.parse(f"  {metric} {sense}\t{limit.bound!r} ") == limit


@pytest.mark.parametrize("text", ["", ":max", "accuracy:", "accuracy:best", "accuracy:max:min", "accuracy: max"])
def test_other_objectives_are_refused(text):
    with pytest.raises(UsageError, match="Expected an objective like 'accuracy:max', got"):
        Objective.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latency",
        "latency<",
        "latency<=",
        "<=3",
        "latency<3",
        "latency==3",
        "latency=<3",
        "latency<=3ms",
        "latency<=nan",
        "latency<=inf",
        "latency<=3 4",
        "latency<=3<=4",
        "latency<=>=4",
        "a b<=3",
    ],
)
def test_other_limits_are_refused(text):
    with pytest.raises(UsageError, match=r"Expected a limit like 'latency_ms<=2.5', got"):
        Limit.parse(text)


@given(value=finite)
def test_gain_points_up_in_the_direction_wanted(value):
    assert Objective("x").gain({"x": value}) == value
    assert Objective("x", "min").gain({"x": value}) == -value


@pytest.mark.parametrize("metrics", [{}, {"x": math.nan}, {"x": math.inf}, {"x": -math.inf}, {"y": 1.0}])
@pytest.mark.parametrize("direction", ["max", "min"])
def test_an_objective_that_was_not_measured_is_worst(metrics, direction):
    assert Objective("x", direction).gain(metrics) == -math.inf
    assert not Goal((Objective("x", direction),)).feasible(metrics)


@given(value=finite, bound=finite)
@example(value=2.5, bound=2.5)
def test_a_limit_is_kept_up_to_the_bound_itself(value, bound):
    assert (Limit("x", bound).violation({"x": value}) <= 0) == (value <= bound)
    assert (Limit("x", bound, ">=").violation({"x": value}) <= 0) == (value >= bound)


@pytest.mark.parametrize("metrics", [{}, {"x": math.nan}, {"y": 0.0}])
@pytest.mark.parametrize("sense", ["<=", ">="])
def test_a_limit_on_a_metric_that_was_not_measured_is_broken(metrics, sense):
    assert Limit("x", 1.0, sense).violation(metrics) == math.inf


def test_infinity_breaks_one_limit_and_keeps_the_other():
    assert Limit("x", 1.0, "<=").violation({"x": math.inf}) == math.inf
    assert Limit("x", 1.0, ">=").violation({"x": math.inf}) == -math.inf


def test_a_goal_names_each_metric_once_objectives_first():
    goal = Goal((Objective("b"), Objective("a", "min")), (Limit("a", 3.0), Limit("c", 1.0), Limit("a", 1.0, ">=")))
    assert goal.metric_names == ("b", "a", "c")


@pytest.mark.parametrize(
    ("objectives", "limits", "message"),
    [
        ((), (), "at least one objective, got none"),
        ((Objective("a"), Objective("a", "min")), (), "Each objective may be given once, got a, a"),
        ((Objective("a"),), (Limit("b", 1.0), Limit("b", 1.0)), "Each limit may be given once"),
    ],
)
def test_an_impossible_goal_does_not_construct(objectives, limits, message):
    with pytest.raises(UsageError, match=message):
        Goal(objectives, limits)


DECLARED = (
    Metric(name="accuracy", direction="max"),
    Metric(name="test_accuracy", direction="max", reported_only=True),
    Metric(name="latency", direction="min", free=True),
)


def test_a_goal_may_read_every_declared_metric_that_is_no_test_value():
    Goal((Objective("accuracy"),), (Limit("latency", 1.0),)).check(DECLARED)


@pytest.mark.parametrize(
    ("goal", "message"),
    [
        (Goal((Objective("accurcy"),)), "Unknown metric 'accurcy'. Did you mean 'accuracy'"),
        (Goal((Objective("accuracy"),), (Limit("energy", 1.0),)), "Unknown metric 'energy'. Choose from: accuracy, "),
        (Goal((Objective("test_accuracy"),)), "'test_accuracy' is reported, never searched on"),
        (Goal((Objective("accuracy"),), (Limit("test_accuracy", 90.0, ">="),)), "is reported, never searched on"),
    ],
)
def test_a_goal_for_other_metrics_is_refused(goal, message):
    with pytest.raises(UsageError, match=message):
        goal.check(DECLARED)


# Few different values, so that ties, duplicates and limits are met often.
value = st.one_of(st.integers(0, 3).map(float), st.sampled_from([math.nan, math.inf, -math.inf]))
measured = st.fixed_dictionaries({}, optional={"a": value, "b": value, "c": value})
goals = st.sampled_from(
    [
        Goal((Objective("a"),)),
        Goal((Objective("a", "min"),), (Limit("b", 1.0),)),
        Goal((Objective("a"), Objective("b", "min"))),
        Goal((Objective("a"), Objective("b", "min"), Objective("c")), (Limit("c", 1.0, ">="), Limit("a", 2.0))),
    ]
)


@given(goal=goals, found=st.lists(measured, max_size=12))
def test_the_front_is_what_the_definition_says(goal, found):
    def dominates(p, q):
        return all(x >= y for x, y in zip(p, q, strict=True)) and p != q

    feasible = [i for i, metrics in enumerate(found) if goal.feasible(metrics)]
    gains = {i: goal.gains(found[i]) for i in feasible}
    optimal = [i for i in feasible if not any(dominates(gains[j], gains[i]) for j in feasible)]
    first_of_equal = [i for i in optimal if not any(gains[j] == gains[i] for j in optimal if j < i)]
    assert goal.front(found) == first_of_equal


@given(found=st.lists(measured, max_size=12))
def test_the_front_of_one_objective_is_the_first_of_the_best(found):
    goal = Goal((Objective("a", "min"),), (Limit("b", 2.0),))
    best = min((m["a"] for m in found if goal.feasible(m)), default=None)
    expected = [] if best is None else [next(i for i, m in enumerate(found) if goal.feasible(m) and m["a"] == best)]
    assert goal.front(found) == expected


@given(goal=goals, found=st.lists(measured, max_size=8), data=st.data())
def test_more_trials_never_make_the_front_worse(goal, found, data):
    more = found + data.draw(st.lists(measured, max_size=4))
    after = [goal.gains(more[i]) for i in goal.front(more)]
    for i in goal.front(found):
        old = goal.gains(found[i])
        assert any(all(x >= y for x, y in zip(new, old, strict=True)) for new in after)


def test_what_does_not_have_an_optional_metric_keeps_its_limit():
    limit = Limit("mem", 0.0, optional=True)
    goal = Goal((Objective("score"),), (limit,))
    assert limit.violation({}) == limit.violation({"mem": math.nan}) == -math.inf
    assert limit.violation({"mem": 2.0}) == 2.0
    assert goal.feasible({"score": 1.0})
    assert not goal.feasible({"score": 1.0, "mem": 0.5})
    assert not goal.feasible({})
    assert Limit("mem", 0.0).violation({}) == math.inf
