"""Tasks whose networks are built from arguments: how such a task trains, and what it measures beforehand."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from optiproxy.metrics import Metric
from optiproxy.spaces import Architecture
from optiproxy.training.tasks.trained_task import Trained, TrainingTask

if TYPE_CHECKING:
    from torch import Tensor, nn

COSTS = (
    Metric(name="params", direction="min", free=True),
    Metric(name="flops", direction="min", free=True),
    Metric(name="latency_ms", direction="min", unit="ms", free=True),
    Metric(name="latency_iqr_ms", direction="min", unit="ms", free=True),
)
"""What the untrained network tells."""

TRAINING_SECONDS = Metric(name="training_seconds", direction="min", unit="s")
"""Processor time, so that other trainings on the machine do not count."""

N = TypeVar("N", bound="nn.Module")
D = TypeVar("D")


class NetworkTask(TrainingTask, Generic[N, D]):
    """Trains networks ``N`` on data ``D``. Subclasses say what both are, and how to fit and to score.

    Isomorphic architectures are one network: the canonical one is trained and measured. Costs are measured once per
    canonical architecture and kept, also in a copy of the task that is sent to another process.

    Among `metrics` are `COSTS`, `TRAINING_SECONDS` and what `score` returns.
    """

    def __init__(self) -> None:
        self._costs: dict[Architecture, dict[str, float]] = {}

    @abstractmethod
    def data(self) -> D:
        """Called before every training; loads but once."""

    @abstractmethod
    def arguments(self, architecture: Architecture) -> dict[str, Any]:
        """Of the network that a canonical architecture stands for; literals only."""

    @abstractmethod
    def build(self, arguments: dict[str, Any]) -> N:
        """The untrained network; torch's own stream draws its weights."""

    @abstractmethod
    def example(self) -> Tensor:
        """One input of every network, ``(1, ...)``: for what costs are measured."""

    @abstractmethod
    def fit(self, network: N, data: D, *, epochs: int, seed: int) -> None:
        """Train in place; processor time is taken of this alone. Raising means that the training failed."""

    @abstractmethod
    def score(self, network: N, data: D) -> dict[str, float]:
        """What the trained network is worth on the parts of the data that it was not trained on."""

    def untrained(self, architecture: Architecture) -> N:
        """The network of an architecture, always with the same weights, in evaluation mode."""
        from optiproxy.training.tasks.determinism import reproducible

        with reproducible(0):
            return self.build(self.arguments(self.space.canonical(architecture))).eval()

    def train(self, architecture: Architecture, *, seed: int = 0, epochs: int | None = None) -> Trained:
        from optiproxy.training.tasks.determinism import reproducible

        epochs = self.full_or(epochs)
        data = self.data()
        arguments = self.arguments(self.space.canonical(architecture))
        with reproducible(seed):
            network = self.build(arguments)
            # Of this thread, which does all the work.
            start = time.thread_time()
            self.fit(network, data, epochs=epochs, seed=seed)
            seconds = time.thread_time() - start
            metrics = {
                **self.score(network.eval(), data),
                **self.free_metrics(architecture),
                TRAINING_SECONDS.name: seconds,
            }
        return Trained(network=network, arguments=arguments, example=self.example(), metrics=metrics)

    def free_metrics(self, architecture: Architecture) -> dict[str, float]:
        form = self.space.canonical(architecture)
        if form not in self._costs:
            self._costs[form] = self._measure(form)
        return dict(self._costs[form])

    def _measure(self, form: Architecture) -> dict[str, float]:
        from optiproxy.training.costs import costs

        network, example = self.untrained(form), self.example()
        latency = costs.latency(network, example)
        return {
            "params": float(costs.parameters(network)),
            "flops": float(costs.flops(network, example)),
            "latency_ms": latency.median_ms,
            "latency_iqr_ms": latency.iqr_ms,
        }
