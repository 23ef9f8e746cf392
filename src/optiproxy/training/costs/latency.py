"""Time that a network takes on this machine, alone and compared with another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from optiproxy.training.costs.forward import Inputs, arguments, evaluating

if TYPE_CHECKING:
    from torch import nn
    from torch.utils.benchmark import Measurement


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Time of one forward pass.

    Attributes:
        median_ms: Median in milliseconds.
        iqr_ms: Interquartile range in milliseconds.
    """

    median_ms: float
    iqr_ms: float

    def __str__(self) -> str:
        return f"{self.median_ms:.3g} ms (interquartile range {self.iqr_ms:.2g} ms)"


def latency(network: nn.Module, example: Inputs, *, threads: int = 1, seconds: float = 0.05) -> Latency:
    """Time forward passes on this machine.

    Args:
        network: Measured in evaluation mode and without gradients.
        example: One input, ``(1, ...)``.
        threads: Threads that torch may use.
        seconds: Time to spend at least.
    """
    inputs = arguments(example)
    with evaluating(network):
        return timed(lambda: network(*inputs), threads=threads, seconds=seconds)


def ratio(
    network: nn.Module, reference: nn.Module, example: Inputs, *, threads: int = 1, seconds: float = 0.05
) -> float:
    """Measure the latency of a network over that of another one, in turn: what slows the machine slows both.

    Args:
        network: Measured in evaluation mode and without gradients.
        reference: The other network, measured likewise.
        example: One input of both, ``(1, ...)``.
        threads: Threads that torch may use.
        seconds: Time to spend at least.

    Returns:
        Median of the ratio over pairs of blocks.
    """
    inputs = arguments(example)
    with evaluating(network), evaluating(reference):
        timers = [_Blocks(lambda: network(*inputs), threads=threads, seconds=seconds / 2)]
        timers += [_Blocks(lambda: reference(*inputs), threads=threads, seconds=seconds / 2)]
        # In turn, block by block: the clock frequency and other load change more slowly than that.
        pairs = [[timer.one().median for timer in timers] for _ in range(_BLOCKS)]
    return median(mine / other for mine, other in pairs)


def timed(call: Callable[[], object], *, threads: int = 1, seconds: float = 0.05) -> Latency:
    """Measure a call's time over blocks of calls: a pause of the machine spoils a block, and neither quartile.

    Args:
        call: Repeated as often as fits, at least 15 times.
        threads: Threads that torch may use.
        seconds: Time to spend, about, warming up aside.
    """
    from torch.utils.benchmark import Measurement

    blocks = _Blocks(call, threads=threads, seconds=seconds)
    (measured,) = Measurement.merge([blocks.one() for _ in range(_BLOCKS)])
    return Latency(median_ms=1e3 * measured.median, iqr_ms=1e3 * measured.iqr)


_BLOCKS = 15
"""Blocks of calls in a measurement: enough for quartiles."""


class _Blocks:
    """Blocks of calls of which `_BLOCKS` take about the given time; torch is warmed up."""

    def __init__(self, call: Callable[[], object], *, threads: int, seconds: float) -> None:
        from torch.utils.benchmark import Timer

        self._timer = Timer("call()", globals={"call": call}, num_threads=threads)
        # torch's own `blocked_autorange` makes blocks so long that a short measurement has too few of them for a spread.
        self._size = max(1, int(seconds / _BLOCKS / self._timer.timeit(1).median))

    def one(self) -> Measurement:
        return self._timer.timeit(self._size)
