"""The contract of tasks whose evaluation trains a network that can be kept."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optiproxy.errors import UsageError
from optiproxy.spaces import Architecture
from optiproxy.task.task import Task

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
        metrics: What was measured, as `optiproxy.task.task.Task.evaluate` returns it.
    """

    network: nn.Module
    arguments: Mapping[str, object]
    example: Tensor
    metrics: dict[str, float]


class TrainingTask(Task):
    """A task that trains networks, one `train` per query; `optiproxy.training.export.export` repeats the winner's training."""

    @abstractmethod
    def train(self, architecture: Architecture, *, seed: int = 0, epochs: int | None = None) -> Trained:
        """Train one architecture: what a query does, with the network kept.

        Args:
            architecture: A valid member of `space`.
            seed: Of the training; the same seed gives the same weights.
            epochs: Any number; queries keep to `fidelities`, but a winner may be trained longer. None means the full
                fidelity.

        Raises:
            UsageError: If the epochs are less than 1.
        """

    def evaluate(self, architecture: Architecture, *, seed: int = 0, fidelity: int | None = None) -> dict[str, float]:
        self.check_fidelity(fidelity)
        return self.train(architecture, seed=seed, epochs=fidelity).metrics

    def full_or(self, epochs: int | None) -> int:
        """The epochs that are meant: the given ones, the full fidelity for None.

        Raises:
            UsageError: If they are less than 1.
        """
        if epochs is not None and epochs < 1:
            raise UsageError(f"Expected at least 1 epoch, got {epochs}.")
        return self.fidelities[-1] if epochs is None else epochs
