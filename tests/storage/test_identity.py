"""Which space a study was made for: restricted pools are told apart, and older studies of them go on."""

from __future__ import annotations

import pytest

from optiproxy.errors import StudyError
from optiproxy.metrics import Goal, Objective
from optiproxy.spaces import FlatSpace, PoolSpace, plain_fingerprint
from optiproxy.storage.identity import Identity
from optiproxy.task.task import Source

FLAT = FlatSpace({"a": [1, 2, 3], "b": [1, 2, 3]})
SOME = PoolSpace(FLAT, [(0, 0), (1, 2), (2, 1)])
OTHERS = PoolSpace(FLAT, [(0, 1), (1, 2), (2, 1)])


def identity(space):
    return Identity(
        task="t", space=space, goal=Goal((Objective("a"),)), source=Source("s", ""), algorithm="random", seed=0
    )


def ruled(space):
    return space.where(lambda values: values["a"] > 1)


def test_a_study_of_a_restricted_pool_is_that_pool_s():
    stored = identity(ruled(SOME)).to_json()
    assert stored["space"] == SOME.fingerprint
    identity(ruled(SOME)).check(stored, "study")
    with pytest.raises(StudyError, match="was made for space flat-pool"):
        identity(ruled(OTHERS)).check(stored, "study")


def test_a_study_of_a_restricted_pool_from_before_the_members_counted_is_resumed():
    stored = {**identity(ruled(SOME)).to_json(), "space": plain_fingerprint(SOME)}
    assert stored["space"] != SOME.fingerprint
    identity(ruled(SOME)).check(stored, "study")
    with pytest.raises(StudyError, match="was made for space flat-pool"):
        identity(SOME).check(stored, "study")
    with pytest.raises(StudyError, match="was made for task"):
        identity(ruled(SOME)).check({**stored, "task": "other"}, "study")
