"""Whose a report is, so that none replaces another one silently.

A page carries a mark of what it reports on, as its last line. It is written again for the same study or comparisons only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from optiproxy.cli.inputs import saved
from optiproxy.comparison.folder import Folder
from optiproxy.errors import UsageError
from optiproxy.files import append

_MARK = re.compile(r"<!-- optiproxy report ([0-9a-f]{16}) -->\s*$")
_LINE = 64
"""Bytes at the end of a page in which a mark is looked for."""


def owner_of_search(study: str, storage: str) -> str:
    """Return the mark of a study's report: 16 hexadecimal digits."""
    # Its name within the database and not where that lies: a folder may be moved, and a URL may hold a password.
    return _digest(study, re.split(r"[/\\]", storage.partition("?")[0])[-1])


def owner_of_comparisons(folders: Sequence[Path]) -> str:
    """Return the mark of a report on several comparisons; it stays the same when they grow."""
    return _digest(*sorted(str(folder.resolve()) for folder in folders))


def mark(page: Path, owner: str) -> None:
    """Say in a page that was just written whose it is."""
    append(page, f"<!-- optiproxy report {owner} -->\n")


def check_page(page: Path, owner: str) -> None:
    """Raise unless a page is new or this owner's.

    Raises:
        UsageError: If it is there and somebody else's.
    """
    if page.exists() and _marked(page) != owner:
        raise UsageError(
            f"{page} is there already and reports on something else. Choose another --out, or remove the file first."
        )


def check_search_page(page: Path, study: str, storage: str) -> None:
    """Raise unless the report of a study may be written there.

    Raises:
        UsageError: If there is another report, or the folder is a comparison's.
    """
    if page.name == saved.REPORT and Folder(page.parent).claimed:
        raise UsageError(
            f"{page.parent} holds a comparison, whose report this one would replace. Choose another --out."
        )
    # Pages had no mark in earlier versions; those of a search lie beside its result.
    before = page.exists() and not _marked(page) and saved.read(page.parent).get("study") == study
    if not before:
        check_page(page, owner_of_search(study, storage))


def check_comparison(folder: Path) -> None:
    """Raise unless a folder is new or a comparison's, so that no search and no report is overwritten.

    Raises:
        UsageError: If it holds something else.
    """
    if Folder(folder).claimed:
        return
    held = next((name for name in (saved.RESULT, saved.DATABASE, saved.REPORT) if (folder / name).exists()), "")
    if held:
        raise UsageError(
            f"{folder} holds {held} of something else, which a comparison would get mixed up with. Choose another --out."
        )


def _marked(page: Path) -> str:
    """Return the mark of a page; empty where it has none."""
    try:
        with page.open("rb") as file:
            file.seek(max(page.stat().st_size - _LINE, 0))
            found = _MARK.search(file.read().decode("utf-8", errors="replace"))
    except OSError:
        return ""
    return found[1] if found else ""


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
