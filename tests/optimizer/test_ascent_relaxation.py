from __future__ import annotations

import pytest
import torch

from optiproxy.optimizer.ascent import GumbelSoftmax

MASK = torch.tensor([[True, True, True], [True, True, False], [True, False, False]])


def parameters(b=8, *, scale=3.0):
    return scale * torch.randn(b, *MASK.shape, generator=torch.Generator().manual_seed(0))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
def test_rows_lie_on_the_simplex_over_the_choices_that_exist(progress):
    relaxed = GumbelSoftmax()(parameters(), MASK, progress=progress, generator=generator())
    assert relaxed.shape == (8, 3, 3)
    assert (relaxed >= 0).all()
    torch.testing.assert_close(relaxed.sum(-1), torch.ones(8, 3))
    assert not relaxed[:, ~MASK].any()
    assert (relaxed[:, 2, 0] == 1).all()


def test_the_cold_limit_is_one_hot():
    relaxed = GumbelSoftmax(cold=1e-4)(parameters(), MASK, progress=1.0, generator=generator())
    torch.testing.assert_close(relaxed.amax(-1), torch.ones(8, 3))


def test_the_temperature_falls_from_hot_to_cold():
    """Without noise the weights are the softmax at the temperature of the moment."""
    relaxation = GumbelSoftmax(hot=2.0, cold=0.5, noise=0.0)
    given = parameters().masked_fill(~MASK, -torch.inf)
    for progress, temperature in ((0.0, 2.0), (0.5, 1.25), (1.0, 0.5)):
        relaxed = relaxation(parameters(), MASK, progress=progress, generator=generator())
        torch.testing.assert_close(relaxed, (given / temperature).softmax(-1))


def test_full_noise_draws_each_choice_as_often_as_its_softmax_says():
    logits = torch.tensor([[1.0, 0.0, -1.0], [0.5, -0.5, 9.0], [0.0, 0.0, 0.0]])
    cold = GumbelSoftmax(cold=1e-3, noise=1.0)
    drawn = cold(logits.expand(20_000, -1, -1), MASK, progress=1.0, generator=generator()).round().mean(0)
    torch.testing.assert_close(drawn, logits.masked_fill(~MASK, -torch.inf).softmax(-1), atol=0.02, rtol=0)


def test_gradients_reach_every_choice_that_exists_and_no_other():
    given = parameters().requires_grad_()
    relaxed = GumbelSoftmax()(given, MASK, progress=0.0, generator=generator())
    (gradient,) = torch.autograd.grad((relaxed * torch.arange(3)).sum(), given)
    assert gradient.isfinite().all()
    assert not gradient[:, ~MASK].any()
    assert (gradient[:, 0] != 0).all()


def test_the_generator_decides_the_noise():
    one, same, other = (
        GumbelSoftmax()(parameters(), MASK, progress=0.0, generator=generator(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
