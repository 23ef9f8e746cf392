from __future__ import annotations

from itertools import product

import pytest

from optiproxy.spaces import FlatSpace, NASBench201, RestrictedSpace

FLAT = FlatSpace({"a": [1, 2, 3], "b": [1, 2, 3]})


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
