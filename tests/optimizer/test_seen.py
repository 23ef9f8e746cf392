from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.optimizer.seen import ENUMERABLE, Seen
from optiproxy.spaces import FlatSpace, Float, Int, NASBench201, RestrictedSpace


@pytest.fixture(scope="module")
def cells() -> NASBench201:
    return NASBench201()


def test_knowing_one_is_knowing_all_isomorphic_ones(cells):
    rng = np.random.default_rng(0)
    known = Seen(cells)
    for architecture in cells.sample(rng, 50):
        known.add(architecture)
        assert architecture in known
        assert cells.canonical(architecture) in known
    assert len(known) == len({cells.canonical(a) for a in cells.sample(np.random.default_rng(0), 50)})


def test_plus_leaves_the_first_set_alone():
    space = FlatSpace({"a": [0, 1, 2]})
    known = Seen(space, [(0,)])
    more = known.union([(1,)])
    assert ((1,) in more, (0,) in more, (1,) in known) == (True, True, False)


@given(st.integers(0, 24), st.integers(1, 30), st.integers(0, 5))
def test_draws_exactly_what_is_left(known, wanted, seed):
    space = FlatSpace({"a": [*range(4)], "b": [*range(6)]})
    rng = np.random.default_rng(seed)
    everything = [(a, b) for a in range(4) for b in range(6)]
    first = [everything[i] for i in rng.permutation(24)[:known]]
    drawn = Seen(space, first).draw(rng, wanted)
    assert len(drawn) == len(set(drawn)) == min(wanted, 24 - known)
    assert not set(drawn) & set(first)


def test_remaining_counts_the_classes_of_the_whole_space(cells):
    assert len(Seen(cells).remaining()) == 6466
    assert len(Seen(cells, [(0,) * 6, (3,) * 6]).remaining()) == 6464


def test_finds_the_only_valid_architecture_of_many():
    space = RestrictedSpace(FlatSpace({str(d): [*range(6)] for d in range(6)}), lambda a: a == (5, 4, 3, 2, 1, 0))
    known = Seen(space)
    assert space.size <= ENUMERABLE
    assert known.draw(np.random.default_rng(0), 3) == [(5, 4, 3, 2, 1, 0)]
    known.add((5, 4, 3, 2, 1, 0))
    assert known.draw(np.random.default_rng(0), 3) == []


def test_a_space_too_large_to_enumerate_is_drawn_from_only():
    space = FlatSpace({str(d): [*range(10)] for d in range(8)})
    assert Seen(space).remaining() == []
    assert len(Seen(space).draw(np.random.default_rng(0), 5)) == 5


def test_fresh_keeps_the_first_of_isomorphic_candidates(cells):
    twins = [a for a in cells.sample(np.random.default_rng(1), 200) if cells.canonical(a) != a][:1]
    candidates = [*twins, cells.canonical(twins[0])]
    assert Seen(cells).unseen(candidates) == twins


def test_a_number_of_many_values_is_drawn_to_its_last_but_a_continuous_one_is_never_gone_through(monkeypatch):
    whole = FlatSpace({"width": Int(1, 100)})
    known = Seen(whole, [(i,) for i in range(97)])
    assert sorted(known.draw(np.random.default_rng(0), 9)) == [(97,), (98,), (99,)]
    continuous = FlatSpace({"rate": Float(1.0, 1.007, log=True)})  # 71 values, and so within the limit
    monkeypatch.setattr(FlatSpace, "everything", lambda _: pytest.fail("gone through"))
    assert Seen(continuous).remaining() == []
