"""LCBench (Zimmer et al., TPAMI 2021, arXiv 2006.13799): funnel-shaped networks on tables, and how they are trained.

The trainings are predicted by the network that YAHPO Gym (Pfisterer et al., AutoML 2022, arXiv 2109.03670) fitted to them,
evaluated in numpy: docs/decisions/surrogates.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.errors import unknown
from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces import Architecture, FlatSpace
from optiproxy.spaces.ranges import Float, Int
from optiproxy.tables.store import datasets
from optiproxy.tables.surrogate import SurrogateTask
from optiproxy.task.task import Source, Task

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from optiproxy.tables.store.files import Arrays

DATA = "lcbench_surrogate"

EPOCHS = tuple(range(1, 53))
"""Epochs after which a training can be asked for; the last is the full length."""

CHOICES = {
    "batch_size": Int(16, 512, log=True),
    "learning_rate": Float(1e-4, 1e-1, log=True),
    "momentum": Float(0.1, 0.99),
    "weight_decay": Float(1e-5, 1e-1),
    "num_layers": Int(1, 5),
    "max_units": Int(64, 1024, log=True),
    "max_dropout": Float(0.0, 1.0),
}
"""What is decided: the training, and depth, width and dropout of a funnel, whose layers narrow towards the output."""

INPUTS = ("epoch", *CHOICES)
"""Numbers that the network reads, in its order."""

LOGARITHMIC = ("epoch", "learning_rate", "weight_decay")
"""Inputs of which it reads the logarithm."""

OUTPUTS = {
    Metric(name="training_seconds", direction="min", unit="s"): 1.0,
    Metric(name="val_accuracy", direction="max", unit="%"): 1.0,
    Metric(name="val_cross_entropy", direction="min", unit="nats"): 1.0,
    # The network tells these two as shares.
    Metric(name="val_balanced_accuracy", direction="max", unit="%"): 100.0,
    Metric(name="test_cross_entropy", direction="min", unit="nats", reported_only=True): 1.0,
    Metric(name="test_balanced_accuracy", direction="max", unit="%", reported_only=True): 100.0,
}
"""Outputs in the network's order -> how many of the metric's units one of the network's is."""

EXPONENTIAL = ("val_accuracy", "val_balanced_accuracy", "test_balanced_accuracy")
"""Outputs of which it gives the logarithm."""

BLOCKS = 3
"""Residual blocks of the network."""


def lcbench_task(openml: str) -> Task:
    """Find the network and training with the best predicted validation accuracy after 52 epochs on one table.

    Args:
        openml: Id of the table's task at OpenML.

    Raises:
        UsageError: If LCBench has no such table.
        DataError: If the surrogate's file is missing or damaged.
    """
    arrays = _arrays(datasets.data_path(DATA))
    known = arrays["tasks"].tolist()
    if openml not in known:
        raise unknown("OpenML task of LCBench", openml, known)
    return LCBenchTask(openml, SurrogateNetwork(arrays, known.index(openml)))


@lru_cache(maxsize=1)
def _arrays(path: Path) -> Arrays:  # noqa: ARG001 - another folder is another dataset
    # Once for all tables: a listing opens each of them.
    return datasets.load(DATA)


class LCBenchTask(SurrogateTask):
    """Networks on one table whose training is predicted.

    Args:
        openml: Id of the table's task at OpenML.
        network: Predicts the trainings.
    """

    # Listings show the first ones, and those should be what a search is about.
    metrics = tuple(sorted(OUTPUTS, key=lambda metric: metric.unit == "s"))
    goal = Goal((Objective("val_accuracy"),))
    fidelities = EPOCHS

    def __init__(self, openml: str, network: SurrogateNetwork) -> None:
        dataset = datasets.dataset(DATA)
        self.name = f"lcbench-{openml}"
        self.space = FlatSpace(CHOICES, name="lcbench")
        self.source = Source(
            name="lcbench-yahpo",
            description=f"surrogate of LCBench in YAHPO Gym, OpenML task {openml}: a network's prediction, no training",
            licence=dataset.licence,
            digest=f"sha256:{dataset.digest}",
        )
        self._network = network

    def predict(self, architectures: Sequence[Architecture], fidelity: int | None) -> dict[str, NDArray[np.floating]]:
        values = [list(self.space.values(architecture).values()) for architecture in architectures]
        inputs = np.array(values, dtype=np.float32).reshape(-1, len(CHOICES))
        epochs = np.full((len(inputs), 1), fidelity or EPOCHS[-1], dtype=np.float32)
        outputs = self._network(np.concatenate([epochs, inputs], axis=1))
        return {metric.name: unit * column for (metric, unit), column in zip(OUTPUTS.items(), outputs.T, strict=True)}


class SurrogateNetwork:
    """Predicts the outcome of trainings on one table; agrees with the ONNX file up to rounding.

    A residual network (Gorishniy et al., NeurIPS 2021, arXiv 2106.11959): each block adds to its input what a gated
    layer between two linear ones makes of it.

    Args:
        arrays: The dataset `DATA`, see `optiproxy.tables.convert.lcbench`.
        table: Position among its tables.
    """

    def __init__(self, arrays: Arrays, table: int) -> None:
        self._embedding = arrays["embeddings"][table]
        self._layers = {
            name: (arrays[f"{name}_weight"].T, arrays[f"{name}_bias"])
            for name in (
                "first",
                *(f"{kind}_{k}" for k in range(BLOCKS) for kind in ("norm", "gated", "out")),
                "norm_last",
                "head",
            )
        }
        self._low, self._range = arrays["input_low"], arrays["input_range"]
        self._factor, self._offset = arrays["output_factor"], arrays["output_offset"]

    def __call__(self, inputs: NDArray[np.floating]) -> NDArray[np.floating]:
        """Predict many trainings.

        Args:
            inputs: ``(n, 8)`` values of `INPUTS`, in their own units.

        Returns:
            ``(n, 6)`` values of `OUTPUTS`, in the network's units.
        """
        # 32-bit throughout, as the network was fitted.
        numbers = inputs.copy()
        for i in map(INPUTS.index, LOGARITHMIC):
            numbers[:, i] = np.log(numbers[:, i])
        numbers = (numbers - self._low) / self._range
        table = np.broadcast_to(self._embedding, (len(inputs), len(self._embedding)))
        hidden = self._linear("first", np.concatenate([table, numbers], axis=1))
        for k in range(BLOCKS):
            values, gates = np.split(self._linear(f"gated_{k}", self._norm(f"norm_{k}", hidden)), 2, axis=1)
            hidden = hidden + self._linear(f"out_{k}", values * np.maximum(gates, 0))
        logits = self._linear("head", np.maximum(self._norm("norm_last", hidden), 0))
        # All outputs are in (0, 1), in which the network was fitted.
        outputs = self._factor / (1 + np.exp(-logits)) + self._offset
        names = [metric.name for metric in OUTPUTS]
        for i in map(names.index, EXPONENTIAL):
            outputs[:, i] = np.exp(outputs[:, i])
        return outputs

    def _linear(self, name: str, hidden: NDArray[np.floating]) -> NDArray[np.floating]:
        weight, bias = self._layers[name]
        return hidden @ weight + bias

    def _norm(self, name: str, hidden: NDArray[np.floating]) -> NDArray[np.floating]:
        scale, shift = self._layers[name]
        return hidden * scale + shift
