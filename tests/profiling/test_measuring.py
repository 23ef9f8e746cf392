from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.errors import DeviceError, UsageError
from optiproxy.metrics import Goal, Limit, Metric, Objective
from optiproxy.profiling.measuring import profile, profile_task
from optiproxy.profiling.profile import Share
from optiproxy.spaces import FlatSpace, Float, Int, NASBench201
from optiproxy.task.task import Source, Task

CHOICES = {"width": [1, 2, 3, 4], "depth": [1, 2, 3], "pool": ["max", "avg"]}


def params(choices):
    return choices["width"] * choices["depth"]


def test_a_small_space_is_gone_through_and_its_shares_are_exact():
    found = profile(CHOICES, free={"params": params}, limits=["params<=4"], budget=10)
    assert found.size == 24
    assert found.valid == Share(24, 24, exact=True)
    within = sum(w * d <= 4 for w in (1, 2, 3, 4) for d in (1, 2, 3)) * 2
    assert found.feasible == found.kept["params<=4"] == Share(within, 24, exact=True)
    assert found.feasible.interval == (within / 24, within / 24)
    assert found.architectures == within
    assert found.values("params") == sorted(float(w * d) for w in (1, 2, 3, 4) for d in (1, 2, 3) for _ in "ma")
    assert found.cautions == ()


def test_nothing_is_trained_and_metrics_that_need_a_training_are_told_apart():
    found = profile(CHOICES, free={"params": params}, limits=["params<=4", "accuracy>=90"])
    assert [str(limit) for limit in found.limits] == ["params<=4"]
    assert [str(limit) for limit in found.queried] == ["accuracy>=90"]


def test_without_free_metrics_there_is_nothing_to_measure():
    found = profile(CHOICES, budget=20, seconds=30)
    assert found.measures == ()
    assert found.seconds_per_measurement is None
    assert found.architectures == 24
    assert found.total_seconds == 600


def test_a_limit_that_leaves_nothing_is_cautioned_against():
    exact = profile(CHOICES, free={"params": params}, limits=["params<=0"], budget=10)
    assert exact.cautions == ("The limits params<=0 leave nothing. Loosen them or widen the space.",)
    large = FlatSpace({f"d{i}": [1, 2, 3, 4] for i in range(10)})
    drawn = profile(large, free={"sum": lambda c: sum(c.values())}, limits=["sum<=9"], budget=100)
    assert drawn.feasible.hits == 0
    assert "nothing, or at most 3.7% of the architectures" in drawn.cautions[0]


def test_a_rare_one_is_told_as_rare():
    choices = {"x": list(range(150))}
    found = profile(choices, free={"x": lambda c: c["x"]}, limits=["x<=0"], samples=150)
    assert found.feasible == Share(1, 150, exact=True)
    assert "Few architectures keep x<=0: 0.7%" in found.cautions[0]


def test_budgets_too_small_and_too_large_are_cautioned_against():
    space = {f"d{i}": [1, 2, 3] for i in range(20)}
    assert "budget of 15 is small for 20 decisions" in profile(space, budget=15).cautions[0]
    assert profile(space, budget=20).cautions == ()
    assert "budget of 25 is more than it takes: only about 24" in profile(CHOICES, budget=25).cautions[0]
    # What is spent on every architecture is not too little.
    assert profile({"x": [1, 2]}, budget=2).cautions == ()


def test_a_huge_space_is_profiled_at_once():
    found = profile({f"d{i}": list(range(10)) for i in range(400)}, budget=1000)
    assert found.size == found.architectures == 10**400


def test_a_space_whose_valid_combinations_are_never_drawn_is_sampled_all_the_same():
    class Rare(FlatSpace):
        """Valid where every decision takes the same choice."""

        def is_valid(self, architecture):
            return len(set(architecture)) == 1

        def sample(self, rng, n):
            return [(choice,) * len(self.decisions) for choice in rng.integers(0, 5, n).tolist()]

    space = Rare({f"d{i}": list(range(5)) for i in range(30)})
    found = profile(space, free={"one": lambda _: 1.0}, samples=5)
    assert found.valid.hits == 0
    assert len(found.measured) == 5
    assert found.architectures is None
    assert found.valid.interval[1] < 0.005


def test_isomorphic_architectures_are_measured_once_and_counted_each():
    measured = []
    found = profile(NASBench201(), free={"one": lambda c: measured.append(tuple(c.values())) or 1.0}, samples=200)
    assert len(measured) == len(set(measured)) < 200
    assert len(found.measured) == len(found.values("one")) == 200


def test_what_cannot_be_measured_counts_as_infeasible_and_is_told():
    def cost(choices):
        if choices["pool"] == "max":
            raise RuntimeError("shapes do not fit")
        return math.inf if choices["width"] == 1 else 1.0

    found = profile(CHOICES, free={"cost": cost}, limits=["cost<=2"])
    assert found.feasible == Share(9, 24, exact=True)
    assert found.cautions == ("12 of 24 architectures could not be measured: RuntimeError: shapes do not fit.",)


def test_a_device_that_is_gone_is_told_at_once():
    asked = []

    def board(choices):
        asked.append(choices)
        raise DeviceError("The board is off.")

    with pytest.raises(DeviceError, match="board is off"):
        profile(CHOICES, free={"ms": board})
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"budget": 0}, "budget of at least 1, got 0"),
        ({"samples": 0}, "samples of at least 1, got 0"),
        ({"seconds": 0.0}, "more than 0 seconds for one training, got 0"),
        ({"limits": ["params"]}, "Expected a limit like"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, told):
    with pytest.raises(UsageError, match=told):
        profile(CHOICES, **arguments)


class Queried(Task):
    """A task whose latency is to be learned by queries, and that is searched at a lower fidelity."""

    name = "queried"
    space = FlatSpace(CHOICES)
    metrics = (
        Metric(name="accuracy", direction="max"),
        Metric(name="params", direction="min", free=True),
        Metric(name="latency", direction="min", free=True),
    )
    goal = Goal((Objective("accuracy"),), (Limit("latency", 3.0),))
    source = Source("made", "up")
    queried = ("latency",)
    fidelities = (10, 50)
    search_fidelity = 10
    promote = 4

    def evaluate(self, architecture, *, seed=0, fidelity=None):
        raise AssertionError("a profile evaluates nothing")

    def free_metrics(self, architecture):
        return {"params": 1.0, "latency": float(architecture[0])}


def test_what_a_search_has_to_query_is_not_looked_at_unless_it_is_free():
    blind, knowing = (profile_task(Queried(), free=free) for free in ((), ("latency",)))
    assert [metric.name for metric in blind.measures] == ["params"]
    assert all(found.keys() == {"params"} for found in blind.measured)
    assert ([*blind.limits], [*map(str, blind.queried)]) == ([], ["latency<=3"])
    assert [metric.name for metric in knowing.measures] == ["params", "latency"]
    assert [*map(str, knowing.limits)] == ["latency<=3"]


def test_promotions_cost_as_much_as_their_fidelity():
    assert profile_task(Queried(), budget=20, seconds=1.0).total_seconds == 20 + 4 * 5


@given(st.integers(1, 2000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_the_share_and_shrinks_with_more_draws(share):
    hits, of = share
    low, high = Share(hits, of).interval
    assert 0 <= low <= hits / of <= high <= 1
    again = Share(100 * hits, 100 * of).interval
    assert again[1] - again[0] < high - low


def test_an_interval_covers_the_truth_as_often_as_it_says():
    n, p = 60, 0.1
    chances = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    covered = sum(c for k, c in enumerate(chances) if Share(k, n).interval[0] <= p <= Share(k, n).interval[1])
    assert 0.93 < covered < 0.98


def test_numbers_are_drawn_and_a_continuous_one_is_never_gone_through(monkeypatch):
    monkeypatch.setattr(FlatSpace, "everything", lambda _: pytest.fail("gone through"))
    space = FlatSpace({"rate": Float(1.0, 1.007, log=True)})  # 71 values, fewer than are drawn
    found = profile(space, free={"rate": lambda values: values["rate"]}, limits=["rate<=1.0035"], budget=5)
    assert found.continuous == 1
    assert found.architectures is None
    assert not found.valid.exact
    assert 0.3 < found.feasible.value < 0.7
    assert found.cautions == (
        "A budget of 5 is small for 1 decision: with fewer than about 10 queries, no algorithm learns what each of them does.",
    )


def test_whole_numbers_are_counted_however_many():
    found = profile({"width": Int(1, 90)}, free={"width": lambda v: v["width"]}, limits=["width<=30"], samples=90)
    assert (found.continuous, found.size, found.architectures) == (0, 90, 30)
    assert found.feasible == Share(30, 90, exact=True)
