"""HW-NAS-Bench (Li et al., ICLR 2021, arXiv 2103.10584) on the NAS-Bench-201 cells, from one CSV file per dataset."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from optiproxy.errors import DataError
from optiproxy.spaces.published.nasbench201 import EDGES, OPERATIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FILES = {
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


def convert(files: Mapping[str, bytes]) -> dict[str, NDArray[Any]]:
    """Make the table, rows in the order of the files.

    Args:
        files: Local name -> content.

    Returns:
        ``ops (n, 6)``, operation of each edge as a position in ``op_names``, and one ``(n,)`` column per dataset and
        measure, for example ``cifar10_edgegpu_latency_ms``; NaN where the network could not be compiled for the device.

    Raises:
        DataError: If a file is missing, or does not hold every cell once in the order of the others.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for prefix, file in _FILES.items():
        if file not in files:
            raise DataError(f"Expected the file {file} among {', '.join(files) or 'no files'}. Fetch them all.")
        ops, columns = _read(files[file], file)
        # One column of cells serves all three files.
        if not np.array_equal(arrays.setdefault("ops", ops), ops):
            raise DataError(f"Expected the cells of {file} in the order of the other files. Get the files again.")
        arrays |= {f"{prefix}_{measure}": column for measure, column in columns.items()}
    return {"op_names": np.array(OPERATIONS), **arrays}


def _read(content: bytes, file: str) -> tuple[NDArray[np.uint8], dict[str, NDArray[np.float64]]]:
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
        ops = np.array([_cell(row[_CELL]) for row in rows], dtype=np.uint8)
        columns = {measure: np.array([float(row[column]) for row in rows]) for measure, column in MEASURES.items()}
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise DataError(
            f"Expected {file} to have cells and numbers in the columns {_CELL}, {', '.join(MEASURES.values())}. "
            "Get the file again from its source."
        ) from error
    count = len(OPERATIONS) ** len(EDGES)
    if len(ops) != count or len(np.unique(ops, axis=0)) != count:
        raise DataError(f"Expected {count:,} cells in {file}, got {len(ops):,}. Get the file again from its source.")
    for measure, column in columns.items():
        # The files write -1 where compiling failed.
        columns[measure] = np.where(column == -1, np.nan, column)
        if not (np.isnan(columns[measure]) | ((column > 0) & (column < np.inf))).all():
            raise DataError(
                f"Expected positive values or -1 of {measure} in {file}. Get the file again from its source."
            )
    return ops, columns


def _cell(text: str) -> list[int]:
    """Read a cell like ``(4, 3, 3, 0, 0, 0)`` into our order of edges and numbering of operations."""
    if not re.fullmatch(r"\([0-4](, [0-4]){5}\)", text):
        raise ValueError(text)
    operation = dict(zip(_CELL_EDGES, map(int, re.findall("[0-4]", text)), strict=True))
    return [OPERATIONS.index(_CELL_OPERATIONS[operation[edge]]) for edge in EDGES]
