"""Data files: read only after their digest has been checked, written so that they are there in full or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from optiproxy.errors import DataError


def read_verified(path: Path, *, sha256: str, remedy: str, size: int | None = None) -> bytes:
    """The content of a file that is exactly what it should be.

    The digest is taken of the very bytes that are returned, so nothing can change between check and use.

    Args:
        path: The file.
        sha256: Hexadecimal digest that it must have.
        remedy: What to do where it is missing or wrong; ends the message.
        size: Bytes that it must have, where that is known; no more than one beyond are read.

    Raises:
        DataError: If the file cannot be read or has another digest.
    """
    try:
        with path.open("rb") as file:
            content = file.read() if size is None else file.read(size + 1)
    except OSError as error:
        raise DataError(f"Cannot read the data file {path}: {error.strerror or error}. {remedy}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DataError(
            f"Expected {path} to have the sha256 {sha256[:12]}..., got {found[:12]}... ({len(content)} bytes): "
            f"it is damaged or another version. {remedy}"
        )
    return content


@contextmanager
def replacing(path: Path) -> Generator[BinaryIO, None, None]:
    """A file to write that takes the place of ``path`` when the block ends, and leaves nothing where it does not.

    It is written beside its place, so that the last step is one rename: whoever looks finds the old file or the new one.

    Raises:
        DataError: If the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        unfinished = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            unfinished.chmod(0o644)
            unfinished.replace(path)
        finally:
            # After an interrupt as well: a half-written file would only take up space.
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            f"Cannot write {path.name} to the data folder {path.parent}: {error.strerror or error}. "
            "Make room or set OPTIPROXY_DATA to a folder that can be written."
        ) from error
