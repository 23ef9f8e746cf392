"""Tasks whose queries train a network that can be kept: the contract, and how networks built from arguments are trained.

Importing this is light: torch loads when a network is built.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from optiproxy.errors import UsageError
from optiproxy.metrics import Metric
from optiproxy.spaces import Architecture
from optiproxy.task.task import Task

if TYPE_CHECKING:
    from torch import Tensor, nn

    from optiproxy.spaces.building.dry_run import Inputs


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A network after its training.

    Attributes:
        network: In evaluation mode.
        arguments: ``type(network)(**arguments)`` builds the same network untrained; literals only, so that they can be
            written down, and the class lies in a module that imports nothing but torch and the standard library. None where
            this does not hold.
        example: One input, ``(1, ...)``, of the shape and type that the network takes; several as a tuple.
        metrics: What was measured, as `optiproxy.task.task.Task.evaluate` returns it.
    """

    network: nn.Module
    arguments: Mapping[str, object] | None
    example: Inputs
    metrics: dict[str, float]


class TrainingTask(Task):
    """A task that trains networks, one `train` per query.

    `optiproxy.training.export.network_files.export` repeats the winner's training to have its weights.
    """

    @abstractmethod
    def train(self, architecture: Architecture, *, seed: int = 0, epochs: int | None = None) -> Trained:
        """Train one architecture: what a query does, with the network kept.

        Args:
            architecture: A valid member of `space`.
            seed: Seed of the training; the same seed gives the same weights.
            epochs: Any number; queries keep to `fidelities`, but a winner may be trained longer. None means the full
                fidelity.

        Raises:
            UsageError: If the epochs are less than 1.
        """

    def evaluate(self, architecture: Architecture, *, seed: int = 0, fidelity: int | None = None) -> dict[str, float]:
        self.check_fidelity(fidelity)
        # The network is dropped: of hundreds one will be wanted, and it can be trained again.
        return self.train(architecture, seed=seed, epochs=fidelity).metrics

    def full_or(self, epochs: int | None) -> int:
        """Return the epochs that are meant: the given ones, or the full fidelity for None.

        Raises:
            UsageError: If they are less than 1.
        """
        if epochs is not None and epochs < 1:
            raise UsageError(f"Expected at least 1 epoch, got {epochs}.")
        # Fidelities are listed from the cheapest to the full one.
        return self.fidelities[-1] if epochs is None else epochs


COSTS = (
    Metric(name="params", direction="min", free=True),
    Metric(name="flops", direction="min", free=True),
    Metric(name="latency_ms", direction="min", unit="ms", free=True, quiet=True),
    # A latency without its spread says nothing about the machine's noise.
    Metric(name="latency_iqr_ms", direction="min", unit="ms", free=True, quiet=True),
)
"""Free metrics, which are measured on the untrained network."""

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
        """Return the data. Called before every training, so it loads but once."""

    @abstractmethod
    def arguments(self, architecture: Architecture) -> dict[str, Any]:
        """Return the arguments of the network that a canonical architecture stands for; literals only."""

    @abstractmethod
    def build(self, arguments: dict[str, Any]) -> N:
        """Build the untrained network; torch's global random stream draws its weights."""

    @abstractmethod
    def example(self) -> Tensor:
        """Return one input of every network, ``(1, ...)``, on which costs are measured."""

    @abstractmethod
    def fit(self, network: N, data: D, *, epochs: int, seed: int) -> None:
        """Train in place; this alone counts as training time. Raising means that the training failed."""

    @abstractmethod
    def score(self, network: N, data: D) -> dict[str, float]:
        """Measure the trained network on the parts of the data that it was not trained on."""

    def untrained(self, architecture: Architecture) -> N:
        """Build the network of an architecture, always with the same weights, in evaluation mode."""
        with reproducible(0):
            return self.build(self.arguments(self.space.canonical(architecture))).eval()

    def train(self, architecture: Architecture, *, seed: int = 0, epochs: int | None = None) -> Trained:
        epochs = self.full_or(epochs)
        # Outside the timed part, and once for all trainings of a process.
        data = self.data()
        arguments = self.arguments(self.space.canonical(architecture))
        with reproducible(seed):
            network = self.build(arguments)
            # The clock of this thread, which does all the work.
            start = time.thread_time()
            self.fit(network, data, epochs=epochs, seed=seed)
            seconds = time.thread_time() - start
            metrics = {
                **self.score(network.eval(), data),
                # With the free ones as well, so that a record is complete without its task.
                **self.free_metrics(architecture),
                TRAINING_SECONDS.name: seconds,
            }
        return Trained(network=network, arguments=arguments, example=self.example(), metrics=metrics)

    def free_metrics(self, architecture: Architecture) -> dict[str, float]:
        # Kept: a latency that is measured anew would make one architecture two.
        form = self.space.canonical(architecture)
        if form not in self._costs:
            self._costs[form] = self._measure(form)
        return dict(self._costs[form])

    def _measure(self, form: Architecture) -> dict[str, float]:
        from optiproxy.training import costs

        network, example = self.untrained(form), self.example()
        latency = costs.latency(network, example)
        return {
            "params": float(costs.parameters(network)),
            "flops": float(costs.flops(network, example)),
            "latency_ms": latency.median_ms,
            "latency_iqr_ms": latency.iqr_ms,
        }


@contextmanager
def single_thread() -> Generator[None]:
    """Let torch compute on one thread: sums keep their order, and parallel trainings do not crowd each other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def reproducible(seed: int) -> Generator[None]:
    """Run the body so that it can be repeated bit by bit: on one thread, torch's global random stream set to ``seed``.

    The stream draws initial weights. It and the number of threads are restored afterwards.
    """
    import torch

    # No devices: tasks train on the CPU, and to save the streams of accelerators would start them.
    with single_thread(), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
