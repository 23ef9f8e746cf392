"""The official record file of NAS-Bench-101 (Ying et al., ICML 2019, arXiv 1902.09635): all cells, three trainings each.

A record is a JSON list: module hash, epochs, adjacency matrix as text, operations as text, and the metrics of one training as
a protobuf message in base 64.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from optiproxy.errors import DataError, UsageError
from optiproxy.spaces.published.nasbench101 import NETWORKS, NASBench101
from optiproxy.spaces.published.nasbench101_cells import NODES, OPERATIONS
from optiproxy.tables.convert.nasbench101 import module_hash
from optiproxy.tables.nasbench101 import EPOCHS, OPERATION_NAMES, to_arrays, to_rows
from optiproxy.tables.store import protobuf
from optiproxy.tables.store.protobuf import read_records

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Field numbers of the published schema (nasbench/lib/model_metrics.proto): of `ModelMetrics`, then of `EvaluationData`.
_EVALUATION, _PARAMETERS = 1, 2
_MEASURED = {"train_time_s": 2, "valid_acc": 4, "test_acc": 5}
"""Our column -> number of the field of an evaluation that it is read from."""

# Far above any training: damaged bytes can read as any number.
_MOST_SECONDS, _MOST_PARAMETERS = 1e6, 10**9


def convert(path: Path) -> dict[str, NDArray[Any]]:
    """Make the table, rows in the order of the hashes; for the official file it takes some minutes.

    Args:
        path: ``nasbench_only108.tfrecord`` or ``nasbench_full.tfrecord``.

    Returns:
        The cells as `to_arrays` writes them, in canonical form; ``hash``; ``params``; for each number of epochs in the
        file ``valid_acc_e*`` and ``test_acc_e*`` as fractions, means over the trainings, NaN where there is none; and the
        mean seconds of the longest ones, ``train_time_s``. All ``(n,)``.

    Raises:
        DataError: If the file is missing, damaged or another kind of file.
    """
    trainings = _Trainings()
    try:
        with path.open("rb") as file:
            for record in read_records(file):
                trainings.add(record)
        return trainings.arrays()
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror or error}. Correct the path.") from error
    except (ValueError, RecursionError) as error:
        # Anything more special is what json and base64 say of bytes that are neither.
        reason = str(error) if type(error) is ValueError else "a record cannot be read"
        raise DataError(
            f"Expected {path} to be the record file of NAS-Bench-101, but {reason}. Get it again from its source."
        ) from error


class _Trainings:
    """Sums over the trainings of each cell, so that a file of 2 GB is read without being held in memory."""

    def __init__(self) -> None:
        self._place: dict[str, int] = {}
        self._cells = {
            "adj": np.zeros((NETWORKS, NODES, NODES), dtype=np.uint8),
            "ops": np.zeros((NETWORKS, NODES), dtype=np.uint8),
            "n_vertices": np.zeros(NETWORKS, dtype=np.uint8),
        }
        self._parameters: list[int] = []
        self._counts = np.zeros((len(EPOCHS), NETWORKS))
        self._sums = {name: np.zeros((len(EPOCHS), NETWORKS)) for name in _MEASURED}

    def add(self, record: bytes) -> None:
        """Add one training.

        Raises:
            ValueError: If this is no record of a training.
        """
        row = json.loads(record)
        if not isinstance(row, list) or [type(entry) for entry in cast("list[Any]", row)] != [str, int, str, str, str]:
            raise ValueError("a record is not a hash, epochs, matrix, operations and metrics")
        name, epochs, matrix, operations, metrics = cast("tuple[str, int, str, str, str]", tuple(row))
        if epochs not in EPOCHS:
            raise ValueError(f"a training has {epochs} epochs")
        parameters, measured = _metrics(base64.b64decode(metrics, validate=True))
        if name not in self._place:
            self._place[name] = self._new(matrix, operations.split(","))
            self._parameters.append(parameters)
        at = EPOCHS.index(epochs), self._place[name]
        self._counts[at] += 1
        for key, value in measured.items():
            self._sums[key][at] += value

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Make the table of means, in the form that `convert` returns.

        Raises:
            ValueError: If there is no training, or a hash is not that of its cell.
        """
        n = len(self._place)
        if not n:
            raise ValueError("it is empty")
        # By hash, so that the table does not depend on the order of the records.
        order = np.argsort(np.array(list(self._place)))
        names = np.array(list(self._place))[order]
        rows = to_rows({key: array[:n][order] for key, array in self._cells.items()})
        try:
            rows = NASBench101().canonical_rows(rows)
        except UsageError as error:
            raise ValueError("a cell is not of the space") from error
        for name, row in zip(names.tolist(), rows, strict=True):
            # That cell and hash agree shows that edges and operations are read in the right order.
            if module_hash(row.tobytes()) != name:
                raise ValueError(f"the cell {name[:40]!r} has another hash")
        counts = self._counts[:, :n]
        # Where a cell has no training of a length, 0 / 0 makes the NaN that says so.
        with np.errstate(invalid="ignore"):
            means = {key: (total[:, :n] / counts)[:, order] for key, total in self._sums.items()}
        trained = [k for k in range(len(EPOCHS)) if counts[k].any()]
        columns = {
            f"{key}_e{EPOCHS[k]}": np.ascontiguousarray(means[key][k])
            for key in ("valid_acc", "test_acc")
            for k in trained
        }
        return {
            **to_arrays(rows),
            "hash": names,
            **columns,
            "train_time_s": np.ascontiguousarray(means["train_time_s"][trained[-1]]),
            "params": np.array(self._parameters, dtype=np.int64)[order],
        }

    def _new(self, digits: str, names: list[str]) -> int:
        """Keep one more cell and return its place."""
        place, n = len(self._place), len(names)
        if place == NETWORKS:
            raise ValueError(f"it holds more than {NETWORKS:,} cells")
        if (
            not 2 <= n <= NODES
            or (names[0], names[-1]) != ("input", "output")
            or not set(names[1:-1]) <= set(OPERATIONS)
        ):
            raise ValueError(f"a list of operations is {', '.join(names)[:120]!r}")
        if len(digits) != n * n or not set(digits) <= set("01"):
            raise ValueError(f"the edges of {n} nodes are {digits[:60]!r}")
        matrix = np.array(list(digits), dtype=np.uint8).reshape(n, n)
        # Nodes are in topological order, so that edges lead to later ones only.
        if np.tril(matrix).any():
            raise ValueError("an edge leads back")
        self._cells["adj"][place, :n, :n] = matrix
        self._cells["ops"][place, :n] = [OPERATION_NAMES.index(name) for name in names]
        self._cells["n_vertices"][place] = n
        return place


def _metrics(message: bytes) -> tuple[int, dict[str, float]]:
    """Read parameters, and what the last evaluation of the training measured."""
    parameters, final = 0, memoryview(b"")
    for number, value in protobuf.fields(memoryview(message)):
        if number == _EVALUATION:
            # The first evaluation is halfway through the training, the last at its end.
            final = protobuf.as_bytes(value)
        elif number == _PARAMETERS:
            parameters = protobuf.as_int(value)
    if not 0 < parameters <= _MOST_PARAMETERS:
        raise ValueError(f"a network has {parameters:,} parameters")
    evaluation = dict(protobuf.fields(final))
    if not set(_MEASURED.values()) <= set(evaluation):
        raise ValueError("a training lacks its time or an accuracy")
    measured = {key: protobuf.as_double(evaluation[number]) for key, number in _MEASURED.items()}
    for key, value in measured.items():
        if not 0 <= value <= (_MOST_SECONDS if key == "train_time_s" else 1):
            raise ValueError(f"a training has a {key} of {value}")
    return parameters, measured
