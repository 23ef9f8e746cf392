"""How the data files hold NAS-Bench-101 cells: a matrix and a list of operations, without the dead nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from optiproxy.spaces.published.nasbench101_cells import EDGES, INNER, NODES, OPERATIONS, Cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPERATION_NAMES = (*OPERATIONS, "input", "output")

PADDING = 255
"""In ``ops``, beyond the last node."""

_SOURCES, _TARGETS = np.array(EDGES).T


def to_arrays(rows: NDArray[np.integer]) -> dict[str, NDArray[Any]]:
    """What a data file holds of ``(n, 26)`` canonical rows.

    Returns:
        ``adj (n, 7, 7)`` and ``ops (n, 7)`` with the ``n_vertices (n,)`` live nodes first, input to output; ``ops`` are
        positions in ``op_names``.
    """
    n = len(rows)
    matrices = np.zeros((n, NODES, NODES), dtype=np.uint8)
    matrices[:, _SOURCES, _TARGETS] = rows[:, : len(EDGES)]
    labels = np.full((n, NODES), OPERATION_NAMES.index("input"), dtype=np.uint8)
    labels[:, list(INNER)] = rows[:, len(EDGES) :]
    labels[:, -1] = OPERATION_NAMES.index("output")
    vertices = (2 + (Cells.of(rows).live()[:, None] >> np.arange(len(INNER)) & 1).sum(axis=1)).astype(np.uint8)
    adjacency, operations = np.zeros_like(matrices), np.full_like(labels, PADDING)
    for count, chosen, nodes in _groups(vertices):
        adjacency[chosen, :count, :count] = matrices[chosen[:, None, None], nodes[:, None], nodes]
        operations[chosen, :count] = labels[chosen[:, None], nodes]
    return {"adj": adjacency, "ops": operations, "op_names": np.array(OPERATION_NAMES), "n_vertices": vertices}


def to_rows(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
    """``(n, 26)`` rows of the cells in a data file."""
    matrices = np.zeros((len(arrays["adj"]), NODES, NODES), dtype=np.uint8)
    labels = np.zeros((len(matrices), NODES), dtype=np.uint8)
    for count, chosen, nodes in _groups(arrays["n_vertices"]):
        matrices[chosen[:, None, None], nodes[:, None], nodes] = arrays["adj"][chosen, :count, :count]
        labels[chosen[:, None], nodes] = arrays["ops"][chosen, :count]
    return np.concatenate([matrices[:, _SOURCES, _TARGETS], labels[:, list(INNER)]], axis=1)


def _groups(vertices: NDArray[np.integer]) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.intp]]]:
    """Cells with equally many live nodes: how many, which cells, and the places of these nodes among all seven."""
    for count in np.unique(vertices).tolist():
        yield count, np.flatnonzero(vertices == count), np.array([*range(count - 1), NODES - 1])
