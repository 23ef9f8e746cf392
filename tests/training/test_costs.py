from __future__ import annotations

import pytest
import torch
from torch import nn

from optiproxy.errors import UsageError
from optiproxy.training import costs
from optiproxy.training.cell_network import CellNetwork, ReLUConvBN
from optiproxy.training.determinism import reproducible, single_thread

EXAMPLE = torch.zeros(1, 6, 8, 8)
PIXELS = 6 * 8 * 8


def test_parameters_are_counted_by_hand():
    assert costs.parameters(ReLUConvBN(6, kernel=3)) == 6 * 6 * 9 + 2 * 6


def test_frozen_weights_are_no_parameters():
    layer = nn.Linear(3, 4)
    layer.bias.requires_grad_(False)
    assert costs.parameters(layer) == 12


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (nn.Identity(), 0),
        (nn.ReLU(), PIXELS),
        (nn.Conv2d(6, 6, 1, bias=False), PIXELS * 2 * 6),
        (nn.AvgPool2d(3, stride=1, padding=1), PIXELS * 9),
        (nn.AvgPool2d(2), PIXELS),
        (ReLUConvBN(6, kernel=3).eval(), PIXELS * (1 + 2 * 6 * 9 + 2)),
        (nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 10)), 2 * PIXELS * 10),
    ],
)
def test_operations_are_counted_by_hand(network, expected):
    assert costs.flops(network, EXAMPLE) == expected


def test_operations_of_a_whole_are_those_of_its_parts():
    one, other = ReLUConvBN(6, kernel=3).eval(), nn.AvgPool2d(2)
    assert costs.flops(nn.Sequential(one, other), EXAMPLE) == costs.flops(one, EXAMPLE) + costs.flops(other, EXAMPLE)


def test_an_operation_without_a_formula_is_an_error_rather_than_nothing():
    with pytest.raises(UsageError, match="sigmoid"):
        costs.flops(nn.Sigmoid(), EXAMPLE)


def test_latency_grows_with_the_network_and_leaves_the_threads_alone():
    threads = torch.get_num_threads()
    small, large = (CellNetwork([(0, 1, "nor_conv_3x3")], channels=8, cells=(n,), classes=10).eval() for n in (1, 20))
    images = torch.zeros(1, 1, 8, 8)
    slow, fast = costs.latency(large, images), costs.latency(small, images)
    assert 0 < fast.median_ms < slow.median_ms
    assert fast.iqr_ms >= 0
    assert torch.get_num_threads() == threads


def test_a_reproducible_block_restores_threads_and_stream_even_when_it_fails():
    threads, state = torch.get_num_threads(), torch.get_rng_state()

    def fail() -> None:
        with reproducible(1):
            torch.rand(3)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_the_seed_decides_what_a_reproducible_block_draws():
    def draw(seed: int) -> torch.Tensor:
        with reproducible(seed):
            return torch.rand(3)

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))


def test_a_single_thread_is_one_thread():
    with single_thread():
        assert torch.get_num_threads() == 1
