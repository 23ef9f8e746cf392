"""The folder of a search: ``result.json``, ``report.html`` and, unless stored elsewhere, ``study.db``."""

from __future__ import annotations

import json
import math
import os
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from optiproxy import __version__
from optiproxy.errors import StudyError, UsageError
from optiproxy.files import PRIVATE, SHARED, write
from optiproxy.metrics import Metrics
from optiproxy.optimizer.algorithm import LEVEL
from optiproxy.results.calibration import SETTLED, coverage
from optiproxy.results.result import SearchResult
from optiproxy.storage.backends.opening import file_of, sqlite_address
from optiproxy.storage.backends.secrets import VARIABLE, names_server, same, shown
from optiproxy.storage.record import Record
from optiproxy.storage.study import stored_study

RESULT, REPORT, DATABASE = "result.json", "report.html", "study.db"

_KINDS = {"storage": str, "study": str, "task": str, "seed": int}
"""Of what is read of a result, the types."""


@dataclass(frozen=True)
class Place:
    """Where a study lies.

    Attributes:
        storage: Its URL.
        study: Its name; None means the only one there.
        folder: Where what is written about it goes.
    """

    storage: str
    study: str | None
    folder: Path


def database(folder: Path) -> str:
    """Return the storage URL of the study that a folder holds by default.

    Raises:
        UsageError: If a link stands there, which may lead to any file.
    """
    return sqlite_address(_no_link(folder / DATABASE))


def locate(target: str) -> Place:
    """Find a study: by its folder, by the name of a folder in ``runs``, by its database file or by a storage URL.

    What a TOML file or a ``MODULE:NAME`` of the user's stands for is looked for in ``runs``.

    Raises:
        UsageError: If there is nothing of that name.
    """
    # A database belongs to no folder, so what is written about its study goes into the current one.
    if "://" in target:
        return Place(target, None, Path())
    from optiproxy.cli.inputs import finding, search_file

    # What exists from here comes first; the name of a search in runs/ is the shorthand.
    path = next((path for path in (Path(target), Path("runs") / target) if path.exists()), None)
    if path is None or path.suffix == search_file.SUFFIX:
        path = finding.folder_of(target) if finding.is_own(target) else None
    if path is None or not path.exists():
        raise UsageError(
            f"There is no study at {target!r}. Expected the folder of a search, its study.db, or a storage URL."
        )
    if path.is_file():
        return Place(sqlite_address(path), None, path.parent)
    content = read(path)
    # The folder may have moved since: its own database counts, not the place that was written down.
    if (path / DATABASE).exists():
        return Place(database(path), content.get("study"), path)
    if not content.get("storage"):
        raise UsageError(f"{path} holds no study. Expected the folder that `optiproxy search` has written.")
    return Place(_elsewhere(path, content["storage"], content.get("study")), content.get("study"), path)


def _elsewhere(folder: Path, storage: str, study: str | None) -> str:
    """Return the storage of a study that does not lie in its folder, as far as that is for the folder to say.

    The folder may come from anywhere, and a database that is connected to may be given passwords, or be written to. So the
    user says it, too; or it is a file of the folder itself.
    """
    file = None if names_server(storage) else file_of(storage)
    if file is not None and file.parent.resolve() == folder.resolve() and (folder / file.name).is_file():
        return sqlite_address(_no_link(folder / file.name))
    told = os.environ.get(VARIABLE, "")
    if same(storage, told):
        return told
    named = shlex.join([shown(storage), *(["--study", study] if study else [])])
    raise UsageError(
        f"The study of {folder} lies elsewhere, and a folder does not decide where to connect. Give instead of it what it "
        f"says, if you trust that: {named}; or set {VARIABLE} to the address."
    )


def _no_link(file: Path) -> Path:
    if file.is_symlink():
        raise UsageError(f"{file} is a link, which is not followed. Give what it leads to: {file.resolve()}.")
    return file


def read(folder: Path) -> dict[str, Any]:
    """Return what `save` wrote into a folder, as far as it can be read; empty where there is nothing."""
    try:
        content: object = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    told = cast("dict[str, Any]", content)
    return {name: value for name, value in told.items() if isinstance(value, _KINDS.get(name, object))}


def check_free(folder: Path, study: str) -> None:
    """Raise unless the folder is new or this study's, so that no other result is overwritten.

    Raises:
        StudyError: If it holds the result of another study.
        UsageError: If nothing can be written there.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise UsageError(f"Cannot write into {folder}: {there} is no folder that can be written. Choose another --out.")
    found = read(folder).get("study")
    if found is None and (folder / RESULT).exists():
        raise StudyError(f"{folder / RESULT} is not the result of a search. Remove it, or choose another --out.")
    # A search that is still running, or was killed, has no result yet. What cannot be read is told where it is opened.
    if found is None and (folder / DATABASE).exists():
        with suppress(StudyError):
            found = stored_study(database(folder), None)[0].study_name
    if found not in (None, study):
        raise StudyError(f"{folder} holds the search {found!r}, not {study!r}. Choose another --out.")


def save(result: SearchResult, folder: Path) -> Path:
    """Write ``result.json``.

    Raises:
        UsageError: If the folder cannot be written.
    """
    # Fails at NaN, which most readers of JSON would not take.
    text = json.dumps(content(result), indent=2, allow_nan=False) + "\n"
    return write(folder / RESULT, text, mode=PRIVATE if names_server(result.storage) else SHARED)


def content(result: SearchResult) -> dict[str, Any]:
    """Return the result as JSON: settings, the best and the recommended, the front and its hypervolume, and every trial."""
    return {
        **_settings(result),
        "budget": result.budget,
        "study": result.study,
        "storage": result.storage,
        "stopped": result.stopped,
        "epochs": result.epochs,
        "best": _record(result, result.best) if result.has_best else None,
        "recommended": None if result.recommended is None else _record(result, result.recommended),
        "front": [_record(result, record) for record in result.front],
        "hypervolume": _hypervolume(result),
        "calibration": _calibration(result),
        "trials": [_record(result, record) for record in result.records],
    }


def winner(result: SearchResult, best: Record) -> dict[str, Any]:
    """Return one architecture as JSON, with where it comes from."""
    architecture = result.space.values(best.architecture)
    # In the form of the files that an export writes, which have what a repeated training measured beside it.
    return {**_settings(result), "architecture": architecture, "metrics": {"recorded": _finite(best.metrics)}}


def _settings(result: SearchResult) -> dict[str, Any]:
    return {
        "optiproxy": __version__,
        "task": result.task,
        "source": asdict(result.source),
        "space": result.space.name,
        "algorithm": result.algorithm,
        "seed": result.seed,
        "goal": {"objectives": [*map(str, result.goal.objectives)], "limits": [*map(str, result.goal.limits)]},
        # It follows from goal and protocol which limits only a query can decide, but no reader should have to derive it.
        "protocol": {**asdict(result.protocol), "queried": result.protocol.queried(result.goal)},
    }


def _hypervolume(result: SearchResult) -> dict[str, Any] | None:
    """Return what the front has won, and of which box; None with one objective."""
    if result.box is None:
        return None
    names = [objective.metric for objective in result.goal.objectives]
    return {
        "share": result.hypervolume,
        "reference": dict(zip(names, result.box.reference, strict=True)),
        "ideal": dict(zip(names, result.box.ideal, strict=True)),
        "after_each_query": [*result.hypervolume_so_far],
    }


def _calibration(result: SearchResult) -> dict[str, Any] | None:
    """Return how often intervals held what was measured; None where none was predicted."""
    found = {name: coverage(result.records, name) for name in result.goal.metric_names}
    metrics = {name: {**asdict(one), "share": one.share} for name, one in found.items() if one.intervals}
    return {"level": LEVEL, "from_query": SETTLED, "metrics": metrics} if metrics else None


def _record(result: SearchResult, record: Record) -> dict[str, Any]:
    return {
        "number": record.number,
        "fidelity": result.protocol.epochs(record.fidelity),
        "state": record.state,
        "feasible": result.goal.feasible(record.metrics),
        "architecture": result.space.values(record.architecture),
        "metrics": _finite(record.metrics),
        "predicted": _finite(record.predicted),
        "intervals": dict(record.intervals),
        "reason": record.reason,
        "ask_seconds": record.ask_seconds,
        "evaluation_seconds": record.evaluation_seconds,
    }


def _finite(metrics: Metrics) -> Mapping[str, float | None]:
    """Replace what is not finite by None, because JSON knows no NaN."""
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}
