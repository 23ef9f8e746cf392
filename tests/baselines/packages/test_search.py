from __future__ import annotations

import pytest

from optiproxy.baselines.packages.search import OpenDecisions, PackageSearch
from optiproxy.metrics import Goal, Objective
from optiproxy.optimizer import Trial
from optiproxy.spaces import FlatSpace, RestrictedSpace
from optiproxy.spaces.pool import PoolSpace

GOAL = Goal((Objective("score"),))
SPACE = FlatSpace({f"d{d}": [0, 1, 2, 3] for d in range(4)})


class Insisting:
    """Suggests the same architectures every time, and tells how far it was asked."""

    def __init__(self, *architectures):
        self.architectures = architectures
        self.told, self.asked, self.seeds, self.closed = [], [], [], 0

    def suggest(self, trials, pending, *, seed):
        self.told.append((list(trials), list(pending)))
        self.seeds.append(seed)
        try:
            for architecture in self.architectures:
                self.asked.append(architecture)
                yield architecture
        finally:
            self.closed += 1


def _propose(package, *, trials=(), pending=(), n=1, space=SPACE, seed=0):
    search = PackageSearch(space, GOAL, seed=seed, suggester=package)
    search.observe([Trial(architecture, {"score": 1.0}) for architecture in trials])
    return [proposal.architecture for proposal in search.propose(n, pending)]


def test_the_first_new_suggestion_is_taken_and_no_further_one_asked():
    package = Insisting((0, 0, 0, 0), (1, 1, 1, 1), (2, 2, 2, 2), (3, 3, 3, 3))
    assert _propose(package, trials=[(0, 0, 0, 0)], pending=[(1, 1, 1, 1)]) == [(2, 2, 2, 2)]
    assert package.asked == [(0, 0, 0, 0), (1, 1, 1, 1), (2, 2, 2, 2)]
    assert package.closed == 1


def test_what_is_invalid_is_passed_over():
    space = RestrictedSpace(SPACE, lambda architecture: sum(architecture) > 3)
    assert _propose(Insisting((0, 0, 0, 0), (1, 1, 1, 1)), space=space) == [(1, 1, 1, 1)]


def test_where_suggestions_end_a_new_valid_neighbour_of_the_first_one_is_taken():
    space = RestrictedSpace(SPACE, lambda architecture: architecture[0] == 0)
    package = Insisting((0, 0, 0, 0), (0, 1, 1, 1))
    found = {_propose(package, trials=package.architectures, space=space, seed=seed)[0] for seed in range(30)}
    assert len(found) == 9  # each of them is met: three decisions, three other choices
    assert all(architecture[0] == 0 and sum(position > 0 for position in architecture) == 1 for architecture in found)


def test_of_a_wish_outside_a_pool_the_nearest_new_member_is_taken():
    members = [(0, 0, 0, 1), (0, 0, 2, 2), (0, 2, 0, 2), (3, 3, 3, 3)]
    space = PoolSpace(SPACE, members)
    package = Insisting((0, 0, 0, 0))
    assert all(_propose(package, space=space, seed=seed) == members[:1] for seed in range(10))
    found = {_propose(package, space=space, trials=members[:1], seed=seed)[0] for seed in range(20)}
    assert found == {*members[1:3]}


def test_where_the_neighbours_are_known_anything_new_is_taken():
    known = [(0, 0, 0, 0), *SPACE.neighbours((0, 0, 0, 0))]
    found = {_propose(Insisting((0, 0, 0, 0)), trials=known, seed=seed)[0] for seed in range(20)}
    assert len(found) > 10
    assert not found & set(known)


def test_several_proposals_differ_and_see_each_other():
    package = Insisting((0, 0, 0, 0), (1, 1, 1, 1))
    found = _propose(package, n=4)
    assert found[:2] == [(0, 0, 0, 0), (1, 1, 1, 1)]
    assert len(set(found)) == 4
    assert len(set(package.seeds)) == 4


def test_a_package_is_told_of_all_trials_and_of_all_that_is_pending():
    package = Insisting((0, 0, 0, 0))
    search = PackageSearch(SPACE, GOAL, seed=0, suggester=package)
    trials = [Trial((i, 1, 1, 1), {"score": 1.0}) for i in range(2)]
    search.observe(trials[:1])
    first = [proposal.architecture for proposal in search.propose(2, [(3, 3, 3, 3)])]
    search.observe(trials)
    search.propose(1)
    assert package.told == [(trials[:1], [(3, 3, 3, 3)]), (trials[:1], [(3, 3, 3, 3), first[0]]), (trials, [])]


@pytest.mark.parametrize("architecture", [(0, 0, 0), (2, 0, 1), (1, 0, 1)])
def test_open_decisions_and_back(architecture):
    space = FlatSpace({"a": [1, 2, 3], "fixed": ["only"], "b": [True, False]})
    decisions = OpenDecisions(space)
    assert decisions.decisions == (space.decisions[0], space.decisions[2])
    assert decisions.choices(architecture) == (architecture[0], architecture[2])
    assert decisions.architecture(decisions.choices(architecture)) == architecture
