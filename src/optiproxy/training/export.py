"""Write a trained winner down: its architecture as JSON, its network as a Python file and weights that need torch alone."""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from optiproxy.errors import UsageError
from optiproxy.metrics import Metrics
from optiproxy.spaces import Architecture
from optiproxy.task import Task
from optiproxy.training.task import Trained, TrainingTask

_LOADER = '''

ARGUMENTS = {arguments}
"""What the search found, as the arguments of `{network}`."""


def load() -> {network}:
    """The trained network, in evaluation mode; it takes inputs of shape (b, {shape})."""
    from pathlib import Path

    network = {network}(**ARGUMENTS)
    network.load_state_dict(torch.load(Path(__file__).with_name("{weights}"), map_location="cpu", weights_only=True))
    return network.eval()
'''


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export has written.

    Attributes:
        architecture: JSON: task, source, decisions with their values, recorded and repeated metrics.
        network: A Python module that imports nothing but torch and the standard library; its ``load()`` returns the
            trained network.
        weights: Read by ``load()``; lies beside it.
        note: Empty where the repeated training met the recorded objectives, else one sentence that says how it differs.
    """

    architecture: Path
    network: Path
    weights: Path
    note: str


def export(task: Task, architecture: Architecture, directory: Path, *, seed: int, metrics: Metrics) -> Exported:
    """Train a search's best architecture once more, with the search's seed, and write it down.

    Args:
        task: Where it was found.
        architecture: The winner.
        directory: Made if it is missing; files of an earlier export are replaced.
        seed: Of the search, and so of the recorded training.
        metrics: As recorded; the repeated training is compared with them on the objectives of the task.

    Raises:
        UsageError: If the task trains no network, or the directory cannot be written.
    """
    if not isinstance(task, TrainingTask):
        raise UsageError(f"Task {task.name!r} trains no network, so there are no weights to export. Export it as JSON.")
    trained = task.train(architecture, seed=seed)
    exported = Exported(
        architecture=directory / "architecture.json",
        network=directory / "network.py",
        weights=directory / "weights.pt",
        note=_difference(task, recorded=metrics, repeated=trained.metrics),
    )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        exported.architecture.write_text(
            json.dumps(_description(task, architecture, trained, seed=seed, metrics=metrics), indent=2) + "\n",
            encoding="utf-8",
        )
        exported.network.write_text(_module(trained, weights=exported.weights.name), encoding="utf-8")
        torch.save(trained.network.state_dict(), exported.weights)
    except OSError as error:
        raise UsageError(f"Cannot write the export to {directory}: {error}. Choose another folder.") from error
    return exported


def _module(trained: Trained, *, weights: str) -> str:
    """The source of the network's own module, with what rebuilds this network at its end."""
    kind = type(trained.network)
    arguments = repr(dict(trained.arguments))
    if ast.literal_eval(arguments) != dict(trained.arguments):
        raise UsageError(f"Expected arguments of {kind.__name__} that can be written as literals, got {arguments}.")
    shape = ", ".join(map(str, trained.example.shape[1:]))
    source = inspect.getsource(sys.modules[kind.__module__])
    return source + _LOADER.format(arguments=arguments, network=kind.__name__, shape=shape, weights=weights)


def _description(
    task: TrainingTask, architecture: Architecture, trained: Trained, *, seed: int, metrics: Metrics
) -> Mapping[str, Any]:
    return {
        "task": task.name,
        "source": {"name": task.source.name, "description": task.source.description, "digest": task.source.digest},
        "space": task.space.name,
        "architecture": task.space.values(architecture),
        "seed": seed,
        "metrics": {"recorded": dict(metrics), "repeated": trained.metrics},
        "network": {"arguments": trained.arguments, "input_shape": list(trained.example.shape[1:])},
    }


def _difference(task: TrainingTask, *, recorded: Metrics, repeated: Metrics) -> str:
    changed = [
        f"{name} is {repeated[name]:.6g} instead of {recorded[name]:.6g}"
        for name in (objective.metric for objective in task.goal.objectives)
        if name in recorded and recorded[name] != repeated[name]
    ]
    if not changed:
        return ""
    return (
        f"The repeated training differs from the recorded one ({'; '.join(changed)}): other hardware or another torch."
    )
