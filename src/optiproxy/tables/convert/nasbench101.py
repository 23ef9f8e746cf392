"""20,001 cells of NAS-Bench-101 (Ying et al., ICML 2019, arXiv 1902.09635), named by their hashes in a JSON file.

The file holds no cells. The second half computes the hash by which the benchmark names a cell, and finds the cells behind
hashes by going through all of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache, lru_cache
from hashlib import md5
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from optiproxy.errors import DataError
from optiproxy.spaces.published.nasbench101_cells import EDGES, NODES, canonical_numbers, rows_of
from optiproxy.tables.convert.published import given, parsed
from optiproxy.tables.nasbench101 import to_arrays

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
"""Our column -> its key in the file, its type, and the largest value that makes sense."""

_REMEDY = "Get the file again from its source."


def convert(files: Mapping[str, bytes]) -> dict[str, NDArray[Any]]:
    """Make the table, rows in the order of the file; to find the cells behind the hashes takes about a minute.

    Args:
        files: Local name -> content.

    Returns:
        The cells as `to_arrays` writes them, in canonical form; ``hash (n,)``; validation accuracy after 4, 12, 36 and 108
        epochs as a fraction, one training each; seconds of the longest training; parameters.

    Raises:
        DataError: If the file is missing, is no JSON of equally long lists of numbers, or names a cell that does not exist.
    """
    lists = _read(given(files, FILE))
    hashes = lists[_HASH]
    if not all(isinstance(name, str) and re.fullmatch("[0-9a-f]{32}", name) for name in hashes):
        raise DataError(f"Expected 32 hexadecimal digits for each cell in {FILE}. {_REMEDY}")
    if len(set(hashes)) < len(hashes):
        raise DataError(f"Expected each cell once in {FILE}, got one again. {_REMEDY}")
    columns = {name: _column(lists[key], key, kind, most) for name, (key, kind, most) in _COLUMNS.items()}
    # A hash cannot be inverted, so all cells of the benchmark are gone through.
    cells = cells_of(hashes)
    if len(cells) < len(hashes):
        raise DataError(f"{len(hashes) - len(cells)} hashes in {FILE} are of no cell of NAS-Bench-101. {_REMEDY}")
    rows = np.array([cells[name] for name in hashes])
    return to_arrays(rows) | {"hash": np.array(hashes)} | columns


def _read(content: bytes) -> dict[str, list[Any]]:
    read = parsed(content, FILE)
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


_INPUT, _OUTPUT = -1, -2
"""Labels of the two nodes without operation, as the benchmark numbers them."""


def module_hash(row: bytes) -> str:
    """Compute the benchmark's name for a cell, which is the same for all its isomorphic forms (supplement S1).

    Each node's code starts from its degrees and its operation and then takes in the codes of its neighbours, as many times
    as there are nodes; the name is made of all codes, sorted. The texts that are digested are the benchmark's.

    Args:
        row: The 26 positions of a canonical form, one byte each.

    Returns:
        32 hexadecimal digits.
    """
    before, after = _neighbours(row[: len(EDGES)])
    # A canonical row numbers its live nodes from the front.
    labels = [_INPUT, *row[len(EDGES) : len(EDGES) + len(before) - 2], _OUTPUT]
    codes = [_first_code(len(a), len(b), label) for a, b, label in zip(after, before, labels, strict=True)]
    # After as many rounds as nodes, every node has heard of every other one.
    for _ in codes:
        codes = [
            _digest(f"{''.join(sorted([codes[i] for i in b]))}|{''.join(sorted([codes[i] for i in a]))}|{code}")
            for a, b, code in zip(after, before, codes, strict=True)
        ]
    # As Python writes a list: the benchmark digests this very text.
    return _digest(str(sorted(codes)))


def cells_of(hashes: Collection[str]) -> dict[str, NDArray[np.uint8]]:
    """Find the cells behind module hashes by going through all 423,624, which takes about a minute.

    Args:
        hashes: Names of the cells that are looked for.

    Returns:
        Hash -> canonical row ``(26,)``; a hash that no cell has is left out.
    """
    wanted, found = set(hashes), dict[str, "NDArray[np.uint8]"]()
    for nodes in range(2, NODES + 1):
        for numbers in canonical_numbers(nodes):
            for row in rows_of(numbers):
                name = module_hash(row.tobytes())
                if name in wanted:
                    found[name] = row
            # Small cells come first, so that a few of them are found at once.
            if len(found) == len(wanted):
                return found
    return found


def _digest(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


@cache
def _first_code(leaving: int, arriving: int, label: int) -> str:
    return _digest(str((leaving, arriving, label)))


# The cells of one graph follow upon each other, so that a few entries are enough.
@lru_cache(maxsize=16)
def _neighbours(edges: bytes) -> tuple[list[list[int]], list[list[int]]]:
    """For each live node, counted from the input to the output, the nodes before it and the nodes after it."""
    present = [edge for edge, there in zip(EDGES, edges, strict=True) if there]
    live = sorted({node for edge in present for node in edge})
    place = {node: k for k, node in enumerate(live)}
    before: list[list[int]] = [[] for _ in live]
    after: list[list[int]] = [[] for _ in live]
    for i, j in present:
        after[place[i]].append(place[j])
        before[place[j]].append(place[i])
    return before, after
