"""``results.csv``: one row per task, algorithm, seed and query; written, and read again where only it was kept."""

from __future__ import annotations

import csv
import json
import lzma
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from itertools import groupby
from pathlib import Path

from optiproxy.comparison.runs.grid import Cell
from optiproxy.comparison.runs.outcome import Outcome, Query

COLUMNS = (
    "task",
    "algorithm",
    "seed",
    "query",
    "architecture",
    "metrics",
    "feasible",
    "best_so_far",
    "ask_seconds",
    "fidelity",
    "epochs",
)


def table(outcomes: Sequence[Outcome]) -> str:
    """The whole file as text."""
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for outcome in outcomes:
        cell = outcome.cell
        for query in outcome.queries:
            best = "" if query.best_so_far is None else query.best_so_far
            rows.writerow(
                [
                    cell.task,
                    cell.algorithm,
                    cell.seed,
                    query.query,
                    json.dumps(query.architecture),
                    json.dumps(query.metrics),
                    query.feasible,
                    best,
                    f"{query.ask_seconds:.6f}",
                    query.fidelity,
                    query.epochs,
                ]
            )
    return text.getvalue()


def outcomes(path: Path, *, source: Mapping[str, str], overhead_mb: Callable[[Cell], float]) -> list[Outcome]:
    """The searches of a file, which may be compressed (``.xz``).

    Args:
        path: Of the file; the rows of a search stand together.
        source: Task name -> where its values came from, which the rows do not say.
        overhead_mb: The memory of a search, which they do not say either.

    Raises:
        OSError: If it cannot be read.
        EOFError, LZMAError: If it was compressed and is damaged.
        ValueError: If a row is damaged.
        KeyError: If a column is missing.
    """
    with (lzma.open if path.suffix == ".xz" else open)(path, "rt", encoding="utf-8", newline="") as file:
        searches = groupby(csv.DictReader(file), key=lambda row: Cell(row["task"], row["algorithm"], int(row["seed"])))
        return [
            Outcome(
                cell=cell,
                source=source[cell.task],
                queries=tuple(map(_query, rows)),
                overhead_mb=overhead_mb(cell),
            )
            for cell, rows in searches
        ]


def _query(row: Mapping[str, str]) -> Query:
    return Query(
        query=int(row["query"]),
        architecture=json.loads(row["architecture"]),
        metrics=json.loads(row["metrics"]),
        feasible=row["feasible"] == "True",
        best_so_far=float(row["best_so_far"]) if row["best_so_far"] else None,
        ask_seconds=float(row["ask_seconds"]),
        fidelity=int(row["fidelity"]) if row["fidelity"] else None,
        epochs=int(row["epochs"]) if row["epochs"] else None,
    )
