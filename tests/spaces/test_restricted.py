"""However few architectures keep the rules and the limits, they are found (case S5 of the reported mistakes)."""

from __future__ import annotations

import pickle
from itertools import islice, pairwise
from math import comb

import numpy as np
import pytest

import optiproxy
from optiproxy.errors import SearchFailed, UsageError
from optiproxy.optimizer.seen import ENUMERABLE, Seen
from optiproxy.spaces import FlatSpace, Float, Int, NASBench201, RestrictedSpace
from optiproxy.spaces.published.nasbench101 import NASBench101
from optiproxy.testing import SpaceConformance

NAMES = [f"w{i}" for i in range(12)]
FIVES = {name: [1, 2, 3, 4, 5] for name in NAMES}
FOURS = FlatSpace({name: [1, 2, 3, 4] for name in NAMES})
RARE = FOURS.where(lambda values: sum(values.values()) <= 14)


def size(architecture):
    return float(sum(architecture.values()))


def drawn_one_by_one(space, n):
    seen, found = Seen(space), []
    for seed in range(n):
        (architecture,) = seen.draw(np.random.default_rng(seed), 1)
        seen.add(architecture)
        found.append(architecture)
    assert len(set(map(space.canonical, found))) == n
    assert all(map(space.is_valid, found))
    return found


class TestRareMembers(SpaceConformance):
    @pytest.fixture
    def space(self):
        return RARE


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("bound", [24, 18, 14])
def test_a_limit_that_hardly_any_keeps_costs_no_training(seed, bound):
    """Shares of 0.9 %, one in 13,000 and one in 2.7 million."""
    result = optiproxy.search(
        FIVES,
        lambda a: float(a["w0"]),
        budget=3,
        seed=seed,
        algorithm="random",
        free={"size": size},
        limits=[f"size<={bound}"],
    )
    assert (len(result.records), result.stopped) == (3, "budget")
    assert all(record.metrics["size"] <= bound for record in result.records)
    assert len({record.architecture for record in result.records}) == 3


@pytest.mark.slow
def test_the_method_keeps_such_a_limit_too_and_still_climbs():
    """In three searches of 15 trainings it climbs to more than random search does, and trains nothing that is too large."""
    reached = {"optiproxy": 0.0, "random": 0.0}
    for algorithm in reached:
        for seed in range(3):
            result = optiproxy.search(
                FIVES,
                lambda a: float(a["w0"] - a["w5"]),
                budget=15,
                seed=seed,
                algorithm=algorithm,
                free={"size": size},
                limits=["size<=18"],
            )
            assert (len(result.records), result.stopped) == (15, "budget")
            assert all(record.metrics["size"] <= 18 for record in result.records)
            reached[algorithm] += result.best.metrics["accuracy"]
    assert reached["optiproxy"] > reached["random"]


@pytest.mark.parametrize(
    "rule",
    [
        lambda v: sum(v.values()) <= 14,
        lambda v: sum(v.values()) >= 46,
        lambda v: all(v[a] <= v[b] for a, b in pairwise(NAMES)),
        lambda v: all(v[name] == 1 + i % 4 for i, name in enumerate(NAMES[:9])) and v["w9"] < 4,
    ],
    ids=["few", "many", "sorted", "nearly one"],
)
def test_rules_that_few_in_a_million_keep(rule):
    drawn_one_by_one(FOURS.where(rule), 20)


def test_all_that_keep_a_rule_are_found_and_then_no_more():
    space = FOURS.where(lambda values: values["w0"] == 2).where(lambda values: sum(values.values()) <= 14)
    assert space.size > ENUMERABLE
    found = drawn_one_by_one(space, 12)
    # Of the eleven others at most one is 2, which is sum 13 or 14.
    assert set(found) == {(1, *row) for row in [(0,) * 11, *(tuple(map(int, unit)) for unit in np.eye(11))]}


@pytest.mark.slow
def test_then_a_long_search_finds_no_more():
    space = FOURS.where(lambda values: sum(values.values()) in {13, 47})
    found = drawn_one_by_one(space, 24)
    assert {size(space.values(a)) for a in found} == {13, 47}
    assert Seen(space, found).draw(np.random.default_rng(0), 1) == []


@pytest.mark.slow
def test_members_that_lie_apart_are_met_by_many_draws():
    """2,000 of 4^12, of which no two are near."""
    members = set(map(tuple, np.random.default_rng(5).integers(1, 5, size=(2000, 12)).tolist()))
    drawn_one_by_one(FOURS.where(lambda values: tuple(values.values()) in members), 40)


@pytest.mark.slow
def test_walks_draw_nearly_alike():
    """Where 0.9 % keep a limit: the sums of independent samples have the distribution of all that keep it."""
    bound, n = 24, 400
    space = FlatSpace(FIVES).where(lambda values: sum(values.values()) <= bound)
    sums = [size(space.values(space.sample(np.random.default_rng(seed), 1)[0])) for seed in range(n)]
    # Of s - 12 units over 12 decisions none has more than 4: inclusion and exclusion.
    ways = {
        s: sum((-1) ** j * comb(12, j) * comb(s - 12 - 5 * j + 11, 11) for j in range(13) if s - 12 - 5 * j >= 0)
        for s in range(12, bound + 1)
    }
    assert sum(ways.values()) == 2_105_506
    for s in (bound, bound - 1, bound - 2):
        share = ways[s] / sum(ways.values())
        # Four standard deviations of a binomial share.
        assert abs(sums.count(s) / n - share) < 4 * np.sqrt(share * (1 - share) / n)


@pytest.mark.slow
def test_samples_do_not_depend_on_what_was_asked_before():
    def space():
        return FOURS.where(lambda values: sum(values.values()) <= 14)

    asked = space()
    list(islice(asked.reach(), 80))
    asked.sample(np.random.default_rng(1), 7)
    assert asked.sample(np.random.default_rng(0), 5) == space().sample(np.random.default_rng(0), 5)
    assert list(islice(asked.reach(), 50)) == list(islice(space().reach(), 50))


def test_the_way_in_is_downhill_and_the_base_comes_first():
    base = RestrictedSpace(FlatSpace({"a": Int(0, 9), "b": Int(0, 9)}), lambda a: a[0] > 4)
    space = RestrictedSpace(base, lambda a: a[1] > 4, violation=lambda a: 5.0 - a[1])
    assert space.violation((5, 5)) == 0
    assert 0 < space.violation((5, 4)) < space.violation((5, 1)) <= 1 < space.violation((4, 4))


def test_a_rule_that_stops_early_says_how_far_it_gets():
    space = FlatSpace({"a": [1, 2], "b": [1, 2]}).where(lambda v: v["a"] == 2 and v["b"] == 2)
    assert 0 == space.violation((1, 1)) < space.violation((1, 0)) < space.violation((0, 1)) == space.violation((0, 0))


def test_numbers_are_walked_too():
    space = FlatSpace({"rate": Float(1e-5, 1, log=True), "decay": Float(1e-5, 1, log=True), "width": Int(1, 1000)})
    ruled = space.where(lambda v: v["rate"] < 2e-5).where(lambda v: v["decay"] < 2e-5).where(lambda v: v["width"] > 990)
    drawn_one_by_one(ruled, 20)


@pytest.mark.slow
@pytest.mark.parametrize("base", [NASBench201(), NASBench101()], ids=["nasbench201", "nasbench101"])
def test_isomorphic_architectures_stay_one(base):
    (only,) = base.sample(np.random.default_rng(3), 1)
    near = {base.canonical(a) for a in [only, *base.neighbours(only)] if base.is_valid(a)}
    space = RestrictedSpace(
        base, lambda a: a in near, violation=lambda a: sum(x != y for x, y in zip(a, only, strict=True))
    )
    assert set(map(space.canonical, drawn_one_by_one(space, 5))) <= near


def test_a_copy_searches_by_itself():
    space = RestrictedSpace(FOURS, _first_is_one_and_the_rest_too)
    known = list(islice(space.reach(), 3))
    assert list(islice(pickle.loads(pickle.dumps(space)).reach(), 3)) == known


def _first_is_one_and_the_rest_too(architecture):
    return sum(architecture) <= 1


@pytest.mark.parametrize("algorithm", ["random", pytest.param("optiproxy", marks=pytest.mark.slow)])
def test_a_limit_that_nothing_keeps_is_named_with_the_nearest(algorithm):
    space = {name: [1, 2, 3, 4, 5] for name in NAMES[:6]}
    with pytest.raises(
        SearchFailed, match=r"keeps size<=5 among [\d,]+ that were measured; the smallest has 6\. Loosen"
    ):
        optiproxy.search(space, lambda _: 0.0, budget=3, algorithm=algorithm, free={"size": size}, limits=["size<=5"])


@pytest.mark.slow
def test_a_rule_that_nothing_keeps_is_named_with_what_was_tried():
    with pytest.raises(
        SearchFailed, match=r"'flat' that keeps its rules, among [\d,]{9} combinations .* optiproxy.PoolSpace"
    ):
        optiproxy.search(FOURS.where(lambda _: False), lambda _: 0.0, budget=3, algorithm="random")


def test_a_rule_that_fails_is_named_wherever_it_is_asked():
    space = FOURS.where(lambda values: values["w1"] / 0 > 1)
    for ask in (space.is_valid, space.violation):
        with pytest.raises(UsageError, match=r"The rule fails for \{'w0': 1, .*ZeroDivisionError"):
            ask((0,) * 12)
