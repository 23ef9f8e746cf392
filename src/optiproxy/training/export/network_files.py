"""A trained network as files: Python, a `torch.export` program, ONNX; checked, timed, with a description of what it is."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from optiproxy.errors import UsageError, unknown
from optiproxy.metrics import Metrics
from optiproxy.spaces import Architecture
from optiproxy.spaces.building.dry_run import arguments
from optiproxy.task.task import Task
from optiproxy.training.export.file_format import FileFormat, WrittenFile, write_checked
from optiproxy.training.export.graph_files import OnnxFile, TorchProgram
from optiproxy.training.export.python_file import WEIGHTS, OwnSource, StraightLine
from optiproxy.training.tasks.network_task import Trained, TrainingTask

if TYPE_CHECKING:
    from torch import nn

    from optiproxy.spaces.building.dry_run import Inputs

ARCHITECTURE = "architecture.json"

_NETWORK = {WEIGHTS, StraightLine.filename, TorchProgram.filename, OnnxFile.filename}
"""Names of all files that a network is written to."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export has written.

    Attributes:
        architecture: Path of a JSON file: task, source, decisions with their values, recorded and repeated metrics.
        files: The network, once per format, each checked against the trained one.
        metrics: What the repeated training measured.
        note: Empty where the repeated training met the recorded objectives, else one sentence that says how it differs.
    """

    architecture: Path
    files: tuple[WrittenFile, ...]
    metrics: Metrics
    note: str


def export_network(
    network: nn.Module,
    example: Inputs,
    directory: str | Path,
    *,
    formats: Sequence[str] = ("python", "torch", "onnx"),
) -> tuple[WrittenFile, ...]:
    """Write your own trained network so that it runs without the code that built it.

    Every file is read back, compared with the network on several inputs in each of its outputs, and timed. Outputs may be
    held by tuples, lists, mappings, named tuples and dataclasses; in the files these are tuples, lists and dicts.

    Args:
        network: Written in evaluation mode; its lazy modules are materialized.
        example: One input, ``(1, ...)``; several as a tuple.
        directory: Made if it is missing; files of the same names are replaced.
        formats: ``"python"`` (a file that needs torch alone, with the weights beside it), ``"torch"`` (read by
            `torch.export.load`), ``"onnx"`` (needs the extra of that name).

    Raises:
        UsageError: If there is no such format, a package is missing, or the directory cannot be written.
        ExportError: If the network cannot be written in a format, or the file answers otherwise.
    """
    # From the recorded graph: of a user's own class nothing is known, and its file may import anything.
    return _write(network, example, Path(directory), _chosen(formats, python=StraightLine()))


def export(
    task: Task,
    architecture: Architecture,
    directory: Path,
    *,
    seed: int,
    metrics: Metrics,
    epochs: int | None = None,
    formats: Sequence[str] = ("python",),
) -> Exported:
    """Train an architecture once more and write it down.

    Args:
        task: Where it was found.
        architecture: The winner.
        directory: Made if it is missing; an earlier export there is replaced as a whole.
        seed: Seed of the training; that of the search repeats the recorded one.
        metrics: Recorded metrics; the repeated training is compared with them on the objectives of the task.
        epochs: Length of the training, see `TrainingTask.train`.
        formats: Names of formats, see `export_network`.

    Raises:
        UsageError: If the task trains no network, there is no such format, a package is missing, or the directory cannot
            be written.
        ExportError: If the network cannot be written in a format, or the file answers otherwise.
    """
    if not isinstance(task, TrainingTask):
        raise UsageError(f"Task {task.name!r} trains no network, so there are no weights to export. Export it as JSON.")
    # Trained anew, because a search of a published task keeps metrics and no weights.
    trained = task.train(architecture, seed=seed, epochs=epochs)
    # Formats first: a format that cannot be had leaves nothing half done.
    python = StraightLine() if trained.arguments is None else OwnSource(trained.arguments)
    files = _write(trained.network, trained.example, directory, _chosen(formats, python=python))
    names = [file.path.name for file in files]
    beside = [WEIGHTS] if python.filename in names else []
    description = _description(task, architecture, trained, seed=seed, epochs=epochs, metrics=metrics)
    path = directory / ARCHITECTURE
    path.write_text(json.dumps({**description, "files": [*names, *beside]}, indent=2) + "\n", encoding="utf-8")
    return Exported(
        architecture=path,
        files=files,
        metrics=trained.metrics,
        note=_difference(task, recorded=metrics, repeated=trained.metrics),
    )


def remove_earlier(directory: Path) -> None:
    """Remove the network that an earlier export has written into a folder, so that files of two are never mixed.

    Which files these are is told by its description; what else lies there is left alone.
    """
    try:
        content: object = json.loads((directory / ARCHITECTURE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    told = cast("dict[str, Any]", content).get("files") if isinstance(content, dict) else None
    # A description may be anybody's, so it names nothing but what an export writes.
    for name in _NETWORK.intersection(map(str, told if isinstance(told, list) else [])):
        (directory / name).unlink(missing_ok=True)


def _chosen(names: Sequence[str], *, python: FileFormat) -> list[FileFormat]:
    # Both ways to write Python go by one name: which of them applies does not depend on the user's wish.
    known: dict[str, FileFormat] = {known.name: known for known in (python, TorchProgram(), OnnxFile())}
    for name in names:
        if name not in known:
            raise unknown("format", name, known)
    return [known[name] for name in names]


def _write(
    network: nn.Module, example: Inputs, directory: Path, formats: Sequence[FileFormat]
) -> tuple[WrittenFile, ...]:
    # Here, because a wrong folder is the user's to correct; what the formats raise passes through.
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: what cannot be written leaves an earlier export as it is.
        with tempfile.TemporaryDirectory(prefix=".", dir=directory) as draft:
            files = [write_checked(network, example, Path(draft), as_format=chosen) for chosen in formats]
            remove_earlier(directory)
            for path in Path(draft).iterdir():
                path.replace(directory / path.name)
        return tuple(replace(file, path=directory / file.path.name) for file in files)
    except OSError as error:
        raise UsageError(f"Cannot write the export to {directory}: {error}. Choose another folder.") from error


def _description(
    task: TrainingTask,
    architecture: Architecture,
    trained: Trained,
    *,
    seed: int,
    epochs: int | None,
    metrics: Metrics,
) -> Mapping[str, Any]:
    shapes = [list(tensor.shape[1:]) for tensor in arguments(trained.example)]
    return {
        "task": task.name,
        "source": {"name": task.source.name, "description": task.source.description, "digest": task.source.digest},
        "space": task.space.name,
        "architecture": task.space.values(architecture),
        "seed": seed,
        # The number, because what None means may change with the task.
        "epochs": task.full_or(epochs) if task.fidelities else None,
        "metrics": {"recorded": dict(metrics), "repeated": trained.metrics},
        "network": {"arguments": trained.arguments, "input_shape": shapes[0] if len(shapes) == 1 else shapes},
    }


def _difference(task: TrainingTask, *, recorded: Metrics, repeated: Metrics) -> str:
    # Objectives alone: measured times differ always.
    changed = [
        f"{name} is {repeated[name]:.6g} instead of {recorded[name]:.6g}"
        for name in (objective.metric for objective in task.goal.objectives)
        # Compared exactly: on the same machine a seed repeats a training bit by bit.
        if name in recorded and name in repeated and recorded[name] != repeated[name]
    ]
    if not changed:
        return ""
    return (
        f"The repeated training differs from the recorded one ({'; '.join(changed)}): other hardware, another torch, "
        "or random numbers that the training does not seed."
    )
