"""Time that a network takes on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optiproxy.training.forward import Inputs, arguments, evaluating

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Time of one forward pass.

    Attributes:
        median_ms: Milliseconds.
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
        threads: That torch may use.
        seconds: To spend at least.
    """
    inputs = arguments(example)
    with evaluating(network):
        return timed(lambda: network(*inputs), threads=threads, seconds=seconds)


def timed(call: Callable[[], object], *, threads: int = 1, seconds: float = 0.05) -> Latency:
    """Median and spread of a call's time, over blocks of calls: a pause of the machine spoils a block and neither quartile.

    Args:
        call: Repeated as often as fits, at least 15 times.
        threads: That torch may use.
        seconds: To spend about, warming up aside.
    """
    from torch.utils.benchmark import Measurement, Timer

    timer = Timer("call()", globals={"call": call}, num_threads=threads)
    # torch's own `blocked_autorange` makes blocks so long that a short measurement has too few of them for a spread.
    block = max(1, int(seconds / _BLOCKS / timer.timeit(1).median))
    (measured,) = Measurement.merge([timer.timeit(block) for _ in range(_BLOCKS)])
    return Latency(median_ms=1e3 * measured.median, iqr_ms=1e3 * measured.iqr)


_BLOCKS = 15
