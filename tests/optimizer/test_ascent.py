from __future__ import annotations

import pytest
import torch

from optiproxy.optimizer.ascent import Ascent, GumbelSoftmax

MASK = torch.tensor([[True, True, True, True], [True, True, True, False], [True, True, False, False]])
WORTH = torch.tensor([[0.0, 0.5, 2.0, 1.0], [1.5, 0.0, 0.5, 9.0], [0.0, 1.0, 9.0, 9.0]])
OPTIMUM = [2, 0, 1]


def starts(b=16):
    return torch.randn(b, *MASK.shape, generator=torch.Generator().manual_seed(0))


def concave(relaxed):
    """Largest at the one-hot optimum; the bend makes every step's gradient different."""
    return (relaxed * WORTH).sum((1, 2)) - 0.1 * (relaxed - 1).square().sum((1, 2))


def climb(ascent, given, gain=concave, seed=0):
    return ascent(given, MASK, gain, torch.Generator().manual_seed(seed))


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
