"""NAS-Bench-301 (Zela et al., ICLR 2022, arXiv 2008.09777): DARTS cells on CIFAR-10, their trainings predicted.

The surrogate is not the benchmark's own, but the network that YAHPO Gym (Pfisterer et al., AutoML 2022, arXiv 2109.03670)
fitted to it, evaluated in numpy: docs/decisions/nasbench301.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces import Architecture
from optiproxy.spaces.published.darts import CELLS, DARTS, OPERATIONS, PAIRS, ROW
from optiproxy.tables.store import datasets
from optiproxy.tables.surrogate import SurrogateTask
from optiproxy.task.task import Source, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from optiproxy.tables.store.files import Arrays

EPOCHS = tuple(range(1, 99))
"""Epochs after which a training can be asked for; 98 is the full length in the benchmark."""

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
    return NASBench301Task(SurrogateNetwork(datasets.load(dataset.name)), source)


class NASBench301Task(SurrogateTask):
    """DARTS cells whose training is predicted.

    Isomorphic cells are one network, but the surrogate takes the numbers of the nodes for features, and its predictions for
    one pair of cells differ by 0.1 points from numbering to numbering. That is no noise of training, so the canonical form is
    what is asked for.

    Args:
        network: Predicts the trainings.
        source: Where the network comes from.
    """

    name = "nasbench301-cifar10"
    metrics = (_VALIDATION, _SECONDS)
    goal = Goal((Objective(_VALIDATION.name),))
    fidelities = EPOCHS

    def __init__(self, network: SurrogateNetwork, source: Source) -> None:
        self.space = DARTS()
        self.source = source
        self._network = network

    def predict(self, architectures: Sequence[Architecture], fidelity: int | None) -> dict[str, NDArray[np.floating]]:
        # See above: the surrogate tells numberings of one network apart, a training would not.
        forms = [self.space.canonical(tuple(architecture)) for architecture in architectures]
        rows = categories(np.array(forms, dtype=np.intp).reshape(-1, len(self.space.decisions)))
        accuracy, seconds = self._network(rows, EPOCHS[-1] if fidelity is None else fidelity)
        return {_VALIDATION.name: accuracy, _SECONDS.name: seconds}


ABSENT = "#na#"
"""Category of an edge that a cell does not have: of all edges to a node, a DARTS cell keeps two."""

_FIRST_EDGE = {node: sum(range(2, node)) for node in PAIRS}
"""Node -> the number of its edge from source 0; the edges to a node are numbered in the order of their sources."""

_ROW_OF_OPERATION = np.array([1 + sorted(OPERATIONS).index(operation) for operation in OPERATIONS])
"""Position in `OPERATIONS` -> row of an edge's embedding."""


def _inputs() -> dict[str, tuple[str, ...]]:
    edges = range(_FIRST_EDGE[max(PAIRS)] + max(PAIRS))
    inputs = {f"edge_{cell}_{edge}": (ABSENT, *sorted(OPERATIONS)) for cell in CELLS for edge in edges}
    for cell in CELLS:
        for node, pairs in PAIRS.items():
            if len(pairs) > 1:
                inputs[f"inputs_node_{cell}_{node}"] = (ABSENT, *(f"{low}_{high}" for low, high in pairs))
    return inputs


INPUTS = _inputs()
"""The 34 categorical inputs in the network's order -> their categories in the order of the embedding's rows."""

PATHS = (
    ("wide_0",),
    ("deep_0_1", "deep_1_1", "deep_2_0"),
    ("deeper_0_1", "deeper_1_1", "deeper_2_1", "deeper_3_1", "deeper_4_0"),
)
"""Layers of the three paths from the embedded inputs; their ends are added."""

SCALES = ("epoch_scale", "acc_div", "rt_sub", "rt_mul", "rt_add")
"""Constants that scale the epoch, accuracy and time."""

# The constants of SELU (Klambauer et al., NeurIPS 2017, arXiv 1706.02515).
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def categories(architectures: NDArray[np.integer]) -> NDArray[np.intp]:
    """Write architectures as inputs of the network.

    Args:
        architectures: ``(b, d)`` members of `DARTS`.

    Returns:
        ``(b, 34)`` rows of the embeddings.
    """
    b = len(architectures)
    column = {name: i for i, name in enumerate(INPUTS)}
    # Row 0 of every embedding is that of `ABSENT`.
    rows = np.zeros((b, len(INPUTS)), dtype=np.intp)
    for k, cell in enumerate(CELLS):
        positions = iter(architectures[:, k * ROW : (k + 1) * ROW].T)
        for node, pairs in PAIRS.items():
            # The first node has one possible pair of sources, so that it is no decision.
            pair = np.zeros(b, dtype=np.intp)
            if len(pairs) > 1:
                pair = next(positions)
                rows[:, column[f"inputs_node_{cell}_{node}"]] = pair + 1
            # A node reads two sources; behind the decision on the pair come those on the operation of either.
            for source in np.array(pairs)[pair].T:
                edge = column[f"edge_{cell}_{_FIRST_EDGE[node]}"] + source
                rows[np.arange(b), edge] = _ROW_OF_OPERATION[next(positions)]
    return rows


class SurrogateNetwork:
    """Predicts accuracy and training time from categories and epoch; agrees with the ONNX file up to rounding.

    Args:
        arrays: The dataset ``nasbench301_surrogate``, see `optiproxy.tables.convert.nasbench301`.
    """

    def __init__(self, arrays: Arrays) -> None:
        self._embeddings = [arrays[f"emb_{i}"] for i in range(len(INPUTS))]
        self._paths = [[(arrays[f"{layer}_weight"].T, arrays[f"{layer}_bias"]) for layer in path] for path in PATHS]
        self._scales = [float(arrays[name]) for name in SCALES]

    def __call__(self, rows: NDArray[np.intp], epoch: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Predict many trainings at one epoch; takes 10 kB of memory for each.

        Args:
            rows: ``(b, 34)`` rows of the embeddings, see `categories`.
            epoch: From 1 to 98.

        Returns:
            ``(b,)`` validation accuracy in %, ``(b,)`` seconds of training.
        """
        epoch_scale, acc_div, rt_sub, rt_mul, rt_add = self._scales
        # 32-bit throughout, as the network was fitted.
        time = np.full((len(rows), 1), epoch * epoch_scale, dtype=np.float32)
        embedded = [embedding[row] for embedding, row in zip(self._embeddings, rows.T, strict=True)]
        # The epoch stands behind all embeddings.
        hidden = np.concatenate([*embedded, time], axis=1)
        outputs = np.zeros((len(rows), 2), dtype=np.float32)
        for path in self._paths:
            # Wide and deep paths are added before the sigmoid.
            outputs += _through(path, hidden)
        # Both outputs are in (0, 1), in which the network was fitted; scaled back to percent and seconds.
        squashed = 1 / (1 + np.exp(-outputs))
        return squashed[:, 0] / acc_div, (squashed[:, 1] - rt_sub) * rt_mul + rt_add


def _through(
    path: list[tuple[NDArray[np.floating], NDArray[np.floating]]], hidden: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Apply dense layers with SELU between them, and none after the last."""
    for i, (weight, bias) in enumerate(path):
        if i:
            hidden = _SELU_SCALE * (np.maximum(hidden, 0) + _SELU_ALPHA * np.expm1(np.minimum(hidden, 0)))
        hidden = hidden @ weight + bias
    return hidden
