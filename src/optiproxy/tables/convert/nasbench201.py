"""NAS-Bench-201 v1.0 (Dong and Yang, ICLR 2020, arXiv 2001.00326) from files of its users, and HW-NAS-Bench on its cells.

The former are three pickled dictionaries with the trainings of 200 epochs, and a pickled frame with those of 12; HW-NAS-Bench
(Li et al., ICLR 2021, arXiv 2103.10584) published one CSV file per dataset.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from optiproxy.errors import DataError
from optiproxy.spaces.published.nasbench201 import EDGES, OPERATIONS
from optiproxy.tables.convert.published import given
from optiproxy.tables.nasbench201_sources import flops, parameters
from optiproxy.tables.store.pickles import NUMPY, PANDAS, frame_columns, number, unpickle_unknown

if TYPE_CHECKING:
    from numpy.typing import NDArray


COUNT = len(OPERATIONS) ** len(EDGES)

_FULL = {
    "cifar10": ("nb201_cifar10-valid_val_test_v1_0.pickle", "cifar10-valid"),
    "cifar100": ("nb201_cifar100_val_test_v1_0.pickle", "cifar100"),
    "imagenet16_120": ("nb201_ImageNet16-120_val_test_v1_0.pickle", "ImageNet16-120"),
}
"""Prefix of the columns -> file, and how it calls the dataset."""

_SHORT_FILE = "nb201_mini_12epoch.pd"
_SHORT = {"cifar10": "cifar10", "cifar100": "cifar100", "imagenet16_120": "imagenet"}
"""Prefix of the columns -> how the frame calls the dataset."""

_SPLITS = {"valid": "val", "test": "test"}


def convert(files: Mapping[str, bytes]) -> dict[str, NDArray[Any]]:
    """Make the table, rows in the benchmark's own order.

    Args:
        files: Local name -> content.

    Returns:
        What `describe` returns, and ``{cifar10,cifar100,imagenet16_120}_{valid,test}_{200,12}`` in %.

    Raises:
        DataError: If a file is missing, or does not hold what it should.
    """
    frame = frame_columns(unpickle_unknown(given(files, _SHORT_FILE), PANDAS))
    missing = {"arch", "cellstr"} - set(frame)
    if missing:
        raise DataError(f"Expected a frame with the columns arch and cellstr in {_SHORT_FILE}. Get the file again.")
    # The numbers of the cells in the benchmark's own list.
    order = np.argsort(frame["arch"], kind="stable")
    texts = [str(text) for text in frame["cellstr"][order]]
    arrays = describe(texts)
    for prefix, (file, dataset) in _FULL.items():
        rows = unpickle_unknown(given(files, file), NUMPY)
        # Looked up by their text, so that the order of the cells in the files does not matter.
        both = np.array([_accuracies(rows, text, dataset, file) for text in texts])
        for column, split in enumerate(_SPLITS):
            arrays[f"{prefix}_{split}_200"] = np.ascontiguousarray(both[:, column])
            name = f"{_SHORT[prefix]}-{_SPLITS[split]}"
            if name not in frame:
                raise DataError(f"Expected a column {name} in {_SHORT_FILE}. Get the file again from its source.")
            arrays[f"{prefix}_{split}_12"] = np.ascontiguousarray(frame[name][order], dtype=np.float64)
    return arrays


def describe(texts: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Describe the cells: what holds whatever was measured.

    Args:
        texts: All 15,625 architecture strings ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``, in the order of the rows.

    Returns:
        ``ops (n, 6)``, operation of each edge as a position in ``op_names``; ``edges (6, 2)``; ``params_m`` and ``flops_m``
        in millions, of the CIFAR-10 network.

    Raises:
        DataError: If a string is malformed, or a cell is missing or there twice.
    """
    # All cells, each once: a table with holes would be a smaller search space.
    ops = np.array([parse(text) for text in texts], dtype=np.uint8)
    if len(ops) != COUNT or len(np.unique(ops, axis=0)) != COUNT:
        raise DataError(f"Expected the {COUNT:,} cells of NAS-Bench-201, got {len(ops):,}. Get the file again.")
    return {
        "ops": ops,
        "op_names": np.array(OPERATIONS),
        "edges": np.array(EDGES, dtype=np.uint8),
        "params_m": parameters(ops, classes=10),
        "flops_m": flops(ops, classes=10),
    }


_SHAPE = re.compile(r"\|(\w+)~0\|\+\|(\w+)~0\|(\w+)~1\|\+\|(\w+)~0\|(\w+)~1\|(\w+)~2\|")


def parse(text: str) -> list[int]:
    """Read an architecture string: one position in `OPERATIONS` per edge.

    Raises:
        DataError: If it is malformed.
    """
    # A whole match, because a longer text may be a cell of another space.
    found = _SHAPE.fullmatch(text)
    if found is None or not set(found.groups()) <= set(OPERATIONS):
        raise DataError(f"Expected a cell like '|none~0|+|...', got {text[:60]!r}. Get the file again from its source.")
    return [OPERATIONS.index(operation) for operation in found.groups()]


def _accuracies(rows: object, text: str, dataset: str, file: str) -> tuple[float, float]:
    try:
        # The files hold a pair for each cell, the validation accuracy first.
        valid, test = cast("Any", rows)[text][dataset]["eval_acc1es"]
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise DataError(f"Expected two accuracies of {text} in {file}. Get the file again from its source.") from error
    return number(valid), number(test)


_HARDWARE_FILES = {
    "cifar10": "hw_cifar10.csv",
    "cifar100": "hw_cifar100.csv",
    "imagenet16_120": "hw_ImageNet16-120.csv",
}
"""Prefix of the columns -> file."""

MEASURES = {
    "edgegpu_latency_ms": "edgegpu_latency",
    "edgegpu_energy_mj": "edgegpu_energy",
    "raspi4_latency_ms": "raspi4_latency",
    "edgetpu_latency_ms": "edgetpu_latency",
    "pixel3_latency_ms": "pixel3_latency",
    "eyeriss_latency_ms": "eyeriss_latency",
    "eyeriss_energy_mj": "eyeriss_energy",
    "fpga_latency_ms": "fpga_latency",
    "fpga_energy_mj": "fpga_energy",
}
"""Our metric -> column of the files; energy was measured on three of the six devices."""

_CELL = "net"
_CELL_OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
_CELL_EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
"""Operations in the order of their numbers in the files, and edges in the order of a cell's positions there."""


def convert_hardware(files: Mapping[str, bytes]) -> dict[str, NDArray[Any]]:
    """Make the table of what HW-NAS-Bench measured, rows in the order of the files.

    Args:
        files: Local name -> content.

    Returns:
        ``ops (n, 6)``, operation of each edge as a position in ``op_names``, and one ``(n,)`` column per dataset and
        measure, for example ``cifar10_edgegpu_latency_ms``; NaN where the network could not be compiled for the device.

    Raises:
        DataError: If a file is missing, or does not hold every cell once in the order of the others.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for prefix, file in _HARDWARE_FILES.items():
        ops, columns = _read_hardware(given(files, file), file)
        # One column of cells serves all three files.
        if not np.array_equal(arrays.setdefault("ops", ops), ops):
            raise DataError(f"Expected the cells of {file} in the order of the other files. Get the files again.")
        arrays |= {f"{prefix}_{measure}": column for measure, column in columns.items()}
    return {"op_names": np.array(OPERATIONS), **arrays}


def _read_hardware(content: bytes, file: str) -> tuple[NDArray[np.uint8], dict[str, NDArray[np.float64]]]:
    try:
        # Strict, because broken quotes would otherwise be read as something else without a word.
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
        ops = np.array([_hardware_cell(row[_CELL]) for row in rows], dtype=np.uint8)
        columns = {measure: np.array([float(row[column]) for row in rows]) for measure, column in MEASURES.items()}
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise DataError(
            f"Expected {file} to have cells and numbers in the columns {_CELL}, {', '.join(MEASURES.values())}. "
            "Get the file again from its source."
        ) from error
    if len(ops) != COUNT or len(np.unique(ops, axis=0)) != COUNT:
        raise DataError(f"Expected {COUNT:,} cells in {file}, got {len(ops):,}. Get the file again from its source.")
    for measure, column in columns.items():
        # The files write -1 where compiling failed.
        columns[measure] = np.where(column == -1, np.nan, column)
        if not (np.isnan(columns[measure]) | ((column > 0) & (column < np.inf))).all():
            raise DataError(
                f"Expected positive values or -1 of {measure} in {file}. Get the file again from its source."
            )
    return ops, columns


def _hardware_cell(text: str) -> list[int]:
    """Read a cell like ``(4, 3, 3, 0, 0, 0)`` into our order of edges and numbering of operations."""
    if not re.fullmatch(r"\([0-4](, [0-4]){5}\)", text):
        raise ValueError(text)
    # The files number the operations and order the edges in ways of their own.
    operation = dict(zip(_CELL_EDGES, map(int, re.findall("[0-4]", text)), strict=True))
    return [OPERATIONS.index(_CELL_OPERATIONS[operation[edge]]) for edge in EDGES]
