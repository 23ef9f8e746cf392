"""The network of YAHPO Gym (Pfisterer et al., AutoML 2022, arXiv 2109.03670) that stands for NAS-Bench-301, in numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optiproxy.spaces.published.darts import CELLS, OPERATIONS, PAIRS, ROW

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from optiproxy.tables.store.arrays import Arrays

ABSENT = "#na#"
"""The category of an edge that a cell does not have."""

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
"""Factors and offsets of the epoch, of accuracy and of time."""

# Klambauer et al., NeurIPS 2017, arXiv 1706.02515.
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def categories(architectures: NDArray[np.integer]) -> NDArray[np.intp]:
    """Write architectures as inputs of the network.

    Args:
        architectures: ``(n, d)`` members of `optiproxy.spaces.published.darts.DARTS`.

    Returns:
        ``(n, 34)`` rows of the embeddings.
    """
    n = len(architectures)
    column = {name: i for i, name in enumerate(INPUTS)}
    rows = np.zeros((n, len(INPUTS)), dtype=np.intp)
    for k, cell in enumerate(CELLS):
        positions = iter(architectures[:, k * ROW : (k + 1) * ROW].T)
        for node, pairs in PAIRS.items():
            pair = np.zeros(n, dtype=np.intp)
            if len(pairs) > 1:
                pair = next(positions)
                rows[:, column[f"inputs_node_{cell}_{node}"]] = pair + 1
            for source in np.array(pairs)[pair].T:
                edge = column[f"edge_{cell}_{_FIRST_EDGE[node]}"] + source
                rows[np.arange(n), edge] = _ROW_OF_OPERATION[next(positions)]
    return rows


class Network:
    """Accuracy and training time from categories and epoch; agrees with the ONNX file up to rounding.

    Args:
        arrays: Of the dataset ``nasbench301_surrogate``, see `optiproxy.tables.convert.nasbench301`.
    """

    def __init__(self, arrays: Arrays) -> None:
        self._embeddings = [arrays[f"emb_{i}"] for i in range(len(INPUTS))]
        self._paths = [[(arrays[f"{layer}_weight"].T, arrays[f"{layer}_bias"]) for layer in path] for path in PATHS]
        self._scales = [float(arrays[name]) for name in SCALES]

    def __call__(self, rows: NDArray[np.intp], epoch: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Evaluate many networks at one epoch; 10 kB of memory each.

        Args:
            rows: ``(n, 34)`` of the embeddings, see `categories`.
            epoch: From 1 to 98.

        Returns:
            ``(n,)`` validation accuracy in %, ``(n,)`` seconds of training.
        """
        epoch_scale, acc_div, rt_sub, rt_mul, rt_add = self._scales
        time = np.full((len(rows), 1), epoch * epoch_scale, dtype=np.float32)
        embedded = [embedding[row] for embedding, row in zip(self._embeddings, rows.T, strict=True)]
        hidden = np.concatenate([*embedded, time], axis=1)
        outputs = np.zeros((len(rows), 2), dtype=np.float32)
        for path in self._paths:
            outputs += _through(path, hidden)
        squashed = 1 / (1 + np.exp(-outputs))
        return squashed[:, 0] / acc_div, (squashed[:, 1] - rt_sub) * rt_mul + rt_add


def _through(
    path: list[tuple[NDArray[np.floating], NDArray[np.floating]]], hidden: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Dense layers with SELU between them."""
    for i, (weight, bias) in enumerate(path):
        if i:
            hidden = _SELU_SCALE * (np.maximum(hidden, 0) + _SELU_ALPHA * np.expm1(np.minimum(hidden, 0)))
        hidden = hidden @ weight + bias
    return hidden
