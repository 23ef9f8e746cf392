"""A task whose trainings are predicted: evaluation asks a published network, which is evaluated in numpy."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from optiproxy.errors import UsageError
from optiproxy.spaces import Architecture
from optiproxy.task.task import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class SurrogateTask(Task):
    """Trainings that are predicted once and for all, whatever the seed. A subclass gives `predict` and what every task gives.

    The best possible value is not known.
    """

    isolated = False

    @abstractmethod
    def predict(
        self, architectures: Sequence[Architecture], fidelity: int | None
    ) -> Mapping[str, NDArray[np.floating]]:
        """Predict many trainings at once.

        Args:
            architectures: ``n`` members of the space.
            fidelity: One of `fidelities`; None means the full one.

        Returns:
            Metric name -> ``(n,)`` values.
        """

    def evaluate(self, architecture: Architecture, *, seed: int = 0, fidelity: int | None = None) -> dict[str, float]:  # noqa: ARG002 - predicted once
        """Predict one training.

        Raises:
            UsageError: If the architecture is none of the space, or there is no such fidelity.
        """
        predicted = self.evaluate_all([architecture], fidelity=fidelity)
        return {name: float(values[0]) for name, values in predicted.items()}

    def evaluate_all(
        self, architectures: Sequence[Architecture], *, fidelity: int | None = None
    ) -> Mapping[str, NDArray[np.floating]]:
        """Predict many trainings at once, thousands in a second; equal to `evaluate` up to rounding.

        Returns:
            Metric name -> ``(n,)`` values.

        Raises:
            UsageError: If an architecture is none of the space, or there is no such fidelity.
        """
        self.check_fidelity(fidelity)
        for architecture in architectures:
            self._check(architecture)
        return self.predict(architectures, fidelity)

    def _check(self, architecture: Architecture) -> None:
        decisions = self.space.decisions
        # A network would answer to anything, and a negative position means the last choice to Python.
        if len(architecture) != len(decisions) or any(
            position not in range(len(decision.choices))
            for position, decision in zip(architecture, decisions, strict=True)
        ):
            raise UsageError(
                f"Expected {len(decisions)} positions, one in the choices of each decision of {self.space.name}; "
                f"got {architecture}."
            )
