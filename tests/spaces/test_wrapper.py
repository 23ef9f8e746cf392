"""A wrapper is the space around which it stands but for what it says otherwise (case S13 of the reported mistakes)."""

from __future__ import annotations

import inspect
from itertools import combinations, product

import numpy as np
import pytest
import torch

from optiproxy.errors import UsageError
from optiproxy.nn import Value
from optiproxy.spaces import DistinctSpace, FlatSpace, NASBench201, PoolSpace, RestrictedSpace, Space, SpaceWrapper
from optiproxy.spaces.published.nasbench101 import NASBench101

FLAT = FlatSpace({"a": [1, 2, 3], "b": [1, 2, 3]})
SOME = PoolSpace(FLAT, [(0, 0), (1, 2), (2, 1)])
OTHERS = PoolSpace(FLAT, [(0, 1), (1, 2), (2, 1)])


def own_network():
    return Space.from_model(lambda: torch.nn.Linear(Value([2, 3, 4], name="width"), Value([1, 5], name="out")))


def is_final(member):
    return getattr(member, "__final__", False) or getattr(getattr(member, "fget", None), "__final__", False)


ON_THE_WRAPPER = {"where"}
"""A rule restricts the wrapper, with all that it has changed, and not its base."""

CONTRACT = {
    name: member
    for name, member in vars(Space).items()
    if not name.startswith(("_", "from_")) and not is_final(member) and name not in ON_THE_WRAPPER
}


def test_the_contract_is_what_a_space_may_override():
    """So that the next test is not empty, and says what follows from the decisions."""
    assert {"encode", "is_valid", "canonical", "build", "size", "fingerprint"} <= CONTRACT.keys()
    assert {"values", "one_hot", "widest", "choice_mask"}.isdisjoint(CONTRACT)


@pytest.mark.parametrize("name", CONTRACT)
def test_whatever_the_contract_holds_is_passed_on(name):
    """Whoever adds to the contract adds it to `SpaceWrapper`, too, or this fails."""
    member = CONTRACT[name]
    if inspect.isfunction(member):
        kind = type("Base", (FlatSpace,), {name: lambda _, *args, **named: (args, named)})
        parameters = list(inspect.signature(member).parameters.values())[1:]
        args = tuple(object() for p in parameters if p.kind is not p.KEYWORD_ONLY)
        named = {p.name: object() for p in parameters if p.kind is p.KEYWORD_ONLY}
        assert getattr(SpaceWrapper(kind({"a": [1, 2]})), name)(*args, **named) == (args, named)
    else:
        answer = object()
        kind = type("Base", (FlatSpace,), {name: answer})
        assert getattr(SpaceWrapper(kind({"a": [1, 2]})), name) is answer


def test_the_base_is_asked_for_its_decisions_and_its_name():
    wrapper = SpaceWrapper(SOME)
    assert (wrapper.name, wrapper.decisions, wrapper.widest) == (SOME.name, SOME.decisions, 3)


@pytest.mark.parametrize(
    "wrap",
    [
        SpaceWrapper,
        DistinctSpace,
        lambda base: RestrictedSpace(base, lambda _: True),
        lambda base: PoolSpace(base, [(2, 1)]),
        lambda base: DistinctSpace(RestrictedSpace(PoolSpace(base, [(2, 1)]), lambda _: True)),
    ],
    ids=["plain", "distinct", "restricted", "pool", "all"],
)
def test_networks_are_built_through_every_wrapper(wrap):
    network = wrap(own_network()).build((2, 1), seed=3)
    assert (network.in_features, network.out_features) == (4, 5)
    assert torch.equal(network.weight, own_network().build((2, 1), seed=3).weight)


def test_a_restricted_space_is_the_same_space_to_a_study():
    for base in (FLAT, NASBench201(), SOME, DistinctSpace(SOME)):
        assert RestrictedSpace(base, lambda _: False).fingerprint == base.fingerprint
        assert RestrictedSpace(RestrictedSpace(base, lambda _: True), lambda _: True).fingerprint == base.fingerprint
        assert base.where(lambda _: True).fingerprint == base.fingerprint


def test_different_pools_differ_through_every_wrapper():
    wraps = [SpaceWrapper, DistinctSpace, lambda base: RestrictedSpace(base, lambda _: True)]
    for wrap in wraps:
        assert wrap(SOME).fingerprint != wrap(OTHERS).fingerprint
    different = [FLAT, SOME, OTHERS, DistinctSpace(FLAT), DistinctSpace(SOME), DistinctSpace(OTHERS)]
    assert all(a.fingerprint != b.fingerprint for a, b in combinations(different, 2))


def test_the_fingerprints_of_wrapped_spaces_stay_between_versions():
    """Studies on disk hold them: a change here would orphan them all. Taken from version 0.1.0."""
    cells = [(0, 0, 0, 0, 0, 1), (3, 3, 3, 3, 3, 3)]
    assert DistinctSpace(NASBench201()).fingerprint == "f028a9c1bcd82b35"
    assert PoolSpace(NASBench201(), cells).fingerprint == "d6b997b016716283"
    assert PoolSpace(NASBench201(), cells, name="named").fingerprint == "63cedc2d64f19b08"
    assert RestrictedSpace(NASBench201(), lambda _: True).fingerprint == "41ce27f5db2fb3e5"


def test_a_rule_restricts_the_wrapper_and_not_its_base():
    ruled = SOME.where(lambda values: values["a"] > 1)
    assert [a for a in FLAT.everything() if ruled.is_valid(a)] == [(1, 2), (2, 1)]
    assert set(ruled.sample(np.random.default_rng(0), 50)) == {(1, 2), (2, 1)}


def test_what_is_told_apart_is_canonical_by_itself_one_by_one_and_together():
    cells = NASBench101()
    distinct = DistinctSpace(cells)
    drawn = cells.sample(np.random.default_rng(0), 5)
    relatives = [near for a in drawn for near in Space.neighbours(cells, a) if cells.is_valid(near)][:50]
    assert any(cells.canonical(a) != a for a in relatives)
    assert [distinct.canonical(a) for a in relatives] == relatives
    assert [tuple(row) for row in distinct.canonical_rows(np.array(relatives)).tolist()] == relatives
    assert [tuple(row) for row in SpaceWrapper(cells).canonical_rows(np.array(relatives)).tolist()] == [
        cells.canonical(a) for a in relatives
    ]


def test_what_a_wrapper_rules_out_is_refused_among_many_too():
    for space in (RestrictedSpace(FLAT, lambda a: a[0] > 0), SOME, DistinctSpace(SOME)):
        with pytest.raises(UsageError, match=r"entry 1 is none: \(0, 2\)"):
            space.canonical_rows(np.array([(1, 2), (0, 2)]))


def test_what_either_predicate_rules_out_is_invalid():
    space = RestrictedSpace(RestrictedSpace(FLAT, lambda a: a[0] <= a[1]), lambda a: a[1] < 2)
    valid = [a for a in product(range(3), repeat=2) if space.is_valid(a)]
    assert valid == [(0, 0), (0, 1), (1, 1)]


def test_the_predicate_is_asked_once_per_network_and_only_about_valid_ones():
    asked = []

    def admits(architecture):
        asked.append(architecture)
        return True

    base = RestrictedSpace(NASBench201(), lambda a: a[0] != 4)
    space = RestrictedSpace(base, admits)
    everything = [*product(range(2), (0, 3), (0,), (0, 3), (1, 4), (0, 2)), (4, 0, 0, 0, 0, 0)]
    for architecture in everything * 2:
        space.is_valid(architecture)
    assert sorted(asked) == sorted({base.canonical(a) for a in everything if base.is_valid(a)})


def test_a_predicate_that_fails_is_not_taken_for_an_answer():
    answers = iter([RuntimeError("no memory"), True])

    def admits(_):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    space = RestrictedSpace(FLAT, admits)
    with pytest.raises(RuntimeError, match="no memory"):
        space.is_valid((0, 0))
    assert space.is_valid((0, 0))


def test_everything_else_is_the_base_space():
    space = RestrictedSpace(NASBench201(), lambda _: True)
    assert space.fingerprint == NASBench201().fingerprint
    assert space.size == NASBench201().size
    assert space.canonical((0, 1, 2, 3, 4, 0)) == NASBench201().canonical((0, 1, 2, 3, 4, 0))
