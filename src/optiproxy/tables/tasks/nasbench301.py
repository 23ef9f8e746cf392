"""NAS-Bench-301 (Zela et al., ICLR 2022, arXiv 2008.09777): DARTS cells on CIFAR-10, their trainings predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces import Architecture
from optiproxy.spaces.published.darts import DARTS
from optiproxy.tables.store import datasets
from optiproxy.tables.tasks.nasbench301_network import Network, categories
from optiproxy.task.task import Source, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

EPOCHS = tuple(range(1, 99))

_VALIDATION = Metric(name="val_accuracy", direction="max", unit="%")
_SECONDS = Metric(name="training_seconds", direction="min", unit="s")


def nasbench301_task() -> Task:
    """Find the best pair of DARTS cells by predicted validation accuracy after 98 epochs.

    Raises:
        DataError: If the surrogate's file is missing or damaged.
    """
    dataset = datasets.dataset("nasbench301_surrogate")
    source = Source(
        name="nasbench301-yahpo",
        description="surrogate of NAS-Bench-301 in YAHPO Gym: a network's prediction, no training",
        licence=dataset.files[0].licence,
        digest=f"sha256:{dataset.digest}",
    )
    return SurrogateTask(Network(datasets.load(dataset.name)), source)


class SurrogateTask(Task):
    """DARTS cells whose training is predicted; the best possible value is not known.

    The network takes the numbers of the nodes for features, and its predictions for one pair of cells differ by 0.1 points
    from numbering to numbering. That is no noise of training, so the canonical form is what is asked for.

    Args:
        network: Predicts.
        source: Where it comes from.
    """

    name = "nasbench301-cifar10"
    metrics = (_VALIDATION, _SECONDS)
    goal = Goal((Objective(_VALIDATION.name),))
    fidelities = EPOCHS
    isolated = False

    def __init__(self, network: Network, source: Source) -> None:
        self.space = DARTS()
        self.source = source
        self._network = network

    def evaluate(self, architecture: Architecture, *, seed: int = 0, fidelity: int | None = None) -> dict[str, float]:  # noqa: ARG002 - predicted once
        """Predict one training.

        Raises:
            UsageError: If the architecture is none of the space, or there is no such fidelity.
        """
        predicted = self.evaluate_all([architecture], fidelity=fidelity)
        return {name: float(values[0]) for name, values in predicted.items()}

    def evaluate_all(
        self, architectures: Sequence[Architecture], *, fidelity: int | None = None
    ) -> dict[str, NDArray[np.floating]]:
        """Predict many trainings at once: thousands in a second. Equal to `evaluate` up to rounding.

        Returns:
            Metric name -> ``(n,)`` values.

        Raises:
            UsageError: If an architecture is none of the space, or there is no such fidelity.
        """
        self.check_fidelity(fidelity)
        for architecture in architectures:
            self._check(architecture)
        forms = [self.space.canonical(tuple(architecture)) for architecture in architectures]
        rows = categories(np.array(forms, dtype=np.intp).reshape(-1, len(self.space.decisions)))
        accuracy, seconds = self._network(rows, EPOCHS[-1] if fidelity is None else fidelity)
        return {_VALIDATION.name: accuracy, _SECONDS.name: seconds}

    def _check(self, architecture: Architecture) -> None:
        decisions = self.space.decisions
        if len(architecture) != len(decisions) or any(
            position not in range(len(decision.choices))
            for position, decision in zip(architecture, decisions, strict=True)
        ):
            raise UsageError(
                f"Expected {len(decisions)} positions, one in the choices of each decision of {self.space.name}; "
                f"got {architecture}."
            )
