from __future__ import annotations

from itertools import pairwise

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from optiproxy.training.forward import Memory, memory

FLOAT = 4


def linear(*widths: int) -> nn.Sequential:
    return nn.Sequential(*(nn.Linear(a, b, bias=False) for a, b in pairwise(widths)))


@given(st.lists(st.integers(1, 50), min_size=2, max_size=5))
def test_a_chain_holds_the_input_and_two_neighbors_at_a_time(widths):
    measured = memory(linear(*widths), torch.zeros(1, widths[0]))
    made = widths[1:]
    pairs = [sum(made[i : i + 2]) for i in range(max(1, len(made) - 1))]
    assert measured.activations == FLOAT * (widths[0] + max(pairs))
    assert measured.weights == FLOAT * sum(a * b for a, b in pairwise(widths))
    assert measured.peak == measured.weights + measured.activations


def test_what_a_skip_connection_keeps_counts_for_as_long_as_it_lives():
    class Skip(nn.Module):
        def forward(self, x):
            kept = x + 1
            return torch.relu(kept * 2) + kept

    assert memory(Skip(), torch.zeros(1, 10)).activations == FLOAT * 40


def test_views_and_work_in_place_need_nothing():
    class InPlace(nn.Module):
        def forward(self, x):
            return x.view(5, 2).t().relu_()

    assert memory(InPlace(), torch.zeros(1, 10)) == Memory(weights=0, activations=FLOAT * 10)


def test_shared_weights_and_buffers_count_once():
    layer = nn.Linear(3, 3, bias=False)
    network = nn.Sequential(layer, layer, nn.BatchNorm1d(3))
    counter = 8
    assert memory(network, torch.zeros(1, 3)).weights == FLOAT * (9 + 4 * 3) + counter


def test_nothing_is_kept_for_a_backward_pass():
    widths = [10] * 6
    assert memory(linear(*widths), torch.zeros(1, 10)).activations == FLOAT * 30
