from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.optimizer.gain import Gain
from optiproxy.proxy import Prediction

SCORE = st.floats(-3, 3, width=32)
SPREAD = st.floats(0.015625, 2, width=32)
ONE = torch.ones(1, 1)


def gain(mean, spread, preferences=ONE, settings=None):
    prediction = Prediction(torch.tensor([mean]), torch.tensor([spread]))
    return float((settings or Gain())(prediction, preferences))


@given(SCORE, SCORE, SPREAD)
def test_a_better_mean_gains_more(low, high, spread):
    low, high = sorted((low, high))
    assert gain([low], [spread]) <= gain([high], [spread])
    assert gain([high + 0.5], [spread]) > gain([high], [spread])


@given(SCORE, SPREAD)
def test_hope_gains_as_much_as_optimism_says(mean, spread):
    optimistic, neutral = (gain([mean], [spread], settings=Gain(optimism=k)) for k in (2.0, 0.0))
    assert neutral == pytest.approx(mean, abs=1e-6)
    assert optimistic - neutral == pytest.approx(2.0 * spread, abs=1e-5)


@given(SCORE, SCORE, SPREAD)
def test_a_limit_never_adds_and_weighs_less_the_surer_it_is_kept(mean, slack, spread):
    free = gain([mean], [0.1])
    limited = gain([mean, slack], [0.1, spread])
    assert limited <= free
    assert gain([mean, slack + 1.0], [0.1, spread]) >= limited
    assert gain([mean, 10.0], [0.1, 0.5]) == pytest.approx(free, abs=1e-5)
    assert gain([mean, -10.0], [0.1, 0.5]) < free - 10


def test_what_surely_breaks_a_limit_still_shows_the_way():
    """The logarithm keeps its slope where the probability itself is zero in floats."""
    mean = torch.tensor([[0.0, -40.0]], requires_grad=True)
    value = Gain()(Prediction(mean, torch.full((1, 2), 0.5)), ONE)
    (gradient,) = torch.autograd.grad(value.sum(), mean)
    assert value.isfinite().all()
    assert float(gradient[0, 1]) > 1
    assert gradient.isfinite().all()


def test_every_part_of_a_front_is_the_best_for_some_preference():
    """Also the hollow ones, which no weighted sum prefers; what another one beats in everything is never the best."""
    front = torch.tensor([[3.0, -3.0], [0.5, -1.5], [-1.0, -1.0], [-1.5, 0.5], [-3.0, 3.0], [-1.7, -1.7]])
    weights = torch.linspace(0.01, 0.99, 99)
    preferences = torch.stack([weights, 1 - weights], 1)
    gains = torch.stack(
        [
            Gain(optimism=0.0)(Prediction(front, torch.full_like(front, 0.1)), row.expand(len(front), -1))
            for row in preferences
        ]
    )
    assert set(gains.argmax(1).tolist()) == {0, 1, 2, 3, 4}


@given(st.lists(SCORE, min_size=3, max_size=3), st.integers(0, 2), st.lists(st.floats(0.1, 1), min_size=3, max_size=3))
def test_improving_any_of_several_objectives_gains(mean, improved, weights):
    preferences = torch.tensor([weights]) / sum(weights)
    better = [m + (i == improved) for i, m in enumerate(mean)]
    assert gain(better, [0.5] * 3, preferences) > gain(mean, [0.5] * 3, preferences)


def test_rows_do_not_mix():
    mean, spread = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), torch.full((6, 3), 0.3)
    preferences = torch.tensor([[0.2, 0.8]]).expand(6, -1)
    together = Gain()(Prediction(mean, spread), preferences)
    assert together.shape == (6,)
    for i in range(6):
        alone = gain(mean[i].tolist(), spread[i].tolist(), preferences[:1])
        assert alone == pytest.approx(float(together[i]), abs=1e-5)
