"""NAS-Bench-NLP's training logs on WikiText-2 (Klyuchnikov et al. 2020, arXiv 2006.07116): one JSON file per run, zipped."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from optiproxy.errors import DataError, UsageError
from optiproxy.spaces.published.recurrent_cell import from_recipe
from optiproxy.tables.convert.published import given

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FILE = "nbnlp_wikitext2_logs.zip"

EPOCHS = 50
"""Epochs of a training that finished."""

CURVES = ("train_losses", "val_losses", "test_losses", "wall_times")

# Three times as many as the archive holds.
_MAX_RUNS = 1_000
_MAX_BYTES = 50_000
"""Most bytes of one log, uncompressed: ten times the largest, so that no archive expands to more than 50 MB."""

_MAX_TEXT = 2_000
"""Most characters of a recipe: twice the longest."""


def convert(files: Mapping[str, bytes]) -> dict[str, NDArray[Any]]:
    """Make the table of runs, in the order of the archive.

    Args:
        files: Local name -> content.

    Returns:
        ``recepie_id``, ``recepie_json``, ``num_params`` and ``status``, ``(n,)`` each, and the `CURVES`
        ``(n, 50)``: losses in nats per token after each epoch, seconds of each epoch; NaN after the end of a run that
        failed. The benchmark spells recipes that way.

    Raises:
        DataError: If the file is missing, is no archive of logs, would expand without end, or holds a log of another form.
    """
    logs = [_log(name, text) for name, text in _members(given(files, _FILE))]
    arrays: dict[str, NDArray[Any]] = {
        "recepie_id": np.array([log["recepie_id"] for log in logs], dtype=np.int64),
        "recepie_json": np.array([log["recepie"] for log in logs]),
        "num_params": np.array([log["num_params"] for log in logs], dtype=np.int64),
        "status": np.array([log["status"] for log in logs]),
    }
    for curve in CURVES:
        arrays[curve] = np.full((len(logs), EPOCHS), np.nan, dtype=np.float32)
        for row, log in zip(arrays[curve], logs, strict=True):
            # The rest stays NaN: a run that broke off has no later values.
            row[: len(log[curve])] = log[curve]
    return arrays


def _members(content: bytes) -> list[tuple[str, bytes]]:
    """Read name and content of each file in the archive, in memory: no name in it ever becomes a path."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            sizes = [member.file_size for member in members]
            # The archive states the sizes, and zipfile reads no further than what it states.
            fits = 1 <= len(sizes) <= _MAX_RUNS and max(sizes) <= _MAX_BYTES
            contents = [(member.filename, archive.read(member)) for member in members] if fits else []
    except Exception as error:
        # A damaged archive can fail in zipfile and zlib in almost any way.
        raise DataError(f"Expected {_FILE} to be a zip archive of logs: {error!s:.200}. Get the file again.") from error
    if not fits:
        raise DataError(
            f"Expected 1 to {_MAX_RUNS} logs of at most {_MAX_BYTES:,} bytes in {_FILE}, got {len(sizes)} that would expand to "
            f"up to {max(sizes, default=0):,}. Get the file again."
        )
    return contents


def _log(name: str, content: bytes) -> dict[str, Any]:
    try:
        log: object = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"Expected {name!r:.80} in {_FILE} to be JSON: {error!s:.200}. Get the file again.") from error
    problem = _problem(log)
    if problem:
        raise DataError(
            f"Expected {name!r:.80} in {_FILE} to be the log of a training, but {problem}. Get the file again."
        )
    return cast("dict[str, Any]", log)


def _problem(log: object) -> str | None:
    """Say what is wrong with a log; None where nothing is."""
    fields = cast("dict[str, object]", log) if isinstance(log, dict) else {}
    for key in ("recepie_id", "num_params"):
        value = fields.get(key)
        # By exact type, because True is an int to isinstance.
        if type(value) is not int or not 0 <= value < 2**63:
            return f"its {key} is no count"
    for key in ("recepie", "status"):
        text = fields.get(key)
        if not isinstance(text, str) or len(text) > _MAX_TEXT:
            return f"its {key} is no text of at most {_MAX_TEXT} characters"
    lengths: set[int] = set()
    for key in CURVES:
        values = fields.get(key)
        if not isinstance(values, list) or not all(type(x) is float for x in cast("list[object]", values)):
            return f"its {key} are no list of decimal numbers"
        lengths.add(len(cast("list[object]", values)))
    if len(lengths) > 1 or max(lengths) > EPOCHS or (fields["status"] == "OK" and lengths != {EPOCHS}):
        return f"its curves have {sorted(lengths)} epochs and its status is {fields['status']!r:.40}"
    try:
        from_recipe(str(fields["recepie"]))
    except UsageError as error:
        return f"its recipe is none ({error})"
    return None
