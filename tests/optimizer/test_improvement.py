from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.optimizer.gain import Gain
from optiproxy.optimizer.improvement import FLAT, Improvement
from optiproxy.proxy import Prediction

NEUTRAL = Improvement(gain=Gain(optimism=0.0))
WORST = torch.tensor([0.0, 0.0])
SCORE = st.integers(0, 6).map(lambda n: n / 2)
point = st.tuples(SCORE, SCORE)


def worth(points, front, improvement=NEUTRAL, slack=()):
    mean = torch.tensor([[*map(float, p), *slack] for p in points])
    told = torch.tensor(front, dtype=torch.float64).reshape(len(front), 2)
    return improvement(Prediction(mean, torch.full_like(mean, 0.1)), told, WORST).tolist()


def area(points):
    """Of what the points dominate, counted in squares of half a unit."""
    squares = [(x / 2, y / 2) for x in range(6) for y in range(6)]
    return sum(any(a > x and b > y for a, b in points) for x, y in squares) / 4


@given(st.lists(point, max_size=5), st.lists(point, min_size=1, max_size=4))
def test_a_candidate_is_worth_the_area_that_it_adds(front, candidates):
    found = worth(candidates, front)
    for candidate, value in zip(candidates, found, strict=True):
        added = area([*front, candidate]) - area(front)
        # Apart from the small part that orders what adds nothing.
        assert value == pytest.approx(math.log(added + FLAT), abs=0.02)


def test_among_dominated_candidates_the_one_nearer_to_the_front_comes_first():
    near, far, beyond = worth([(0.9, 0.9), (0.2, 0.2), (1.5, 0.9)], [(1, 1)])
    assert beyond > near > far


def test_hope_can_add_what_the_mean_does_not():
    assert worth([(1, 1)], [(1, 1)], Improvement(gain=Gain(optimism=2.0))) > worth([(1, 1)], [(1, 1)])


def test_a_limit_that_is_broken_makes_a_candidate_worth_less():
    kept, broken = (worth([(2, 2)], [(1, 1)], slack=(slack,))[0] for slack in (3.0, -3.0))
    assert kept == pytest.approx(worth([(2, 2)], [(1, 1)])[0], abs=1e-3)
    assert broken < kept


def test_before_anything_is_feasible_the_volume_itself_counts():
    assert worth([(1, 2), (3, 3)], []) == pytest.approx([math.log(2), math.log(9)], abs=0.02)
