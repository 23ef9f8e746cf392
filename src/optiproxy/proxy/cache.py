"""Pretrained weights are kept: in the process, and in the user's cache folder, because they depend on the space alone.

A file holds arrays and nothing that could be executed. One that is damaged, or that cannot be written, costs a pretraining
and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Weights = Mapping[str, "NDArray[np.float32]"]
"""Name of a parameter -> its values."""

VERSION = 1
"""Rises with every change of what the same arguments lead to, so that no file of another version is taken."""

FILES = 200
"""Largest number of files that are kept; the oldest go first."""


def key(*parts: object) -> str:
    """Name what these arrays and settings lead to: equal arguments have equal names."""
    digest = hashlib.sha256(str(VERSION).encode())
    for part in parts:
        if isinstance(part, np.ndarray):
            array: NDArray[Any] = np.ascontiguousarray(part)
            digest.update(repr((array.shape, array.dtype.str)).encode() + array.tobytes())
        else:
            digest.update(repr(part).encode())
    return digest.hexdigest()[:32]


def folder() -> Path:
    """Return where the files are: ``optiproxy/pretrained`` in the user's cache folder. It may not exist yet."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "optiproxy" / "pretrained"


def recall(name: str, make: Callable[[], Weights]) -> Weights:
    """Return what has been made under this name before, here or in another process; else make and keep it."""
    kept = _memory()
    if name not in kept:
        weights = _read(folder() / f"{name}.npz")
        if weights is None:
            weights = make()
            # Without a home, or in one that is full or read-only, the search goes on all the same.
            with contextlib.suppress(OSError, RuntimeError):
                _write(folder() / f"{name}.npz", weights)
        kept[name] = weights
    return kept[name]


@lru_cache(maxsize=1)
def _memory() -> dict[str, Weights]:
    return {}


def _read(path: Path) -> Weights | None:
    try:
        # Read whole first: numpy leaves a file open that it cannot make out.
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception:  # noqa: BLE001 - a damaged file can fail in zipfile, zlib and numpy in almost any way
        return None


def _write(path: Path, weights: Weights) -> None:
    """Write beside and move into place: another process finds the whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **weights)  # pyright: ignore[reportArgumentType] - of its other keyword, which no parameter is named like
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
    for old in sorted(path.parent.glob("*.npz"), key=lambda file: file.stat().st_mtime)[:-FILES]:
        old.unlink(missing_ok=True)
