"""What optuna-dashboard shows of a whole study: a note in Markdown, and a picture among the study's artifacts.

The dashboard keeps both as system attributes of the study (`optuna_dashboard.save_note`, `optuna.artifacts.upload_artifact`), so
they can be written where it is not installed.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from optiproxy.files import write
from optiproxy.storage.artifacts import PREFIX

if TYPE_CHECKING:
    from optuna.study import Study

TEXT, VERSION = "dashboard:note_str:", "dashboard:note_ver"
"""System attributes of the dashboard's own: the pieces of the text, numbered from 0, and how often it was saved."""

PIECE = 2045
"""Characters of a piece at most."""

OURS = "optiproxy:note_ver"
"""System attribute: the `VERSION` that was written here. Where they differ, a person has edited the note since."""


def write_note(study: Study, text: str) -> None:
    """Put a note in the place of an earlier one; nothing happens where a person has edited that."""
    storage, number = study._storage, study._study_id  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    before = storage.get_study_system_attrs(number)
    version = before.get(VERSION, 0)
    if version != before.get(OURS, 0):
        return
    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    # What an earlier, longer note has beyond would stay in the text.
    beyond = sum(key.startswith(TEXT) for key in before) - len(pieces)
    for i, piece in enumerate([*pieces, *[""] * beyond]):
        storage.set_study_system_attr(number, f"{TEXT}{i}", piece)
    for key in (OURS, VERSION):
        storage.set_study_system_attr(number, key, version + 1)


def show_picture(study: Study, root: Path, name: str, drawing: str) -> str:
    """Make a drawing an artifact of the study, in the place of an earlier one of this name.

    Args:
        study: Of the picture.
        root: Folder of the study's artifacts, which the dashboard has to be told of (``--artifact-dir``).
        name: Of the file, ``NAME.svg``.
        drawing: Its content.

    Returns:
        Where the dashboard serves it.

    Raises:
        UsageError: If the folder cannot be written.
    """
    storage, number = study._storage, study._study_id  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    # The same each time, so that no picture of the past is left.
    identity = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{study.study_name}/{name}"))
    write(root / identity, drawing)
    told = {"artifact_id": identity, "filename": name, "mimetype": "image/svg+xml", "encoding": None}
    storage.set_study_system_attr(number, PREFIX + identity, json.dumps(told))
    return f"/artifacts/{number}/{identity}"
