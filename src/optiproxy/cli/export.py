"""``optiproxy export``."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optiproxy.cli.options import StudyName

if TYPE_CHECKING:
    from optiproxy.cli.saved import Place
    from optiproxy.searching.result import SearchResult
    from optiproxy.storage.record import Record
    from optiproxy.task.task import Task
    from optiproxy.training.export.file_format import WrittenFile
    from optiproxy.training.export.network_files import Exported


class Format(StrEnum):
    """What is written."""

    torch = "torch"
    onnx = "onnx"
    python = "python"
    json = "json"


_FILES = {Format.torch: ("python", "torch"), Format.onnx: ("onnx",), Format.python: ("python",), Format.json: ()}
"""Format -> the formats of the network's files."""

Target = Annotated[
    str,
    typer.Argument(
        metavar="STUDY_OR_DIR", help="Folder of a search, its name in runs/, its study.db, or a storage URL."
    ),
]


def export(
    target: Target,
    *,
    as_format: Annotated[
        Format,
        typer.Option(
            "--format",
            help="torch: a torch.export program and Python code with weights; onnx: an ONNX file; python: code with "
            "weights; json: the architecture alone.",
        ),
    ] = Format.torch,
    front: Annotated[
        bool, typer.Option("--front", help="Every architecture of the Pareto front, each in a folder of its own.")
    ] = False,
    study: StudyName = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the export; `export` in the search's folder if left out."),
    ] = None,
) -> None:
    """Export the best architecture of a search, with a card that says what it is."""
    place, result, best = found(target, study)
    folder = out or place.folder / "export"
    records = result.front if front else (best,)
    for record in records:
        into = folder / f"query-{record.number}" if front else folder
        if _FILES[as_format]:
            _export_network(place, result, record, into, formats=_FILES[as_format])
        else:
            _export_choices(place, result, record, into)


def found(target: str, study: str | None) -> tuple[Place, SearchResult, Record]:
    """Where a study lies, what it holds, and its best architecture.

    Raises:
        UsageError: If there is nothing of that name.
        StudyError: If it cannot be read.
        SearchFailed: If nothing in it is feasible.
    """
    from optiproxy.cli import saved
    from optiproxy.errors import SearchFailed
    from optiproxy.searching.search import load

    place = saved.locate(target)
    result = load(place.storage, study or place.study)
    if result.best is None:
        raise SearchFailed(
            f"The study {result.study!r} has no feasible architecture to export. Run the search further."
        )
    return place, result, result.best


def task_of(result: SearchResult) -> Task:
    """The task whose networks a search has trained.

    Raises:
        UsageError: If it is a user's own function, which no study holds.
    """
    from optiproxy import registry
    from optiproxy.errors import UsageError

    if result.task not in {entry.name for entry in registry.tasks()}:
        raise UsageError(
            f"The study {result.study!r} was made with a training function of your own, which it does not hold. "
            "Build the network where you have its space, with space.build(result.best.architecture, seed=result.seed), "
            "or write its choices with --format json."
        )
    return registry.task(result.task)


def tell(done: Exported) -> None:
    """Say what was written."""
    typer.echo(f"Architecture: {done.architecture}")
    for file in done.files:
        typer.echo(f"Network: {file.path}: {file.use}")
        typer.echo(
            f"  differs from the trained one by {file.difference:.1g}; latency {file.latency}, again {file.again}"
        )
    if done.note:
        typer.echo(done.note, err=True)


def _export_network(
    place: Place, result: SearchResult, record: Record, folder: Path, *, formats: tuple[str, ...]
) -> None:
    from optiproxy.training.export.network_files import export as export_network

    done = export_network(
        task_of(result), record.architecture, folder, seed=result.seed, metrics=record.metrics, formats=formats
    )
    tell(done)
    _write_card(place, result, record, folder, files=done.files)


def _export_choices(place: Place, result: SearchResult, record: Record, folder: Path) -> None:
    from optiproxy.cli import saved
    from optiproxy.storage.files import write

    text = json.dumps(saved.winner(result, record), indent=2, allow_nan=False) + "\n"
    typer.echo(f"Architecture: {write(folder / 'architecture.json', text)}")
    _write_card(place, result, record, folder)


def _write_card(
    place: Place, result: SearchResult, record: Record, folder: Path, *, files: tuple[WrittenFile, ...] = ()
) -> None:
    from optiproxy.cli.retrain import retrained
    from optiproxy.reporting.search.card import card
    from optiproxy.storage.files import write

    trainings = {**retrained(place.folder, result, record), result.seed: record.metrics}
    typer.echo(f"Card: {write(folder / 'card.md', card(result, record, files=files, trainings=trainings))}")
