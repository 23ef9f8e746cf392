"""``optiproxy tasks`` and ``optiproxy algorithms``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from optiproxy.running.registry import TaskEntry

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def tasks(*, as_json: AsJson = False) -> None:
    """List what can be searched for, and whether its data is here."""
    from optiproxy.running import registry

    found = [describe(entry) for entry in registry.tasks()]
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    heads = ("TASK", "SPACE", "SIZE", "METRICS", "SOURCE", "")
    rows = [
        (
            entry["id"],
            entry["space"] or "–",
            "–" if entry["size"] is None else f"{entry['size']:,}",
            ", ".join(metric["name"] for metric in entry["metrics"]) or "–",
            entry["source"] or "–",
            "" if entry["available"] else f"not available: {entry['problem']}",
        )
        for entry in found
    ]
    _table([heads, *rows])


def algorithms(*, as_json: AsJson = False) -> None:
    """List the search algorithms."""
    from optiproxy.running import registry

    entries = registry.algorithms()
    if as_json:
        found = [{"name": e.name, "description": e.description, "paper": e.paper} for e in entries]
        typer.echo(json.dumps(found, indent=2))
        return
    _table([("ALGORITHM", "WHAT IT DOES", "PAPER"), *((e.name, e.description, e.paper) for e in entries)])


def describe(entry: TaskEntry) -> dict[str, Any]:
    """What is known of a task. It is built for this, so ``available`` means that its data is here and sound."""
    from optiproxy.errors import DataError
    from optiproxy.running import registry

    told: dict[str, Any] = {"id": entry.name, "description": entry.description}
    try:
        task = registry.task(entry.name)
    except DataError as error:
        missing = dict.fromkeys(("space", "size", "source"))
        return {**told, **missing, "metrics": [], "available": False, "problem": str(error)}
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
        "metrics": metrics,
        "goal": {"objectives": [*map(str, task.goal.objectives)], "limits": [*map(str, task.goal.limits)]},
        "source": task.source.name,
        "available": True,
    }


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
