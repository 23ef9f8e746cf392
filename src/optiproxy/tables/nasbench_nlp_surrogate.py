"""Every recurrent cell of NAS-Bench-NLP, with the loss that a regression on the trained cells expects.

The regression is optiproxy's own and not published: docs/decisions/nasbench-nlp.md says how it was chosen and how good it is.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.metrics import Goal, Objective
from optiproxy.spaces.published.recurrent import RecurrentSpace
from optiproxy.spaces.published.recurrent_cell import ARITIES, FIRST_NODE, INPUT, RecurrentCell
from optiproxy.tables.nasbench_nlp import PARAMETERS, VALIDATION, Trainings, data_digest, trainings
from optiproxy.task.task import Source, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.ensemble import ExtraTreesRegressor

    from optiproxy.spaces import Architecture

_EMBEDDING, _HIDDEN = 400, 600
_LAYERS = ((_EMBEDDING, _HIDDEN), (_HIDDEN, _HIDDEN), (_HIDDEN, _EMBEDDING))
"""Sizes of input and hidden states in the three layers of the benchmark's network, which follows AWD-LSTM."""

_OUTSIDE_CELLS = 13_344_478
"""Parameters of the benchmark's network on WikiText-2 without its cells: an embedding, tied to the output layer, and a bias."""

_UNREACHED = 20.0
"""Stands for the length of a path that does not exist: longer than any that does."""


class RecurrentSurrogate(Task):
    """Find the recurrent cell with the lowest validation loss that the regression expects.

    The regression is extremely randomized trees (Geurts et al. 2006) on `features`, fitted at the first use, always with
    the same result. It shares nothing with the optimizer's proxy, which so has no advantage over other methods.

    Args:
        trained: Networks and losses that the regression is fitted to.
    """

    name = "nasbench-nlp-wikitext2-surrogate"
    metrics = (VALIDATION, PARAMETERS)
    goal = Goal((Objective(VALIDATION.name, "min"),))
    isolated = False
    source = Source(
        name="nasbench-nlp-wikitext2-surrogate-1",
        description="A regression of optiproxy's own on 263 networks of NAS-Bench-NLP (WikiText-2); 10-fold cross-validated Spearman correlation 0.76",
        licence="Apache-2.0",
        digest=data_digest(),
    )

    def __init__(self, trained: Trainings) -> None:
        self.space = self._cells = RecurrentSpace()
        self._trained = trained

    def evaluate(self, architecture: Architecture, *, seed: int = 0, fidelity: int | None = None) -> dict[str, float]:  # noqa: ARG002 - an expected value has no seed
        """Predict the validation loss of a cell.

        Raises:
            UsageError: If this is no valid cell, or a fidelity is asked for.
        """
        self.check_fidelity(fidelity)
        # In 32 bits, as the trees compare with their thresholds.
        described = features(self._cells.cell(architecture))[None].astype(np.float32)
        # Tree by tree, because the forest's own `predict` costs ten times as much for a single cell.
        expected = np.mean([tree.tree_.predict(described) for tree in self._regression.estimators_])
        return {VALIDATION.name: float(expected), **self.free_metrics(architecture)}

    def free_metrics(self, architecture: Architecture) -> dict[str, float]:
        return {PARAMETERS.name: parameters(self._cells.cell(architecture)) / 1e6}

    @cached_property
    def _regression(self) -> ExtraTreesRegressor:
        # The target is the loss after all epochs, the last column. Fitted at first use, because listing tasks must not
        # train a forest.
        cells = [self._cells.cell(tuple(row)) for row in self._trained.architectures.tolist()]
        return regression().fit(np.stack([features(cell) for cell in cells]), self._trained.columns[VALIDATION][:, -1])


def nasbench_nlp_surrogate_task() -> Task:
    """Make the task from the published trainings.

    Raises:
        DataError: If the data is missing or damaged.
    """
    return RecurrentSurrogate(trainings())


def regression() -> ExtraTreesRegressor:
    """Make the regression, not fitted yet."""
    from sklearn.ensemble import ExtraTreesRegressor

    # Chosen by cross-validation (docs/decisions/nasbench-nlp.md); the seed makes it the same for everyone.
    return ExtraTreesRegressor(n_estimators=100, min_samples_leaf=2, max_features=0.5, random_state=0)


def parameters(cell: RecurrentCell) -> int:
    """Count the parameters of the benchmark's whole network with this cell in each of its layers."""
    total = _OUTSIDE_CELLS
    for inputs, hidden in _LAYERS:
        for node in cell.nodes:
            if node.operation == "linear":
                # A bias, and a matrix for every value that is read; no other node has parameters.
                total += hidden * (1 + sum(inputs if j == INPUT else hidden for j in node.inputs))
    return total


def features(cell: RecurrentCell) -> NDArray[np.float64]:
    """Describe a cell by counts and by how directly it passes on what it reads.

    Counts are of nodes of each operation, all nodes, states, weight matrices of the input and of other values; depth of the
    output and of the deepest node; which operation gives the output. Then follow the lengths of the shortest paths from the
    input to the output, from the output's state to the output, from a state to itself and from any state to any: in nodes,
    in ``linear``, in squashing and in all parametric or squashing nodes.

    Returns:
        ``(q,)`` features.
    """
    operations = [node.operation for node in cell.nodes]
    read = [j for node in cell.nodes if node.operation == "linear" for j in node.inputs]
    # The first state is the output of the cell.
    output = operations[cell.hidden[0] - FIRST_NODE]
    counts = [
        *(operations.count(operation) for operation in ARITIES),
        len(operations),
        len(cell.hidden),
        cell.depths[cell.hidden[0]],
        max(cell.depths.values()),
        read.count(INPUT),
        len(read) - read.count(INPUT),
        *(output == operation for operation in ARITIES),
    ]
    return np.array(
        [*counts, *(length for counted in _COUNTED for length in _path_lengths(cell, counted))], dtype=np.float64
    )


_SQUASHING = {"tanh", "sigmoid"}
_COUNTED = (set(ARITIES), {"linear"}, _SQUASHING, {"linear", "leaky_relu"} | _SQUASHING)
"""Operations that add to the length of a path, in each of the measures."""


def _path_lengths(cell: RecurrentCell, counted: set[str]) -> list[float]:
    states = range(1, 1 + len(cell.hidden))
    output = cell.hidden[0]
    # Paths from the states tell how much a step of the recurrence alters of what is remembered.
    of_state = [_lengths(cell, state, counted) for state in states]
    return [
        _lengths(cell, INPUT, counted)[output],
        of_state[0][output],
        min(lengths[j] for lengths, j in zip(of_state, cell.hidden, strict=True)),
        min(lengths[j] for lengths in of_state for j in cell.hidden),
    ]


def _lengths(cell: RecurrentCell, start: int, counted: set[str]) -> dict[int, float]:
    """Map each value to the number of counted nodes on the shortest path from ``start`` to it."""
    lengths = dict.fromkeys(range(FIRST_NODE), _UNREACHED) | {start: 0.0}
    # Nodes are in topological order, so that one pass is enough.
    for i, node in enumerate(cell.nodes):
        nearest = min(lengths[j] for j in node.inputs)
        lengths[FIRST_NODE + i] = min(nearest + (node.operation in counted), _UNREACHED)
    return lengths
