"""What a search has found as a note in Markdown, which optuna-dashboard shows above the trials of its study."""

from __future__ import annotations

import re
from collections.abc import Sequence

from optiproxy.results.result import SearchResult
from optiproxy.storage.record import Record

MOST = 50
"""Rows of a table, and lines of a network."""


def note(result: SearchResult, *, picture: str = "") -> str:
    """Return the text.

    Args:
        result: The search.
        picture: Where the dashboard has the best architecture drawn; empty where it has not.
    """
    goal = ", ".join(map(str, [*result.goal.objectives, *result.goal.limits]))
    asked = f"{len(result.records)} queries by {result.algorithm} for {goal}."
    if not result.has_best:
        return "\n\n".join(["## Nothing feasible", _plain(result.nothing_feasible), _plain(asked)])
    front = sorted(result.front, key=lambda record: result.goal.gains(record.metrics), reverse=True)
    shown = ", ".join(f"{name} {value:.5g}" for name, value in result.best.metrics.items())
    told = [
        f"## {_plain(f'Front of {len(front)} architectures' if len(front) > 1 else shown)}",
        f"Query {result.best.number}, the best of {_plain(asked)}" if len(front) == 1 else _plain(asked),
        _front(result, front) if len(front) > 1 else "",
        _table(("decision", "value"), [(name, str(value)) for name, value in result.best_architecture.items()]),
        f"![The best architecture]({picture})" if picture else "",
        _network(result),
    ]
    return "\n\n".join(filter(None, told))


def _front(result: SearchResult, front: Sequence[Record]) -> str:
    names = result.goal.metric_names
    rows = [(f"{record.number}", *(f"{record.metrics[name]:.5g}" for name in names)) for record in front]
    return f"{_table(('query', *names), rows)}\n\nOf these query {result.best.number}:"


def _network(result: SearchResult) -> str:
    """The network as torch prints it; empty where the space builds none, or does no longer."""
    try:
        built = result.space.build(result.best.architecture)
    except Exception:  # noqa: BLE001 - the user's code, and the note is no reason to fail
        return ""
    # An indented block: whatever a module prints, nothing in it ends one.
    lines = [f"    {line}" for line in str(built).splitlines()] if hasattr(built, "named_modules") else []
    return "\n".join([*lines[:MOST], *(["    ..."] if len(lines) > MOST else [])])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    left = [[f"and {len(rows) - MOST} more", *[""] * (len(head) - 1)]] if len(rows) > MOST else []
    lines = [head, ["---"] * len(head), *rows[:MOST], *left]
    return "\n".join(f"| {' | '.join(cell if cell == '---' else _plain(cell) for cell in line)} |" for line in lines)


def _plain(text: str) -> str:
    """The text as it is, on one line: no name becomes a heading, a link or the end of a cell."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|~$^-])", r"\\\1", " ".join(text.split()))
