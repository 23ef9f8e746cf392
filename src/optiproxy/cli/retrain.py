"""``optiproxy retrain``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optiproxy.cli.export import Target, found, task_of, tell
from optiproxy.cli.options import StudyName

if TYPE_CHECKING:
    from optiproxy.metrics import Metrics
    from optiproxy.searching.result import SearchResult
    from optiproxy.storage.record import Record

FOLDER = "retrain"


def retrain(
    target: Target,
    *,
    query: Annotated[int | None, typer.Option(metavar="N", help="Which architecture; the best if left out.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the training; the one after the search's own if left out.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Of the training; the task's own if left out.")] = None,
    study: StudyName = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of the network; one below `retrain` in the search's folder if left out."
        ),
    ] = None,
) -> None:
    """Train the best architecture of a search again, with another seed or longer, and keep the network.

    Trainings with other seeds tell how much of a metric is luck; `optiproxy export` puts their spread on the card.
    """
    from optiproxy.errors import unknown
    from optiproxy.reporting.words import number
    from optiproxy.training.export.network_files import export

    place, result, best = found(target, study)
    records = {record.number: record for record in result.records}
    if query is not None and query not in records:
        raise unknown("query", str(query), map(str, records))
    record = best if query is None else records[query]
    chosen = result.seed + 1 if seed is None else seed
    name = f"query-{record.number}-seed-{chosen}" + (f"-epochs-{epochs}" if epochs else "")
    done = export(
        task_of(result),
        record.architecture,
        out or place.folder / FOLDER / name,
        seed=chosen,
        metrics={},
        epochs=epochs,
    )
    width = max(map(len, done.metrics))
    typer.echo(f"{'':<{width}}  {'search':>10}  {'retrained':>10}")
    for metric, value in done.metrics.items():
        typer.echo(f"{metric:<{width}}  {number(record.metrics.get(metric)):>10}  {number(value):>10}")
    tell(done)


def retrained(folder: Path, result: SearchResult, record: Record) -> dict[int, Metrics]:
    """Seed -> metrics of each training of an architecture that `retrain` has kept in a search's folder, as long as a query."""
    told = [_read(path) for path in sorted(folder.glob(f"{FOLDER}/*/architecture.json"))]
    choices = result.space.values(record.architecture)
    return {
        content["seed"]: content["metrics"]["repeated"]
        for content in told
        if content.get("architecture") == choices and content.get("epochs") == result.protocol.full
    }


def _read(path: Path) -> dict[str, Any]:
    """What `optiproxy.training.export.network_files` wrote; empty where it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
