"""What a network costs, known without training it: parameters, floating-point operations, latency."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from optiproxy.errors import UsageError
from optiproxy.training.determinism import single_thread


def parameters(network: nn.Module) -> int:
    """Number of trainable weights."""
    return sum(weights.numel() for weights in network.parameters() if weights.requires_grad)


def flops(network: nn.Module, example: Tensor) -> int:
    """Floating-point operations of one forward pass; a multiply-add counts as two.

    torch's own counter knows convolutions and matrix products and passes over the rest without a word. Here
    normalization, pooling, activations and sums count as well, and what nobody has a formula for is an error.

    Args:
        network: In evaluation mode.
        example: One input, ``(1, ...)``.

    Raises:
        UsageError: If the network uses an operation without a known count.
    """
    with torch.no_grad(), _FlopCount() as counted:
        network(example)
    return counted.total


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Time of one forward pass.

    Attributes:
        median_ms: Milliseconds.
        iqr_ms: Interquartile range in milliseconds.
    """

    median_ms: float
    iqr_ms: float


def latency(network: nn.Module, example: Tensor, *, warmup: int = 10, calls: int = 101) -> Latency:
    """Time single forward passes on one thread of this machine.

    Args:
        network: In evaluation mode.
        example: One input, ``(1, ...)``.
        warmup: Calls before the clock counts: the first ones allocate.
        calls: Timed one by one, so that a pause of the machine spoils a call and neither quartile.
    """
    milliseconds: list[float] = []
    with torch.inference_mode(), single_thread():
        for _ in range(warmup):
            network(example)
        for _ in range(calls):
            start = time.perf_counter_ns()
            network(example)
            milliseconds.append((time.perf_counter_ns() - start) / 1e6)
    lower, median, upper = statistics.quantiles(milliseconds, n=4)
    return Latency(median_ms=median, iqr_ms=upper - lower)


class _FlopCount(TorchDispatchMode):
    """Sees every operation that torch executes within its context and adds up their counts."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 - torch does not export the type of its operations
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the operation returns
        result = func(*args, **(kwargs or {}))
        packet = func.overloadpacket
        if packet in flop_registry:
            self.total += flop_registry[packet](*args, **(kwargs or {}), out_val=result)
        elif packet in _FORMULAS:
            self.total += _FORMULAS[packet](args, result)
        elif packet not in _NO_ARITHMETIC:
            raise UsageError(f"Counting operations needs a formula for {packet}; add one in optiproxy.training.costs.")
        return result


_ATEN = torch.ops.aten

_FORMULAS: dict[Any, Callable[[tuple[Any, ...], Any], int]] = {
    _ATEN.relu: lambda _, result: result.numel(),
    _ATEN.add: lambda _, result: result.numel(),
    # With fixed statistics: one scale and one shift.
    _ATEN.native_batch_norm: lambda _, result: 2 * result[0].numel(),
    _ATEN.avg_pool2d: lambda args, result: result.numel() * math.prod(args[1]),
    _ATEN.mean: lambda args, _: args[0].numel(),
}
"""Operation -> its count from arguments and result, where torch's registry has none."""

_NO_ARITHMETIC = {_ATEN.empty, _ATEN.zeros_like, _ATEN.t, _ATEN.view, _ATEN.detach}
"""Operations that only arrange memory."""
