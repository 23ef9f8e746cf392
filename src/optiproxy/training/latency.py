"""How long one forward pass takes, on the processor or on a CUDA device of this machine."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from statistics import fmean, median

import torch
from torch import nn

from optiproxy.errors import UsageError
from optiproxy.training.forward import Inputs, arguments, evaluating
from optiproxy.training.repeating import FEWEST, Precision, Readings, repeated

PRECISION = Precision()
"""Five per cent, or two seconds."""

_BLOCK = 0.02
"""Seconds of calls in a block: some of the turns in which a busy machine serves its processes."""

_PAIRS = 15
"""Pairs of blocks in a ratio: enough for quartiles."""


@dataclass(frozen=True, kw_only=True)
class Latency(Readings):
    """Time of one forward pass: readings in milliseconds, each of one call."""

    @property
    def median_ms(self) -> float:
        """Median in milliseconds."""
        return self.median

    @property
    def p90_ms(self) -> float:
        """Milliseconds that nine of ten calls take at most."""
        return self.p90

    @property
    def iqr_ms(self) -> float:
        """Interquartile range of single calls in milliseconds."""
        return self.iqr

    @property
    def calls(self) -> int:
        """Number of calls."""
        return self.count

    def __str__(self) -> str:
        return f"{self.median_ms:.3g} ms (interquartile range {self.iqr_ms:.2g} ms)"


def latency(
    network: nn.Module,
    example: Inputs,
    *,
    threads: int = 1,
    seconds: float = PRECISION.seconds,
    tolerance: float = PRECISION.tolerance,
    device: str | None = None,
) -> Latency:
    """Time forward passes on this machine until the spread of their median is small, or the time is over.

    Args:
        network: Measured in evaluation mode and without gradients; a copy where it lies on another device.
        example: One input, ``(1, ...)``.
        threads: Threads that torch may use.
        seconds: Time limit, warming up aside.
        tolerance: Largest half-width of a 95 % interval of the median, relative to it, to be content with.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``; None means where the example is.

    Raises:
        UsageError: If there is no such device here.
    """
    inputs = arguments(example)
    where = measuring_device(device or inputs[0].device)
    inputs, network = tuple(tensor.to(where) for tensor in inputs), _on(network, where)
    with evaluating(network, inputs), _threads(threads):
        return _timed(lambda: network(*inputs), _stopwatch(where), seconds=seconds, tolerance=tolerance)


def timed(
    call: Callable[[], object],
    *,
    threads: int = 1,
    seconds: float = PRECISION.seconds,
    tolerance: float = PRECISION.tolerance,
) -> Latency:
    """Time a call on the processor, like `latency`."""
    with _threads(threads):
        return _timed(call, _cpu_seconds, seconds=seconds, tolerance=tolerance)


def ratio(
    network: nn.Module, reference: nn.Module, example: Inputs, *, threads: int = 1, seconds: float = 0.05
) -> float:
    """Measure the latency of a network over that of another one, in turn: what slows the machine slows both.

    Args:
        network: Measured in evaluation mode and without gradients.
        reference: The other network, measured likewise.
        example: One input of both, ``(1, ...)``.
        threads: Threads that torch may use.
        seconds: Time to spend, about.

    Returns:
        Median of the ratio over pairs of blocks.
    """
    with evaluating(network, example) as inputs, evaluating(reference, example), _threads(threads):
        calls: list[Callable[[], object]] = [lambda: network(*inputs), lambda: reference(*inputs)]
        block = seconds / _PAIRS / 2
        sizes = [_warmed_up(call, _cpu_seconds, block=block) for call in calls]
        # In turn, block by block: the clock frequency and other load change more slowly than that.
        pairs = [
            [sum(_cpu_seconds(call) for _ in range(size)) / size for call, size in zip(calls, sizes, strict=True)]
            for _ in range(_PAIRS)
        ]
    # The median of ratios and not the ratio of medians: what disturbs a pair disturbs both of its halves.
    return median(mine / other for mine, other in pairs)


def measuring_device(name: str | torch.device) -> torch.device:
    """The device of this name, with its number.

    Raises:
        UsageError: If it is neither a processor nor a CUDA device that is here.
    """
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise UsageError(f"Expected a device like 'cpu' or 'cuda:0', got {name!r}.") from error
    if device.type == "cpu":
        return torch.device("cpu")
    if device.type != "cuda":
        raise UsageError(
            f"Latency is measured on 'cpu' and on CUDA devices, got {str(device)!r}. For another device give a function of "
            "your own, optiproxy.Repeated(measure)."
        )
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    # From the name: torch keeps the number in one byte.
    number = int(str(name).partition(":")[2] or (torch.cuda.current_device() if count else 0))
    if number >= count:
        raise UsageError(f"Expected one of the {count} CUDA devices that torch sees here, got {str(name)!r}.")
    return torch.device("cuda", number)


Stopwatch = Callable[[Callable[[], object]], float]
"""Calls once and returns the seconds that it took."""


def _cpu_seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _stopwatch(device: torch.device) -> Stopwatch:
    return _cpu_seconds if device.type == "cpu" else _cuda_stopwatch(device)


def _cuda_stopwatch(device: torch.device) -> Stopwatch:
    """From the start of a call to its last kernel, by the clock of the device."""

    def seconds(call: Callable[[], object]) -> float:
        with torch.cuda.device(device):
            start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            # Idle before, so that no earlier kernel is timed; awaited after, so that none is left for the next call.
            torch.cuda.synchronize(device)
            start.record()
            call()
            end.record()
            end.synchronize()
            return 1e-3 * start.elapsed_time(end)

    return seconds


def _timed(call: Callable[[], object], stopwatch: Stopwatch, *, seconds: float, tolerance: float) -> Latency:
    size = _warmed_up(call, stopwatch, block=min(_BLOCK, seconds / FEWEST))
    found = repeated(lambda: 1e3 * stopwatch(call), size=size, tolerance=tolerance, seconds=seconds)
    return Latency(**vars(found))


def _warmed_up(call: Callable[[], object], stopwatch: Stopwatch, *, block: float) -> int:
    """Call for two blocks' time, at least twice: the number of calls that a block has room for."""
    taken: list[float] = []
    end = time.perf_counter() + 2 * block
    # The first call allocates, compiles and chooses kernels.
    while len(taken) < 2 or time.perf_counter() < end:
        taken.append(stopwatch(call))
    return max(1, math.floor(block / fmean(taken[1:])))


def _on(network: nn.Module, device: torch.device) -> nn.Module:
    """The network, or a copy on the device where a part of it lies elsewhere."""
    tensors = chain(network.parameters(), network.buffers())
    # A copy, because other costs are measured on the network where it is.
    return network if all(tensor.device == device for tensor in tensors) else copy.deepcopy(network).to(device)


@contextmanager
def _threads(number: int) -> Generator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
