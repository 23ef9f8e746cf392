from __future__ import annotations

import pytest
import torch
from torch import nn

from optiproxy.training.flops import UncountedWarning, flops
from optiproxy.training.tasks.cell_network import ReLUConvBN

EXAMPLE = torch.zeros(1, 6, 8, 8)
PIXELS = 6 * 8 * 8
TOKENS = torch.zeros(1, 5, 16)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (nn.Identity(), 0),
        (nn.ReLU(), PIXELS),
        (nn.SiLU(), PIXELS),
        (nn.Dropout(0.5), 0),
        (nn.Conv2d(6, 6, 1, bias=False), PIXELS * 2 * 6),
        (nn.AvgPool2d(3, stride=1, padding=1), PIXELS * 9),
        (nn.MaxPool2d(2), PIXELS),
        (nn.AvgPool2d(2), PIXELS),
        (nn.AdaptiveAvgPool2d(1), PIXELS),
        (nn.Softmax(dim=1), 5 * PIXELS),
        (ReLUConvBN(6, kernel=3), PIXELS * (1 + 2 * 6 * 9 + 2)),
        (nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 10)), 2 * PIXELS * 10),
    ],
)
def test_operations_are_counted_by_hand(network, expected):
    assert flops(network, EXAMPLE) == expected


def test_operations_of_a_whole_are_those_of_its_parts():
    one, other = ReLUConvBN(6, kernel=3), nn.AvgPool2d(2)
    assert flops(nn.Sequential(one, other), EXAMPLE) == flops(one, EXAMPLE) + flops(other, EXAMPLE)


def test_fused_attention_counts_the_products_that_it_hides():
    class Attention(nn.Module):
        def forward(self, x):
            return nn.functional.scaled_dot_product_attention(x, x, x)

    products, softmax = 2 * 2 * 5 * 5 * 16, 5 * 5 * 5
    assert flops(Attention(), TOKENS[None]) == products + softmax
    layer = nn.TransformerEncoderLayer(16, 4, dim_feedforward=32, batch_first=True)
    projections = 2 * 5 * (16 * 48 + 16 * 16 + 2 * 16 * 32)
    counted = flops(layer, TOKENS)
    assert projections + products < counted < 1.2 * (projections + products)
    assert torch.backends.mha.get_fastpath_enabled()
    assert torch.backends.mkldnn.enabled


def test_recurrence_counts_every_step():
    once, twice = (flops(nn.LSTM(16, 8, batch_first=True), TOKENS[:, :steps]) for steps in (2, 4))
    gates = 2 * 4 * 8 * (16 + 8)
    assert 2 * gates < once < 2 * gates * 1.3
    assert twice == 2 * once


def test_several_inputs_are_passed_as_a_tuple():
    class Sum(nn.Module):
        def forward(self, x, y):
            return x + y

    assert flops(Sum(), (torch.zeros(1, 3), torch.zeros(1, 3))) == 3


def test_an_operation_without_a_count_is_named_and_the_rest_is_counted():
    class Sorting(nn.Module):
        def forward(self, x):
            return torch.relu(x).sort().values

    with pytest.warns(UncountedWarning, match=r"aten\.sort.*Sorting are more than the 384"):
        assert flops(Sorting(), EXAMPLE) == PIXELS


def test_the_network_is_counted_in_evaluation_mode_and_left_as_it_was():
    network = nn.Sequential(nn.BatchNorm2d(6), nn.Dropout(0.5).eval())
    before = network[0].running_mean.clone()
    assert flops(network, EXAMPLE + 1) == 2 * PIXELS
    assert torch.equal(network[0].running_mean, before)
    assert (network.training, network[0].training, network[1].training) == (True, True, False)


def test_a_network_that_fails_is_left_as_it_was():
    network = nn.Sequential(nn.Linear(7, 7))
    with pytest.raises(RuntimeError):
        flops(network, EXAMPLE)
    assert network.training
    assert torch.backends.mkldnn.enabled
