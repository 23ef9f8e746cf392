from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import nn

from optiproxy.errors import UsageError
from optiproxy.training.costs import Costs
from optiproxy.training.latency import latency, measuring_device
from optiproxy.training.repeating import FEWEST, SpreadWarning

EXAMPLE = torch.zeros(1, 4)


class Busy(nn.Module):
    """Takes so many turns of a loop, one after the other, and again from the first."""

    def __init__(self, *turns: int) -> None:
        super().__init__()
        self.turns = itertools.cycle(turns)

    def forward(self, x):
        total = 0.0
        for i in range(next(self.turns)):
            total += math.sqrt(i)
        return x + total


def test_three_times_the_work_is_told_apart():
    costs = Costs(EXAMPLE)
    light, heavy = costs.latency(Busy(2000)), costs.latency(Busy(6000))
    assert 2 < heavy.median_ms / light.median_ms < 4.5
    assert heavy.median_ms > light.p90_ms * 1.2
    for found in (light, heavy):
        assert found.calls >= FEWEST
        assert found.p90_ms >= found.median_ms
        assert found.iqr_ms >= 0
        assert found.settled == (found.spread <= 0.05)


@pytest.mark.slow
def test_what_the_machine_does_meanwhile_is_reported():
    """Blocks of light calls beside blocks of heavy ones, as on a machine that is busy every now and then."""
    turns = [1500] * 100 + [6000] * 100
    costs = Costs(EXAMPLE, seconds=1.5)
    with pytest.warns(SpreadWarning, match=r"latency_ms = .* readings in 1\.5 s, which spread by ±\d+ % and not ±5 %"):
        value = costs.latency_ms(Busy(*turns))
    assert value > 0


def test_the_chosen_value_is_what_a_limit_judges():
    network, short = Busy(*[500] * 4 + [20000]), {"tolerance": 10.0, "seconds": 20}
    median, p90 = (Costs(EXAMPLE, **short, judged_by=by).latency_ms(network) for by in ("median", "p90"))
    assert p90 > 3 * median


def test_a_slow_network_is_measured_no_longer_than_it_has_to_be():
    found = latency(Busy(100_000), EXAMPLE, seconds=1e-4)
    assert (found.calls, found.spread, found.settled) == (1, math.inf, False)


def test_a_tolerance_that_is_wide_ends_early():
    assert latency(Busy(20_000), EXAMPLE, tolerance=1e9, seconds=600).settled


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"threads": 0}, "at least 1 thread, got 0"),
        ({"device": "gpu"}, "Expected a device like 'cpu' or 'cuda:0', got 'gpu'"),
        ({"device": "meta"}, "'cpu' and on CUDA devices, got 'meta'"),
        ({"device": "cuda:4711"}, r"Expected one of the \d+ CUDA devices that torch sees here, got 'cuda:4711'"),
        ({"seconds": 0}, "more than 0 seconds"),
    ],
)
def test_settings_that_make_no_sense_are_refused_at_once(arguments, told):
    with pytest.raises(UsageError, match=told):
        Costs(EXAMPLE, **arguments)


def test_the_device_of_the_example_is_where_it_is_measured():
    with pytest.raises(UsageError, match="got 'meta'"):
        latency(Busy(1), EXAMPLE.to("meta"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_device_is_timed_by_its_own_clock():
    wide = nn.Sequential(*(nn.Linear(4096, 4096, bias=False) for _ in range(8)))
    costs = Costs(torch.zeros(4096, 4096), device="cuda")
    light, heavy = costs.latency(wide[:2]), costs.latency(wide[:6])
    assert 2 < heavy.median_ms / light.median_ms < 4
    # A copy was measured: the network is where it was.
    assert {weights.device.type for weights in wide.parameters()} == {"cpu"}
    assert measuring_device("cuda") == torch.device("cuda", torch.cuda.current_device())
