"""``optiproxy export`` and ``optiproxy retrain``: the networks of a finished search."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optiproxy.cli.inputs.own_network import OwnCode, OwnEvaluate, OwnExample, OwnSpace
from optiproxy.cli.options import StudyName
from optiproxy.cli.terminal import say

if TYPE_CHECKING:
    from optiproxy.cli.inputs.saved import Place
    from optiproxy.metrics import Metrics
    from optiproxy.results.result import SearchResult
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

RETRAINED = "retrain"
"""Folder, in that of a search, of the networks that were trained again."""

Target = Annotated[
    str,
    typer.Argument(
        metavar="STUDY_OR_DIR",
        help="Folder of a search, its name in runs/, its study.db, a storage URL, or your MODULE:NAME or TOML file that was "
        "searched.",
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
    space: OwnSpace = None,
    evaluate: OwnEvaluate = None,
    example: OwnExample = None,
    study: StudyName = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the export; `export` in the search's folder if left out."),
    ] = None,
) -> None:
    """Export the best architecture of a search, with a card that says what it is."""
    place, result, best = _found(target, study)
    folder = out or place.folder / "export"
    records = result.front if front else (best,)
    # Once, and before anything is written: it may import code of the user's own.
    task = OwnCode(space, evaluate, example).task_of(result, records) if _FILES[as_format] else None
    # The files have the same names for every architecture, so those of a front need a folder each.
    for record in records:
        into = folder / f"query-{record.number}" if front else folder
        if task is None:
            _export_choices(place, result, record, into)
        else:
            _export_network(task, place, result, record, into, formats=_FILES[as_format])


def retrain(
    target: Target,
    *,
    query: Annotated[int | None, typer.Option(metavar="N", help="Which architecture; the best if left out.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the training; the one after the search's own if left out.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Of the training; the task's own if left out.")] = None,
    space: OwnSpace = None,
    evaluate: OwnEvaluate = None,
    example: OwnExample = None,
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
    from optiproxy.searching.stopping import check_whole
    from optiproxy.training.export.network_files import export as export_network

    for name, value, low in (("seed", seed, 0), ("epochs", epochs, 1)):
        if value is not None:
            check_whole(name, value, low)
    place, result, best = _found(target, study)
    records = {record.number: record for record in result.records}
    if query is not None and query not in records:
        raise unknown("query", str(query), map(str, records))
    record = best if query is None else records[query]
    # The seed of the search would give the network again that is already known.
    chosen = result.seed + 1 if seed is None else seed
    name = f"query-{record.number}-seed-{chosen}" + (f"-epochs-{epochs}" if epochs else "")
    done = export_network(
        OwnCode(space, evaluate, example).task_of(result),
        record.architecture,
        out or place.folder / RETRAINED / name,
        seed=chosen,
        # Nothing to compare with: another seed or length is meant to give other metrics.
        metrics={},
        epochs=epochs,
    )
    # The search's own numbers stand beside the new ones: how far they differ is what a retraining is for.
    width = max(map(len, done.metrics), default=0)
    say(f"{'':<{width}}  {'search':>10}  {'retrained':>10}")
    for metric, value in done.metrics.items():
        say(f"{metric:<{width}}  {number(record.metrics.get(metric)):>10}  {number(value):>10}")
    _tell(done)


def _found(target: str, study: str | None) -> tuple[Place, SearchResult, Record]:
    """Return where a study lies, what it holds, and its best architecture.

    Raises:
        UsageError: If there is nothing of that name.
        StudyError: If it cannot be read.
        SearchFailed: If nothing in it is feasible.
    """
    from optiproxy.cli.inputs import saved
    from optiproxy.errors import SearchFailed
    from optiproxy.searching.load import load

    place = saved.locate(target)
    result = load(place.storage, study or place.study)
    if not result.has_best:
        raise SearchFailed(
            f"The study {result.study!r} has no feasible architecture to export. Run the search further."
        )
    return place, result, result.best


def _tell(done: Exported) -> None:
    """Say what was written."""
    say(f"Architecture: {done.architecture}")
    for file in done.files:
        say(f"Network: {file.path}: {file.use}")
        say(f"  differs from the trained one by {file.difference:.1g}; latency {file.latency}, again {file.again}")
    if done.note:
        # A remark for people, and no line that a script would look for.
        say(done.note, err=True)


def _export_network(
    task: Task, place: Place, result: SearchResult, record: Record, folder: Path, *, formats: tuple[str, ...]
) -> None:
    from optiproxy.training.export.network_files import export as export_network

    done = export_network(task, record.architecture, folder, seed=result.seed, metrics=record.metrics, formats=formats)
    _tell(done)
    _write_card(place, result, record, folder, files=done.files)


def _export_choices(place: Place, result: SearchResult, record: Record, folder: Path) -> None:
    from optiproxy.cli.inputs import saved
    from optiproxy.files import write
    from optiproxy.training.export.network_files import ARCHITECTURE, remove_earlier

    # NaN is no JSON: it has been replaced, and a mistake there should fail here and not at the reader.
    text = json.dumps(saved.winner(result, record), indent=2, allow_nan=False) + "\n"
    remove_earlier(folder)
    say(f"Architecture: {write(folder / ARCHITECTURE, text)}")
    _write_card(place, result, record, folder)


def _write_card(
    place: Place, result: SearchResult, record: Record, folder: Path, *, files: tuple[WrittenFile, ...] = ()
) -> None:
    from optiproxy.files import write
    from optiproxy.reporting.search.card import card

    # The query itself comes last: its metrics count, even if its seed was trained again.
    trainings = {**_retrained(place.folder, result, record), result.seed: record.metrics}
    say(f"Card: {write(folder / 'card.md', card(result, record, files=files, trainings=trainings))}")


def _retrained(folder: Path, result: SearchResult, record: Record) -> dict[int, Metrics]:
    """Map the seed to the metrics of each training of an architecture that `retrain` has kept in a search's folder.

    A training with other epochs than a query has says nothing on the luck of that query, and is left out.
    """
    # Sorted, so that the card is the same on every file system.
    told = [_read(path) for path in sorted(folder.glob(f"{RETRAINED}/*/architecture.json"))]
    choices = result.space.values(record.architecture)
    return {
        content["seed"]: content["metrics"]["repeated"]
        for content in told
        if content.get("architecture") == choices and content.get("epochs") == result.protocol.full
    }


def _is_retraining(content: dict[str, Any]) -> bool:
    """Whether a file says which seed gave which metrics, as ours do."""
    metrics = content.get("metrics")
    repeated = metrics.get("repeated") if isinstance(metrics, dict) else None
    numbers = isinstance(repeated, dict) and all(type(value) in (float, int) for value in repeated.values())
    return numbers and type(content.get("seed")) is int


def _read(path: Path) -> dict[str, Any]:
    """Return what `optiproxy.training.export.network_files` wrote; empty where it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    # A file that somebody else has put there says nothing on this search, and is no reason to fail.
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) and _is_retraining(content) else {}
