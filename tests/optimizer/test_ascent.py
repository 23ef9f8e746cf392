from __future__ import annotations

import pytest
import torch

from optiproxy.optimizer.ascent import Ascent, GumbelSoftmax
from optiproxy.optimizer.records import Layout

MASK = torch.tensor([[True, True, True, True], [True, True, True, False], [True, True, False, False]])
WORTH = torch.tensor([[0.0, 0.5, 2.0, 1.0], [1.5, 0.0, 0.5, 9.0], [0.0, 1.0, 9.0, 9.0]])
OPTIMUM = [2, 0, 1]
LAYOUT = Layout(MASK, torch.zeros(3, dtype=torch.bool))


def starts(b=16):
    return torch.randn(b, *MASK.shape, generator=torch.Generator().manual_seed(0))


def concave(relaxed):
    """Largest at the one-hot optimum; the bend makes every step's gradient different."""
    return (relaxed * WORTH).sum((1, 2)) - 0.1 * (relaxed - 1).square().sum((1, 2))


def climb(ascent, given, gain=concave, seed=0):
    return ascent(given, LAYOUT, gain, torch.Generator().manual_seed(seed))


def choices(parameters):
    return parameters.masked_fill(~MASK, -torch.inf).argmax(-1)


def test_every_start_climbs_to_the_optimum():
    found = choices(climb(Ascent(steps=80, learning_rate=0.3), starts()))
    assert found.tolist() == [OPTIMUM] * 16


def test_the_default_climbs():
    given = starts()

    def mean(parameters):
        return float(concave(parameters.masked_fill(~MASK, -torch.inf).softmax(-1)).mean())

    assert mean(climb(Ascent(), given)) > mean(given) + 0.5


@pytest.mark.slow
def test_starts_climb_independently():
    """Beside other starts, a start ends where it would alone."""
    ascent = Ascent(relaxation=GumbelSoftmax(noise=0.0))
    given = starts(4)
    together = climb(ascent, given)
    for i in range(4):
        torch.testing.assert_close(climb(ascent, given[i : i + 1])[0], together[i], atol=1e-4, rtol=1e-4)


def test_leaves_the_starts_alone_and_returns_plain_numbers():
    given = starts()
    before = given.clone()
    found = climb(Ascent(), given)
    assert torch.equal(given, before)
    assert found.shape == given.shape
    assert found.isfinite().all()
    assert not found.requires_grad


def test_the_generator_decides_the_way():
    one, same, other = (climb(Ascent(), starts(), seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("steps", [0, 1])
def test_few_steps_are_no_error(steps):
    found = climb(Ascent(steps=steps), starts())
    assert torch.equal(found, starts()) == (steps == 0)


def test_a_point_and_choices_climb_together():
    """The first decision is a point whose best place is 0.8; what it is worth depends on the second one's choice."""
    layout = Layout(torch.tensor([[True, False], [True, True]]), torch.tensor([True, False]))

    def worth(relaxed):
        point = relaxed[:, 0, 0]
        return relaxed[:, 1, 1] * (1 - (point - 0.8).square()) + relaxed[:, 1, 0] * (0.5 - (point - 0.2).square())

    given = torch.randn(8, 2, 2, generator=torch.Generator().manual_seed(0))
    found = layout.softmax(Ascent(steps=150, learning_rate=0.1)(given, layout, worth, torch.Generator().manual_seed(0)))
    assert found[:, 1].argmax(1).tolist() == [1] * 8
    torch.testing.assert_close(found[:, 0, 0], torch.full((8,), 0.8), atol=0.05, rtol=0)


def test_normal_parameters_are_uniform_on_a_scale():
    layout = Layout(torch.tensor([[True, False], [True, True]]), torch.tensor([True, False]))
    points = layout.softmax(torch.randn(20_000, 2, 2, generator=torch.Generator().manual_seed(0)))[:, 0, 0]
    shares = torch.histc(points, bins=10, min=0.0, max=1.0) / len(points)
    assert shares.sum() == pytest.approx(1.0)
    assert (shares - 0.1).abs().max() < 0.01


def test_parameters_lead_back_to_the_weights():
    layout = Layout(torch.tensor([[True, False], [True, True]]), torch.tensor([True, False]))
    weights = torch.tensor([[[0.3, 0.0], [0.0, 1.0]], [[0.95, 0.0], [1.0, 0.0]]])
    found = layout.softmax(layout.parameters(weights, 5.0))
    torch.testing.assert_close(found, weights, atol=0.01, rtol=0)
