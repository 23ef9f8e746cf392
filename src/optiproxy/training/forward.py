"""One forward pass of a network: how much memory it needs and how long it takes."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from optiproxy.spaces.building.dry_run import Inputs as Inputs
from optiproxy.spaces.building.dry_run import arguments as arguments
from optiproxy.spaces.building.dry_run import evaluating as evaluating
from optiproxy.training.operations import Operations

if TYPE_CHECKING:
    from torch.utils.benchmark import Measurement


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bytes of one forward pass.

    Attributes:
        weights: Bytes of parameters and buffers.
        activations: Largest sum, at any time, of the inputs and of everything that the pass has made and still holds.
    """

    weights: int
    activations: int

    @property
    def peak(self) -> int:
        """Weights and activations together."""
        return self.weights + self.activations


def memory(network: nn.Module, example: Inputs) -> Memory:
    """Count the bytes of all tensors that live at once, which is the same on every machine.

    What a kernel allocates and frees within itself is not seen, nor is what the allocator keeps in reserve.

    Args:
        network: Measured in evaluation mode and without gradients, so that nothing is kept for a backward pass.
        example: One input, ``(1, ...)``.
    """
    with evaluating(network, example) as inputs:
        # Storages and not tensors, because views and tied weights share one.
        kept = {tensor.untyped_storage() for tensor in (*network.parameters(), *network.buffers())}
        given = {tensor.untyped_storage() for tensor in inputs}
        with _Living(known=kept | given) as living:
            network(*inputs)
    # An input that is a weight as well is counted as a weight.
    held = given - kept
    return Memory(weights=_bytes(kept), activations=_bytes(held) + living.most)


def _bytes(storages: set[torch.UntypedStorage]) -> int:
    return sum(storage.nbytes() for storage in storages)


class _Living(Operations):
    """Follows the storages that operations make: how many bytes live now, and how many lived at most.

    Args:
        known: Storages that were there before, which are not counted.
    """

    def __init__(self, *, known: set[torch.UntypedStorage]) -> None:
        super().__init__()
        self.most = 0
        self._now = 0
        self._seen: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet(known)

    def saw(
        self,
        operation: Any,  # noqa: ANN401, ARG002 - as in `Operations`
        arguments: tuple[Any, ...],  # noqa: ARG002
        named: Mapping[str, Any],  # noqa: ARG002
        result: Any,  # noqa: ANN401
    ) -> None:
        for made in tree_leaves(result):
            if isinstance(made, Tensor):
                self._follow(made.untyped_storage())

    def _follow(self, storage: torch.UntypedStorage) -> None:
        # Views and in-place operations return storages that are counted already.
        if storage in self._seen:
            return
        self._seen.add(storage)
        self._now += storage.nbytes()
        self.most = max(self.most, self._now)
        # A dispatch mode sees what is made; that it is freed only its finalizer tells.
        weakref.finalize(storage, self._freed, storage.nbytes())

    def _freed(self, size: int) -> None:
        self._now -= size


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
    with evaluating(network, example) as inputs:
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
    with evaluating(network, example) as inputs, evaluating(reference, example):
        timers = [_Blocks(lambda: network(*inputs), threads=threads, seconds=seconds / 2)]
        timers += [_Blocks(lambda: reference(*inputs), threads=threads, seconds=seconds / 2)]
        # In turn, block by block: the clock frequency and other load change more slowly than that.
        pairs = [[timer.one().median for timer in timers] for _ in range(_BLOCKS)]
    # The median of ratios and not the ratio of medians: what disturbs a pair disturbs both of its halves.
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
