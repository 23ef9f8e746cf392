"""20,001 cells of NAS-Bench-101 (Ying et al., ICML 2019, arXiv 1902.09635), named by their hashes in a JSON file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from optiproxy.errors import DataError
from optiproxy.tables.convert.nasbench101_hashes import cells_of
from optiproxy.tables.store.nasbench101_arrays import to_arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = "nb101_data-20k.json"

_HASH = "key"

_COLUMNS = {
    "valid_acc_e4": ("4_final_validation_accuracy", np.float64, 1.0),
    "valid_acc_e12": ("12_final_validation_accuracy", np.float64, 1.0),
    "valid_acc_e36": ("36_final_validation_accuracy", np.float64, 1.0),
    "valid_acc_e108": ("108_final_validation_accuracy", np.float64, 1.0),
    "train_time_s": ("final_training_time", np.float64, 1e6),
    "params": ("trainable_parameters", np.int64, 1e9),
}
"""Our column -> its key in the file, its type, and the most that makes sense."""

_REMEDY = "Get the file again from its source."


def convert(files: Mapping[str, bytes]) -> dict[str, NDArray[Any]]:
    """Make the table, rows in the order of the file. The cells behind the hashes are looked for, which takes about a minute.

    Args:
        files: Local name -> content.

    Returns:
        The cells as `to_arrays` writes them, in canonical form; ``hash (n,)``; validation accuracy after 4, 12, 36 and 108
        epochs as a fraction, one training each; seconds of the longest training; parameters.

    Raises:
        DataError: If the file is missing, is no JSON of equally long lists of numbers, or names a cell that does not exist.
    """
    if FILE not in files:
        raise DataError(f"Expected the file {FILE} among {', '.join(files) or 'no files'}. Fetch it.")
    lists = _read(files[FILE])
    hashes = lists[_HASH]
    if not all(isinstance(name, str) and re.fullmatch("[0-9a-f]{32}", name) for name in hashes):
        raise DataError(f"Expected 32 hexadecimal digits for each cell in {FILE}. {_REMEDY}")
    if len(set(hashes)) < len(hashes):
        raise DataError(f"Expected each cell once in {FILE}, got one again. {_REMEDY}")
    columns = {name: _column(lists[key], key, kind, most) for name, (key, kind, most) in _COLUMNS.items()}
    cells = cells_of(hashes)
    if len(cells) < len(hashes):
        raise DataError(f"{len(hashes) - len(cells)} hashes in {FILE} are of no cell of NAS-Bench-101. {_REMEDY}")
    rows = np.array([cells[name] for name in hashes])
    return to_arrays(rows) | {"hash": np.array(hashes)} | columns


def _read(content: bytes) -> dict[str, list[Any]]:
    try:
        read = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"Expected {FILE} to be JSON, got something else ({type(error).__name__}). {_REMEDY}"
        ) from error
    entries = cast("dict[str, Any]", read) if isinstance(read, dict) else {}
    keys = [_HASH, *(key for key, _, _ in _COLUMNS.values())]
    lists = {key: cast("list[Any]", entries[key]) for key in keys if isinstance(entries.get(key), list)}
    if set(lists) != set(keys) or len({len(values) for values in lists.values()}) > 1 or not lists[_HASH]:
        raise DataError(f"Expected lists of one length under {', '.join(keys)} in {FILE}. {_REMEDY}")
    return lists


def _column(values: list[Any], key: str, kind: type[np.number[Any]], most: float) -> NDArray[Any]:
    # By exact type, for True and "1" are no numbers here; by comparison, which NaN fails.
    types = {int} if kind is np.int64 else {int, float}
    if not {type(value) for value in values} <= types or not all(0 <= value <= most for value in values):
        raise DataError(f"Expected numbers from 0 to {most:g} under {key} in {FILE}. {_REMEDY}")
    return np.array(values, dtype=kind)
