"""Accel-NASBench (Ahmad et al. 2024): one JSON file per measured network, in an archive."""

from __future__ import annotations

import io
import math
import tarfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from optiproxy.errors import DataError
from optiproxy.spaces.published.mnasnet import BLOCKS
from optiproxy.tables.convert.published import given, parsed

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FILE = "accelnas_jsons.tar.gz"

_PLATFORMS = (
    *("latency_zcu102", "latency_vck190", "throughput_a100", "throughput_3090"),
    *("throughput_tpuv2", "throughput_tpuv3", "throughput_zcu102", "throughput_vck190"),
)

PATHS = {
    "val_top1": ("metrics", "val_top1"),
    "val_top5": ("metrics", "val_top5"),
    "train_time": ("metrics", "train_time"),
    "macs": ("model_info", "macs"),
    "params": ("model_info", "params"),
    **{name: ("platform_perf", name, f"{name.partition('_')[0]}_mean") for name in _PLATFORMS},
}
"""What was measured -> where it stands in a file. It may be missing on a platform."""

_MAX_NETWORKS, _MAX_BYTES = 10_000, 10_000
"""Twice as many files as there are, seven times as long as the longest: no archive expands to more than 100 MB."""


def convert(files: Mapping[str, bytes]) -> dict[str, NDArray[Any]]:
    """Make the table of measurements, in the order of the archive.

    Args:
        files: Local name -> content.

    Returns:
        ``arch (n, 28)``: ``e``, ``k``, ``l`` and ``se`` of block 0, then of block 1 and so on; ``metrics (n, 13)``, NaN where one
        is missing, and their ``names (13,)``. Seconds, millions, milliseconds and images per second.

    Raises:
        DataError: If the file is missing, is no archive of measurements, or would expand without end.
    """
    networks = [
        (name, _network(parsed(text, f"{name!r:.80} in {_FILE}"), name)) for name, text in _members(given(files, _FILE))
    ]
    if not networks:
        raise DataError(f"Expected measured networks in {_FILE}, got none. Get the file again from its source.")
    return {
        "arch": np.array([architecture for _, (architecture, _) in networks], dtype=np.uint8),
        "metrics": np.array([values for _, (_, values) in networks], dtype=np.float64),
        "names": np.array(list(PATHS)),
    }


def _members(content: bytes) -> list[tuple[str, bytes]]:
    """Read name and content of each file in the archive, in memory: no name in it ever becomes a path."""
    found: list[tuple[str, bytes]] = []
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            # One after the other, so that the first member that is too large ends it before anything is expanded.
            for member in archive:
                if member.size > _MAX_BYTES or len(found) == _MAX_NETWORKS:
                    raise ValueError("it would expand to far more than measurements")  # noqa: TRY301 - told below
                opened = archive.extractfile(member) if member.isreg() else None
                if opened is not None:
                    found.append((member.name, opened.read()))
    except Exception as error:
        # A damaged archive can fail in tarfile and zlib in almost any way.
        raise DataError(
            f"Expected {_FILE} to be an archive of measurements: {error!s:.200}. Get the file again from its source."
        ) from error
    return found


def _network(read: object, name: str) -> tuple[list[int], list[float]]:
    """Take architecture ``(28,)`` and measurements ``(13,)`` out of one file."""
    try:
        given_architecture = cast("Any", read)["architecture"]
        architecture = [
            int(given_architecture[f"block{i}_{what}"]) for i in range(BLOCKS) for what in ("e", "k", "l", "se")
        ]
        values = [_measured(read, path) for path in PATHS.values()]
        if min(architecture) < 0 or max(architecture) > 9:
            raise ValueError("a block has an impossible size")  # noqa: TRY301 - told below
    except (TypeError, KeyError, ValueError) as error:
        raise DataError(
            f"Expected {name!r:.80} in {_FILE} to be a measured network: {error!s:.200}. Get the file again from its source."
        ) from error
    return architecture, values


def _measured(read: object, path: tuple[str, ...]) -> float:
    group, *_, name = path
    for key in path[:-1]:
        read = cast("Any", read)[key]
    held = dict(cast("Any", read))
    # The measurements of the training are always there; those of a platform may be null or left out.
    if group == "platform_perf" and held.get(name) is None:
        return math.nan
    value = held[name]
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError(f"its {name} is no number")
    return float(value)
