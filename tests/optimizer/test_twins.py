from __future__ import annotations

from optiproxy.optimizer.twins import Twins
from optiproxy.spaces import DistinctSpace, NASBench201

SPACE = DistinctSpace(NASBench201())
# Edge 2 -> 3 is "none", so that nothing reads node 2: edges 0 -> 2 and 1 -> 2 may hold anything.
LEADER, TWIN, OTHER_TWIN = (3, 0, 0, 3, 1, 0), (3, 2, 0, 3, 1, 0), (3, 2, 2, 3, 1, 0)
TRAILER, ITS_TWIN = (2, 0, 0, 2, 1, 0), (2, 3, 0, 2, 1, 0)
NEW = (3, 3, 3, 3, 3, 3)
TRIED = [LEADER, TRAILER, (4, 4, 4, 4, 4, 4)]


def admitted(candidates, tried, best, space=SPACE):
    return Twins(every=3, leaders=1).admitted(space, candidates, tried=tried, best=best)


def test_the_cells_are_twins():
    assert SPACE.function(LEADER) == SPACE.function(TWIN) == SPACE.function(OTHER_TWIN) != SPACE.function(TRAILER)
    assert SPACE.function(TRAILER) == SPACE.function(ITS_TWIN)
    assert SPACE.canonical(TWIN) == TWIN


def test_new_functions_come_first_and_twins_of_the_leader_have_their_turn():
    candidates = [ITS_TWIN, TWIN, NEW, OTHER_TWIN]
    assert admitted(candidates, TRIED, [LEADER, TRAILER]) == [NEW]
    assert admitted(candidates, TRIED[:2], [LEADER, TRAILER]) == [TWIN, OTHER_TWIN]


def test_without_a_feasible_leader_twins_wait():
    assert admitted([TWIN, NEW], TRIED[:2], []) == [NEW]


def test_where_only_twins_are_left_they_are_tried():
    assert admitted([ITS_TWIN, TWIN], TRIED, [LEADER]) == [ITS_TWIN, TWIN]
    assert admitted([], TRIED, [LEADER]) == []


def test_a_space_that_joins_twins_is_left_alone():
    space = NASBench201()
    fresh = [(0, 0, 0, 3, 0, 0), NEW]
    for tried in (TRIED, TRIED[:2]):
        assert admitted(fresh, tried, TRIED, space) == fresh
