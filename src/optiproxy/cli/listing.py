"""``optiproxy tasks`` and ``optiproxy algorithms``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optiproxy.cli.terminal import say

if TYPE_CHECKING:
    from optiproxy.registry import TaskEntry

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def tasks(*, as_json: AsJson = False) -> None:
    """List what can be searched for, and whether its data is here."""
    from optiproxy import registry
    from optiproxy.tables.store.datasets import DATASETS, problem

    # Each dataset is checked once here, because many tasks read the same one and a check reads the whole file.
    problems = {name: problem(name) for name in DATASETS}
    found = [describe(entry, problems) for entry in registry.tasks()]
    if as_json:
        say(json.dumps(found, indent=2))
        return
    # People get what fits a line of a terminal; programs get everything.
    heads = ("TASK", "SPACE", "SIZE", "METRICS", "SOURCE", "LICENCE", "")
    rows = [
        (
            entry["id"],
            entry["space"] or "–",
            _size(entry),
            shortened([metric["name"] for metric in entry["metrics"]], 4),
            entry["source"] or "–",
            entry["licence"] or "–",
            _standing(entry),
        )
        for entry in found
    ]
    table([heads, *rows])


def algorithms(*, as_json: AsJson = False) -> None:
    """List the search algorithms."""
    from optiproxy import registry

    entries = registry.algorithms()
    # An algorithm whose package is missing is listed all the same, with what would bring it.
    missing = {entry.name: registry.missing_package(entry.name) for entry in entries}
    if as_json:
        found = [
            {
                "name": e.name,
                "description": e.description,
                "paper": e.paper,
                "missing": missing[e.name],
                "package": e.package,
            }
            for e in entries
        ]
        say(json.dumps(found, indent=2))
        return
    # A description of another package would mean to import it; its name says where to look.
    heads = ("ALGORITHM", "WHAT IT DOES", "PAPER", "")
    rows = [
        (e.name, e.description or _from(e.package), e.paper, "make bench-env" if missing[e.name] else "")
        for e in entries
    ]
    table([heads, *rows])


def describe(entry: TaskEntry, problems: Mapping[str, str]) -> dict[str, Any]:
    """Return what is known of a task. Ours is built for this, so ``available`` means that its data is here and sound.

    A task of another package is not: importing it may take long or fail, so its ``available`` is null until it is used.

    Args:
        entry: The name and what belongs to it.
        problems: Dataset -> why it cannot be used, empty where it can.
    """
    from optiproxy import registry
    from optiproxy.errors import DataError

    wanted = [name for name in entry.data if problems[name]]
    told: dict[str, Any] = {
        "id": entry.name,
        "description": entry.description,
        "data": list(entry.data),
        "fetch": f"optiproxy data fetch {' '.join(wanted)}" if wanted else None,
        "package": entry.package,
    }
    unknown: dict[str, Any] = {"space": None, "size": None, "continuous": None, "metrics": [], "source": None}
    if entry.package:
        return {**told, **unknown, "licence": None, "available": None}
    try:
        task = registry.task(entry.name)
    # The task exists and only its data does not: that is what the list is there to say.
    except DataError as error:
        return {**told, **unknown, "licence": _licences(entry.data), "available": False, "problem": str(error)}
    metrics = [
        {
            "name": metric.name,
            "direction": metric.direction,
            "unit": metric.unit,
            "free": metric.free,
            "reported_only": metric.reported_only,
        }
        for metric in task.metrics
    ]
    return {
        **told,
        "space": task.space.name,
        "size": task.space.size,
        "continuous": task.space.continuous,
        "metrics": metrics,
        "goal": {"objectives": [*map(str, task.goal.objectives)], "limits": [*map(str, task.goal.limits)]},
        "fidelities": list(task.fidelities),
        "source": task.source.name,
        "licence": task.source.licence,
        "available": True,
    }


def _licences(data: Sequence[str]) -> str:
    from optiproxy.tables.store.datasets import DATASETS

    files = [file for name in data for file in DATASETS[name].files]
    return "; ".join(dict.fromkeys(file.licence for file in files))


def shortened(names: Sequence[str], shown: int) -> str:
    """Return the first names, and how many more there are."""
    # The first names are those that a task is about; the rest is in the JSON.
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more or "–"


def _size(entry: Mapping[str, Any]) -> str:
    from optiproxy.reporting.words import count

    if entry["size"] is None:
        return "–"
    return "continuous" if entry["continuous"] else count(entry["size"])


def _from(package: str) -> str:
    return f"from the package {package}"


def _standing(entry: dict[str, Any]) -> str:
    if entry["package"]:
        return _from(entry["package"])
    if entry["available"]:
        # A task may do without some of its datasets; what is missing then would add metrics.
        return f"more with `{entry['fetch']}`" if entry["fetch"] else ""
    return f"not available: `{entry['fetch']}`" if entry["fetch"] else f"not available: {entry['problem']}"


def table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns; the first holds the headings."""
    # A table of our own: one of rich would be cut to the width of the terminal, which a script does not have.
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        say("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
