from __future__ import annotations

import pytest
import torch

from optiproxy.proxy.networks import Adam


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_moves_as_the_one_of_torch_does(weight_decay):
    from torch.optim import AdamW

    generator = torch.Generator().manual_seed(0)
    initial = [torch.randn(4, 3, generator=generator), torch.randn(5, generator=generator)]
    ours, theirs = ([p.clone().requires_grad_() for p in initial] for _ in range(2))
    matrix = torch.randn(5, 4, generator=generator)

    def loss(parameters):
        a, b = parameters
        return ((matrix @ a).sin().sum(1) * b).square().sum() + b.exp().sum()

    adam = Adam(ours, weight_decay=weight_decay)
    reference = AdamW(theirs, lr=0.1, weight_decay=weight_decay)
    for step in range(40):
        rate = 0.1 / (1 + step)
        adam.step([0.25 * loss(ours), 0.75 * loss(ours)], learning_rate=rate)
        reference.param_groups[0]["lr"] = rate
        reference.zero_grad()
        loss(theirs).backward()
        reference.step()
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)
    assert all(not torch.equal(a, b) for a, b in zip(ours, initial, strict=True))


def test_finds_the_minimum_of_a_bowl():
    point = torch.tensor([3.0, -2.0], requires_grad=True)
    adam = Adam([point])
    for step in range(400):
        adam.step([((point - torch.tensor([1.0, 1.0])) ** 2).sum()], learning_rate=0.1 * (1 - step / 400))
    torch.testing.assert_close(point.detach(), torch.ones(2), atol=1e-3, rtol=0)
