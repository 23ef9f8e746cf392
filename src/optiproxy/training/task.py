"""The contract of tasks whose evaluation trains a network that can be kept."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optiproxy.spaces import Architecture
from optiproxy.task import Task

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A network after its training.

    Attributes:
        network: In evaluation mode. Its class lies in a module that imports nothing but torch and the standard library.
        arguments: ``type(network)(**arguments)`` builds the same network untrained; literals only, so that they can be
            written down.
        example: One input, ``(1, ...)``, of the shape and type that the network takes.
        metrics: What was measured, as `optiproxy.task.Task.evaluate` returns it.
    """

    network: nn.Module
    arguments: Mapping[str, object]
    example: Tensor
    metrics: dict[str, float]


class TrainingTask(Task):
    """A task that trains networks, one `train` per query; `optiproxy.training.export` repeats the winner's training."""

    @abstractmethod
    def train(self, architecture: Architecture, *, seed: int = 0, fidelity: int | None = None) -> Trained:
        """Train one architecture: what a query does, with the network kept.

        Args:
            architecture: A valid member of `space`.
            seed: Of the training; the same seed gives the same weights.
            fidelity: One of `fidelities`; None means the full one.

        Raises:
            UsageError: If there is no such fidelity.
        """

    def evaluate(self, architecture: Architecture, *, seed: int = 0, fidelity: int | None = None) -> dict[str, float]:
        return self.train(architecture, seed=seed, fidelity=fidelity).metrics

    def full_or(self, fidelity: int | None) -> int:
        """The fidelity that is meant: the given one, the full one for None.

        Raises:
            UsageError: If the given one is not among `fidelities`.
        """
        self.check_fidelity(fidelity)
        return self.fidelities[-1] if fidelity is None else fidelity
