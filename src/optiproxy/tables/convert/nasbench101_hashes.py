"""Module hashes, by which NAS-Bench-101 names its cells (Ying et al. 2019, supplement S1)."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache, lru_cache
from hashlib import md5
from typing import TYPE_CHECKING

from optiproxy.spaces.published.nasbench101_cells import EDGES, NODES, canonical_numbers, rows_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_INPUT, _OUTPUT = -1, -2
"""Labels of the two nodes without operation."""


def module_hash(row: bytes) -> str:
    """The benchmark's name for a cell: the same for all its isomorphic forms, in hexadecimal.

    Each node's code starts from its degrees and its operation and then takes in the codes of its neighbours, as many times
    as there are nodes; the name is made of all codes, sorted. The texts that are digested are the benchmark's.

    Args:
        row: The 26 positions of a canonical form, one byte each.
    """
    before, after = _neighbours(row[: len(EDGES)])
    labels = [_INPUT, *row[len(EDGES) : len(EDGES) + len(before) - 2], _OUTPUT]
    codes = [_first_code(len(a), len(b), label) for a, b, label in zip(after, before, labels, strict=True)]
    for _ in codes:
        codes = [
            _digest(f"{''.join(sorted([codes[i] for i in b]))}|{''.join(sorted([codes[i] for i in a]))}|{code}")
            for a, b, code in zip(after, before, codes, strict=True)
        ]
    return _digest(str(sorted(codes)))


def cells_of(hashes: Collection[str]) -> dict[str, NDArray[np.uint8]]:
    """The cells behind module hashes, found by going through all 423,624; about a minute.

    Args:
        hashes: Those that are looked for.

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


@lru_cache(maxsize=16)
def _neighbours(edges: bytes) -> tuple[list[list[int]], list[list[int]]]:
    """Of each live node, counted from the input to the output, those before it and those after it."""
    present = [edge for edge, there in zip(EDGES, edges, strict=True) if there]
    live = sorted({node for edge in present for node in edge})
    place = {node: k for k, node in enumerate(live)}
    before: list[list[int]] = [[] for _ in live]
    after: list[list[int]] = [[] for _ in live]
    for i, j in present:
        after[place[i]].append(place[j])
        before[place[j]].append(place[i])
    return before, after
