"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from optiproxy.errors import UsageError


def write(path: Path, text: str) -> Path:
    """Put a whole file in place at once, so that no reader meets half of it and no writer another one's draft.

    Raises:
        UsageError: If the folder cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror or error}. Choose another folder.") from error
    return path
