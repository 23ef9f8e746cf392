from __future__ import annotations

import numpy as np

from optiproxy.baselines.local_search import LocalSearch
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.optimizer import Trial
from optiproxy.spaces import FlatSpace, NASBench201, RestrictedSpace

GOAL = Goal((Objective("score"),))
SPACE = FlatSpace({str(d): [0, 1, 2] for d in range(4)})


def _search(space, measure, *, budget, seed=0, goal=GOAL, starts=1):
    algorithm = LocalSearch(space, goal, seed=seed, starts=starts)
    trials: list[Trial] = []
    for _ in range(budget):
        algorithm.observe(trials)
        if not (found := algorithm.propose(1)):
            break
        trials.append(Trial(found[0].architecture, measure(found[0].architecture)))
    return [trial.architecture for trial in trials]


def _distance(a, b):
    return sum(x != y for x, y in zip(a, b, strict=True))


def _score(architecture):
    return {"score": float(sum(architecture))}


def test_moves_to_the_first_better_neighbour():
    found = _search(SPACE, _score, budget=30)
    here, moves = found[0], 0
    for architecture in found[1:]:
        if here == (2, 2, 2, 2):
            break
        assert _distance(here, architecture) == 1
        if sum(architecture) > sum(here):
            here, moves = architecture, moves + 1
    assert moves > 1
    assert here == (2, 2, 2, 2)


def test_a_walk_begins_at_the_best_of_its_random_trials():
    space = FlatSpace({str(d): [*range(5)] for d in range(6)})
    found = _search(space, lambda a: {"score": float(sum(a))}, budget=11, starts=10)
    assert _distance(max(found[:10], key=sum), found[10]) == 1


def test_the_next_walk_begins_at_the_best_of_new_random_trials():
    space = FlatSpace({str(d): [*range(3)] for d in range(6)})
    first, *_ = _search(space, lambda _: {"score": 0.0}, budget=1)

    def measure(architecture):
        return {"score": 2.0 if architecture == first else float(architecture[0] == 2)}

    found = _search(space, measure, budget=10 + 12 + 10 + 1, starts=10)
    assert all(_distance(first, a) == 1 for a in found[10:22])
    drawn = found[22:32]
    assert not all(_distance(first, a) == 1 for a in drawn)
    assert _distance(next(a for a in drawn if a[0] == 2), found[32]) == 1


def test_climbs_to_the_top_of_a_smooth_landscape():
    for seed in range(5):
        assert (2, 2, 2, 2) in _search(SPACE, _score, budget=1 + 4 * 8, seed=seed)


def test_starts_afresh_at_a_local_optimum():
    space = FlatSpace({str(d): [*range(4)] for d in range(6)})
    found = _search(space, lambda _: {"score": 0.0}, budget=60)
    assert all(_distance(found[0], a) == 1 for a in found[1:19])
    assert all(_distance(found[19], a) == 1 for a in found[20:30])
    assert _distance(found[0], found[19]) > 1


def test_visits_everything_then_stops():
    assert sorted(_search(SPACE, _score, budget=99)) == sorted(SPACE.everything())


def test_isomorphic_neighbours_are_evaluated_once():
    space = NASBench201()
    found = _search(space, lambda a: {"score": float(a.count(3))}, budget=60)
    assert len({space.canonical(a) for a in found}) == 60


def test_a_neighbour_that_is_not_valid_does_not_hold_the_walk_up():
    space = RestrictedSpace(SPACE, lambda a: sum(a) % 2 == 0 or sum(a) > 5)
    found = _search(space, _score, budget=99)
    assert sorted(found) == sorted(a for a in SPACE.everything() if space.is_valid(a))


def test_while_the_last_neighbours_are_pending_the_next_walk_begins():
    algorithm = LocalSearch(SPACE, GOAL, seed=0, starts=1)
    start = (0, 0, 0, 0)
    algorithm.observe([Trial(start, {"score": 0.0})])
    pending = SPACE.neighbours(start)
    (proposal,) = algorithm.propose(1, pending[1:])
    assert proposal.architecture == pending[0]
    (proposal,) = algorithm.propose(1, pending)
    assert _distance(start, proposal.architecture) > 1


def test_a_feasible_neighbour_is_better_than_any_infeasible_one():
    goal = Goal((Objective("score"),), (Limit("cost", 0.5),))
    found = _search(SPACE, lambda a: {"score": float(sum(a)), "cost": float(a[0])}, budget=60, goal=goal)
    assert (0, 2, 2, 2) in found[: 1 + 5 * 8]


def test_the_order_in_which_neighbours_finish_makes_no_difference():
    trials = [Trial(a, _score(a)) for a in _search(SPACE, _score, budget=12)]
    shuffled = [trials[0], *(trials[i] for i in np.random.default_rng(0).permutation(np.arange(1, 12)))]
    one, other = (LocalSearch(SPACE, GOAL, seed=0, starts=1) for _ in range(2))
    one.observe(trials)
    other.observe(shuffled)
    assert one.propose(3) == other.propose(3)
