"""Architectures as numbers and back: exact there, and drawn as often as the numbers say on the way back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from optiproxy.spaces import FlatSpace, Float, Int
from optiproxy.spaces.relaxed import drawn, mask, one_hot

SPACE = FlatSpace({"act": ["relu", "gelu", "silu"], "rate": Float(0, 1), "bias": [True, False], "width": Int(1, 1001)})
DECISIONS = SPACE.decisions


def generator():
    return torch.Generator().manual_seed(0)


def test_categories_are_rows_of_a_simplex_and_points_stand_in_the_first_column():
    rate = DECISIONS[1].position(0.25)
    assert one_hot(DECISIONS, [(2, rate, 1, 1000)])[0].tolist() == [[0, 0, 1], [0.25, 0, 0], [0, 1, 0], [1, 0, 0]]
    assert mask(DECISIONS).tolist() == [[True] * 3, [True, False, False], [True, True, False], [True, False, False]]


def test_of_no_architectures_the_shape_is_kept():
    assert one_hot(DECISIONS, []).shape == (0, 4, 3)


def test_the_likeliest_come_first_and_are_the_architectures_themselves():
    rows = SPACE.sample(np.random.default_rng(0), 5)
    weights = one_hot(DECISIONS, rows)
    near = drawn(DECISIONS, weights, 0, generator())
    assert [(a, c) for a, _, c, _ in near] == [(a, c) for a, _, c, _ in rows]
    # A weight has the precision of a float of 32 bits.
    assert all(abs(one[i] - other[i]) <= 1 for one, other in zip(near, rows, strict=True) for i in (1, 3))
    assert drawn(DECISIONS, weights, 3, generator())[:5] == near


def test_random_ones_follow_the_probabilities_and_lie_around_the_points():
    weights = one_hot(DECISIONS, [(0, 50_000, 0, 500)])
    weights[0, 0] = torch.tensor([0.5, 0.3, 0.2])
    rows = drawn(DECISIONS, weights, 4000, generator())[1:]
    shares = [sum(row[0] == choice for row in rows) / 4000 for choice in range(3)]
    assert shares == pytest.approx([0.5, 0.3, 0.2], abs=4 * (0.25 / 4000) ** 0.5)  # four standard deviations
    assert {row[2] for row in rows} == {0}
    widths = torch.tensor([float(row[3]) for row in rows])
    # Standard deviations from a tenth of the scale down to its thousandth: half of them below a hundredth.
    assert widths.median() == pytest.approx(500, abs=5)
    assert 0.4 < ((widths - 500).abs() <= 10 * 0.6745).float().mean() < 0.6
    assert widths.max() > 650


def test_weights_that_are_drawn_from_are_left_as_they_are():
    weights = one_hot(DECISIONS, [(0, 50_000, 0, 500)])
    before = weights.clone()
    drawn(DECISIONS, weights, 5, generator())
    assert weights.equal(before)
