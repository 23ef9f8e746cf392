"""Pools stay pools: whatever is asked of one, members come back."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.errors import UsageError
from optiproxy.spaces import FlatSpace, Float, Int, NASBench201, RestrictedSpace
from optiproxy.spaces.pool import NEIGHBOURS, PoolSpace
from optiproxy.testing import SpaceConformance

CELLS = NASBench201()
FLAT = FlatSpace({"a": [1, 2, 3], "b": [1, 2, 3], "c": ["x", "y"]})


def pool_of_cells(n, seed=0):
    drawn = CELLS.sample(np.random.default_rng(seed), n)
    return PoolSpace(CELLS, list(dict.fromkeys(map(CELLS.canonical, drawn))))


@pytest.fixture(scope="module")
def cells():
    return pool_of_cells(400)


class TestPoolOfCells(SpaceConformance):
    @pytest.fixture
    def space(self):
        return pool_of_cells(300)


class TestPoolOfOne(SpaceConformance):
    @pytest.fixture
    def space(self):
        return PoolSpace(FLAT, [(2, 0, 1)], name="the-only-one")


class TestPoolWithManyChoices(SpaceConformance):
    """More positions than one byte holds."""

    @pytest.fixture
    def space(self):
        return PoolSpace(FlatSpace({"a": range(260), "b": range(3)}), [(i, i % 3) for i in range(0, 260, 7)])


def _scales():
    return FlatSpace(
        {"rate": Float(1e-4, 1e-1, log=True), "width": Int(1, 1000), "kind": ["x", "y"], "size": Int(1, 4)}
    )


class TestPoolOfNumbers(SpaceConformance):
    @pytest.fixture
    def space(self):
        return PoolSpace(_scales(), _scales().sample(np.random.default_rng(0), 50))


def test_near_members_are_near_on_their_scales():
    space = FlatSpace({"rate": Float(0.0, 1.0), "kind": ["x", "y"]})
    members = [space.architecture({"rate": rate, "kind": kind}) for rate in (0.1, 0.2, 0.9) for kind in "xy"]
    pool = PoolSpace(space, members)
    near = pool.neighbours(space.architecture({"rate": 0.1, "kind": "x"}))
    assert [tuple(pool.values(a).values()) for a in near] == [
        (0.2, "x"),
        (0.9, "x"),
        (0.1, "y"),
        (0.2, "y"),
        (0.9, "y"),
    ]
    # Between two of them the nearer one is the likelier.
    weights = space.one_hot([space.architecture({"rate": 0.16, "kind": "y"})])
    (likeliest,) = pool.draw(weights, 0, torch.Generator())
    assert pool.values(likeliest) == {"rate": 0.2, "kind": "y"}


def test_members_are_kept_once_in_canonical_form_and_in_order(cells):
    members = list(cells.everything())
    assert members == sorted(set(map(CELLS.canonical, members)))
    assert len(members) == cells.size == len(cells.members)
    assert members == [tuple(row) for row in cells.members.tolist()]
    with pytest.raises(ValueError, match="read-only"):
        cells.members[0, 0] = 1


def test_exactly_what_is_isomorphic_to_a_member_is_valid(cells):
    members = set(cells.everything())
    for architecture in product(range(5), repeat=6):
        assert cells.is_valid(architecture) == (CELLS.canonical(architecture) in members)
        assert cells.canonical(architecture) == CELLS.canonical(architecture)


def test_what_the_base_rules_out_is_no_member():
    base = RestrictedSpace(FLAT, lambda a: a[0] != 0)
    with pytest.raises(UsageError, match=r"entry 1 is none: \(0, 1, 1\)"):
        PoolSpace(base, [(1, 1, 1), (0, 1, 1)])
    assert not PoolSpace(base, [(1, 1, 1)]).is_valid((0, 1, 1))


@pytest.mark.parametrize("architecture", [(0, 1), (0, 1, 2, 3), (), (-1, 0, 0), (300, 0, 0)])
def test_what_is_no_architecture_at_all_is_not_valid(architecture):
    assert not PoolSpace(FLAT, [(0, 1, 1), (1, 1, 1)]).is_valid(architecture)


@given(seed=st.integers(0, 1000), n=st.integers(0, 50))
def test_whatever_is_drawn_is_a_member(cells, seed, n):
    members = set(cells.everything())
    assert len(cells.sample(np.random.default_rng(seed), n)) == n
    assert len(cells.examples(np.random.default_rng(seed), n)) == n
    assert members.issuperset(cells.sample(np.random.default_rng(seed), n))
    chances = torch.rand(3, 6, 5, generator=torch.Generator().manual_seed(seed)).softmax(-1)
    drawn = cells.draw(chances, n, torch.Generator().manual_seed(seed))
    assert len(drawn) == 3 * (n + 1)
    assert members.issuperset(drawn)
    assert drawn == cells.draw(chances, n, torch.Generator().manual_seed(seed))


def test_every_member_is_sampled():
    pool = PoolSpace(FLAT, [(0, 0, 0), (1, 2, 1), (2, 2, 0)])
    counts = [pool.sample(np.random.default_rng(0), 3000).count(member) for member in pool.everything()]
    assert min(counts) > 900


def test_the_likeliest_member_comes_first(cells):
    """Certain of a member: that member. Certain of what is no member: the nearest."""
    for architecture in CELLS.sample(np.random.default_rng(1), 30):
        chances = CELLS.one_hot([architecture]) * 0.9 + 0.02
        first = cells.draw(chances, 0, torch.Generator())
        apart = {m: sum(a != b for a, b in zip(m, architecture, strict=True)) for m in cells.everything()}
        assert len(first) == 1
        assert apart[first[0]] == min(apart.values())


def test_certainty_without_any_doubt_is_no_trouble(cells):
    """One-hot chances leave probability zero to almost every member; the likeliest are still the nearest."""
    member = next(cells.everything())
    drawn = cells.draw(CELLS.one_hot([member]), 5, torch.Generator().manual_seed(0))
    assert drawn[0] == drawn[1] == member
    assert len(set(drawn)) == 5


def test_members_are_drawn_in_proportion_to_their_likelihood():
    """Two of three members, chances 0.6 and 0.2 against 0.2: the first draw follows them."""
    pool = PoolSpace(FlatSpace({"a": [1, 2, 3, 4]}), [(0,), (1,), (3,)])
    chances = torch.tensor([[[0.3, 0.1, 0.5, 0.1]]]).expand(5000, 1, 4)
    drawn = pool.draw(chances, 1, torch.Generator().manual_seed(0))[5000:]
    assert drawn.count((0,)) / 5000 == pytest.approx(0.6, abs=0.03)
    assert drawn.count((1,)) / 5000 == pytest.approx(0.2, abs=0.03)


def test_drawn_members_are_distinct_and_no_more_than_there_are():
    pool = PoolSpace(FLAT, [(0, 0, 0), (1, 2, 1), (2, 2, 0)])
    drawn = pool.draw(torch.full((1, 3, 3), 1 / 3), 8, torch.Generator().manual_seed(0))
    assert sorted(drawn[1:]) == list(pool.everything())


def test_neighbours_are_the_nearest_other_members(cells):
    for architecture in [*cells.sample(np.random.default_rng(2), 5), *CELLS.sample(np.random.default_rng(3), 5)]:
        near = cells.canonical(architecture)
        found = cells.neighbours(architecture)
        apart = {m: sum(a != b for a, b in zip(m, near, strict=True)) for m in cells.everything() if m != near}
        assert len(found) == NEIGHBOURS == len(set(found))
        assert near not in found
        assert [apart[m] for m in found] == sorted(apart.values())[:NEIGHBOURS]
        assert found == cells.neighbours(near)


def test_of_a_small_pool_every_other_member_is_a_neighbour():
    pool = PoolSpace(FLAT, [(0, 0, 0), (1, 2, 1), (2, 2, 0)])
    assert pool.neighbours((0, 0, 0)) == [(2, 2, 0), (1, 2, 1)]
    assert PoolSpace(FLAT, [(0, 0, 0)]).neighbours((0, 0, 0)) == []


def test_the_fingerprint_is_of_the_members_and_not_of_their_order():
    pool = PoolSpace(FLAT, [(0, 0, 0), (1, 2, 1)])
    assert pool.fingerprint == PoolSpace(FLAT, np.array([(1, 2, 1), (0, 0, 0)])).fingerprint
    different = [
        PoolSpace(FLAT, [(0, 0, 0)]),
        PoolSpace(FLAT, [(0, 0, 0), (1, 2, 0)]),
        PoolSpace(FLAT, [(0, 0, 0), (1, 2, 1)], name="other"),
        FLAT,
    ]
    assert pool.fingerprint not in {space.fingerprint for space in different}


@pytest.mark.parametrize(
    ("architectures", "message"),
    [
        ([], "A pool needs at least one architecture, got none"),
        ([(0, 0, 0), (0, 0)], "one position for each of the 3 decisions of flat, got 2"),
        ([(0, 0, 0, 0)], "one position for each of the 3 decisions of flat, got 4"),
        ([(0, 0, 0), (0, 3, 0)], r"entry 1 is none: \(0, 3, 0\)"),
        ([(0, 0, -1)], r"entry 0 is none: \(0, 0, -1\)"),
        ([(0.5, 0, 0)], "whole numbers from 0, got float64"),
        ([("x", "y", "z")], "whole numbers from 0, got <U1"),
        ([(1, 1, 1), (0, 0, 0), (1, 1, 1)], "Entries 0 and 2 of the pool are the same network"),
        (np.zeros((0, 3), dtype=int), "A pool needs at least one architecture, got none"),
    ],
)
def test_what_is_no_pool_is_refused(architectures, message):
    with pytest.raises(UsageError, match=message):
        PoolSpace(FLAT, architectures)


def test_isomorphic_members_are_refused():
    """A benchmark that trained one network twice has two values for it: which one counts is not the space's to say."""
    twins = [(1, 2, 0, 3, 4, 2), (1, 2, 0, 4, 3, 2)]
    assert CELLS.canonical(twins[0]) == CELLS.canonical(twins[1])
    with pytest.raises(UsageError, match="Entries 0 and 1 of the pool are the same network"):
        PoolSpace(CELLS, twins)


def test_members_may_have_numbers_of_many_values():
    space = FlatSpace({"rate": Float(1e-4, 1e-1, log=True), "width": Int(1, 1000)})
    members = space.sample(np.random.default_rng(0), 30)
    pool = PoolSpace(space, members)
    assert sorted(members) == list(pool.everything())
    assert all(pool.is_valid(architecture) for architecture in members)
    assert set(pool.neighbours(members[0])) == set(members[1:])
    assert pool.enumerable(30)
    assert not pool.enumerable(29)
