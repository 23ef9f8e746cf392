"""Data files, read only after their digest has been checked."""

from __future__ import annotations

import hashlib
import io
import pickle
from pathlib import Path

from optiproxy.errors import DataError


def read_verified(path: Path, *, sha256: str, remedy: str) -> bytes:
    """The content of a file that is exactly what it should be.

    The digest is taken of the very bytes that are returned, so nothing can change between check and use.

    Args:
        path: The file.
        sha256: Hexadecimal digest that it must have.
        remedy: What to do where it is missing or wrong; ends the message.

    Raises:
        DataError: If the file cannot be read or has another digest.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"Cannot read the data file {path}: {error.strerror or error}. {remedy}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DataError(
            f"Expected {path} to have the sha256 {sha256[:12]}..., got {found[:12]}... ({len(content)} bytes): "
            f"it is damaged or another version. {remedy}"
        )
    return content


def plain_pickle(content: bytes) -> object:
    """Read a pickle of nothing but built-in containers, numbers and text: no class or function is ever looked up.

    Raises:
        DataError: If the pickle names any global, or is no pickle.
    """
    try:
        return _PlainUnpickler(io.BytesIO(content)).load()
    except Exception as error:
        # A damaged stream can fail in the unpickler in almost any way; the stated refusal is one of them.
        raise DataError(f"Expected a pickle of plain containers: {error}. Install the data's package again.") from error


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> object:
        raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}")
