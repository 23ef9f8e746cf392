"""What a network costs, known without training it: parameters, floating-point operations, memory, latency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optiproxy.training.costs.flops import flops as flops
from optiproxy.training.costs.forward import Inputs
from optiproxy.training.costs.latency import Latency as Latency
from optiproxy.training.costs.latency import latency as latency
from optiproxy.training.costs.memory import Memory as Memory
from optiproxy.training.costs.memory import memory as memory
from optiproxy.training.export.graph_files import onnx_latency as onnx_latency

if TYPE_CHECKING:
    from torch import nn


def parameters(network: nn.Module) -> int:
    """Count the trainable weights."""
    return sum(weights.numel() for weights in network.parameters() if weights.requires_grad)


@dataclass(frozen=True)
class Costs:
    """Free metrics of a user's own networks, each a function of the network alone.

    Example::

        costs = optiproxy.Costs(torch.zeros(1, 3, 32, 32))
        optiproxy.search(
            space,
            train,
            budget=40,
            free={"params": costs.params, "latency_ms": costs.latency_ms},
            limits=["params<=1e6", "latency_ms<=2"],
        )

    Attributes:
        example: One input of every network, ``(1, ...)``; several as a tuple.
        threads: Threads that latency is measured with.
        seconds: Time that a measurement of latency spends.
    """

    example: Inputs
    threads: int = 1
    seconds: float = 0.05

    def params(self, network: nn.Module) -> float:
        """Count the trainable weights."""
        return float(parameters(network))

    def flops(self, network: nn.Module) -> float:
        """Count the floating-point operations of one forward pass; a multiply-add counts as two."""
        return float(flops(network, self.example))

    def memory_mb(self, network: nn.Module) -> float:
        """Measure the peak of weights and activations that live at once, in 10^6 bytes."""
        # Megabytes of 10^6 bytes, as data sheets of devices count them.
        return memory(network, self.example).peak / 1e6

    def latency_ms(self, network: nn.Module) -> float:
        """Measure the median time of one forward pass in torch on this machine, in milliseconds."""
        return latency(network, self.example, threads=self.threads, seconds=self.seconds).median_ms

    def onnx_latency_ms(self, network: nn.Module) -> float:
        """Measure the median time of one forward pass in ONNX Runtime on this machine, in milliseconds.

        The network is exported first, which takes seconds.

        Raises:
            UsageError: If the extra ``onnx`` is not installed, or the network cannot be exported.
        """
        return onnx_latency(network, self.example, threads=self.threads, seconds=self.seconds).median_ms
