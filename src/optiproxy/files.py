"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
from functools import partial
from pathlib import Path

from optiproxy.errors import UsageError

SHARED, PRIVATE = 0o666, 0o600
"""Permissions, before those that the user's umask takes away."""


def append(path: Path, text: str) -> None:
    """Add to a file that has just been written; a link that has taken its place is not followed."""
    no_link = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
    with open(path, "a", encoding="utf-8", opener=lambda name, flags: os.open(name, flags | no_link)) as file:
        file.write(text)


def write(path: Path, text: str, *, mode: int = SHARED) -> Path:
    """Put a whole file in place at once, so that no reader meets half of it and no writer another one's draft.

    No link is followed: what stands at the path is replaced, whatever it is.

    Raises:
        UsageError: If the folder cannot be written.
    """
    # A name that nobody can foresee, and "x", which opens nothing that is there: the folder may belong to others, too.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Half of a letter, as a name from outside may hold one, costs no page.
            with open(
                draft, "x", encoding="utf-8", errors="backslashreplace", opener=partial(os.open, mode=mode)
            ) as file:
                file.write(text)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror or error}. Choose another folder.") from error
    return path
