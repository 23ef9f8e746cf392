"""``optiproxy export``."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """What is written."""

    torch = "torch"
    json = "json"


def export(
    target: Annotated[
        str,
        typer.Argument(
            metavar="STUDY_OR_DIR", help="Folder of a search, its name in runs/, its study.db, or a storage URL."
        ),
    ],
    *,
    as_format: Annotated[
        Format,
        typer.Option("--format", help="torch: the trained network and code that loads it; json: the architecture."),
    ] = Format.torch,
    study: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which study, where the storage holds several.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the export; `export` in the search's folder if left out."),
    ] = None,
) -> None:
    """Export the best architecture of a search."""
    from optiproxy.cli import saved
    from optiproxy.errors import SearchFailed
    from optiproxy.reporting.page import write
    from optiproxy.running import registry
    from optiproxy.running.search import load

    place = saved.locate(target)
    result = load(place.storage, study or place.study)
    if result.best is None:
        raise SearchFailed(
            f"The study {result.study!r} has no feasible architecture to export. Run the search further."
        )
    folder = out or place.folder / "export"
    match as_format:
        case Format.json:
            text = json.dumps(saved.winner(result, result.best), indent=2, allow_nan=False) + "\n"
            typer.echo(f"Architecture: {write(folder / 'architecture.json', text)}")
        case Format.torch:
            from optiproxy.training.export import export as export_torch

            task = registry.task(result.task)
            done = export_torch(task, result.best.architecture, folder, seed=result.seed, metrics=result.best.metrics)
            typer.echo(f"Architecture: {done.architecture}")
            typer.echo(f"Network: {done.network}; its load() returns the trained network and needs torch alone.")
            typer.echo(f"Weights: {done.weights}")
            if done.note:
                typer.echo(done.note, err=True)
