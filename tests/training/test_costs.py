from __future__ import annotations

import pytest
import torch
from torch import nn

from optiproxy.errors import UsageError
from optiproxy.training import costs
from optiproxy.training.tasks.cell_network import CellNetwork, ReLUConvBN
from optiproxy.training.tasks.network_task import reproducible, single_thread

EXAMPLE = torch.zeros(1, 6, 8, 8)
PIXELS = 6 * 8 * 8


def test_parameters_are_counted_by_hand():
    assert costs.parameters(ReLUConvBN(6, kernel=3)) == 6 * 6 * 9 + 2 * 6


def test_frozen_weights_are_no_parameters():
    layer = nn.Linear(3, 4)
    layer.bias.requires_grad_(False)
    assert costs.parameters(layer) == 12


def test_costs_are_functions_of_the_network_alone():
    network = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 10))
    measured = costs.Costs(EXAMPLE, seconds=0.001)
    assert measured.params(network) == PIXELS * 10 + 10
    assert measured.flops(network) == 2 * PIXELS * 10
    assert measured.memory_mb(network) == 4 * (PIXELS * 10 + 10 + PIXELS + 10) / 1e6
    assert measured.latency_ms(network) > 0
    assert network.training


def test_memory_has_its_parts():
    network, measured = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 10)), costs.Costs(EXAMPLE)
    assert measured.weights_mb(network) == 4 * (PIXELS * 10 + 10) / 1e6
    assert measured.activations_mb(network) == 4 * (PIXELS + 10) / 1e6


def test_memory_is_the_same_under_inference_mode():
    class Inferring(nn.Sequential):
        forward = torch.inference_mode()(nn.Sequential.forward)

    parts = [nn.InstanceNorm2d(6), nn.Upsample(scale_factor=2), nn.Flatten(), nn.Linear(4 * PIXELS, 10)]
    assert costs.memory(Inferring(*parts), EXAMPLE) == costs.memory(nn.Sequential(*parts), EXAMPLE)


@pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")
@pytest.mark.parametrize("cost", ["params", "flops", "memory_mb", "latency_ms"])
def test_lazy_modules_have_weights_before_anything_is_counted(cost):
    network = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(3))
    state = torch.get_rng_state()
    measure = getattr(costs.Costs(torch.zeros(1, 3, 8, 8), seconds=0.001), cost)
    assert measure(network) > 0
    assert torch.equal(torch.get_rng_state(), state)
    assert network.training
    # Convolution, normalization, classifier.
    assert costs.parameters(network) == (3 * 9 + 1) * 4 + 2 * 4 + (144 + 1) * 3


@pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")
def test_weights_without_a_shape_cannot_be_counted_and_it_is_said_why():
    with pytest.raises(UsageError, match=r"Linear has lazy modules whose weights have no shape yet\. Run an input"):
        costs.parameters(nn.LazyLinear(3))


def test_latency_grows_with_the_network_and_leaves_the_threads_alone():
    threads = torch.get_num_threads()
    small, large = (CellNetwork([(0, 1, "nor_conv_3x3")], channels=8, cells=(n,), classes=10) for n in (1, 20))
    images = torch.zeros(1, 1, 8, 8)
    slow, fast = costs.latency(large, images), costs.latency(small, images)
    assert 0 < fast.median_ms < slow.median_ms
    assert fast.iqr_ms >= 0
    assert torch.get_num_threads() == threads


def test_latency_is_measured_in_evaluation_mode():
    seen = []

    class Watching(nn.Module):
        def forward(self, x):
            seen.append((self.training, torch.is_grad_enabled(), torch.get_num_threads()))
            return x

    network = Watching()
    costs.latency(network, EXAMPLE, threads=1, seconds=0.01)
    assert set(seen) == {(False, False, 1)}
    assert network.training


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
