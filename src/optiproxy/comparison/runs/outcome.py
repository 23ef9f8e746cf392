"""The outcome of one search of the grid, and its file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path

from optiproxy.comparison.runs.grid import Cell
from optiproxy.metrics import Metrics
from optiproxy.storage import files
from optiproxy.searching.result import SearchResult
from optiproxy.spaces import Choice


@dataclass(frozen=True, kw_only=True)
class Query:
    """One row of ``results.csv``.

    Attributes:
        query: From 1, in the order in which they finished.
        architecture: Decision name -> choice.
        metrics: What was measured; empty where the training failed.
        feasible: Whether every objective was measured and every limit kept.
        best_so_far: Best feasible value of the objective at the full fidelity up to this query; None until there is one.
        ask_seconds: Spent by the algorithm to propose this.
        fidelity: Where it was evaluated; None for a task that has only one.
        epochs: Spent by the search up to this query, its own included; None for the same.
    """

    query: int
    architecture: Mapping[str, Choice]
    metrics: Metrics
    feasible: bool
    best_so_far: float | None
    ask_seconds: float
    fidelity: int | None = None
    epochs: int | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One finished search.

    Attributes:
        cell: Which.
        source: Where the values came from.
        queries: All that were counted, promotions included; fewer than planned where the space ran out.
        overhead_mb: Peak memory of search and algorithm above what the process held before, in MB.
    """

    cell: Cell
    source: str
    queries: tuple[Query, ...]
    overhead_mb: float

    @classmethod
    def of(cls, cell: Cell, result: SearchResult, *, overhead_mb: float) -> Outcome:
        """Read it off the search's result."""
        epochs = accumulate(result.protocol.epochs(record.fidelity) or 0 for record in result.records)
        queries = [
            Query(
                query=number,
                architecture=result.space.values(record.architecture),
                metrics={name: value for name, value in record.metrics.items() if math.isfinite(value)},
                feasible=result.goal.feasible(record.metrics),
                best_so_far=best,
                ask_seconds=record.ask_seconds,
                fidelity=result.protocol.epochs(record.fidelity),
                epochs=None if result.protocol.full is None else spent,
            )
            for number, (record, best, spent) in enumerate(
                zip(result.records, result.best_so_far, epochs, strict=True), start=1
            )
        ]
        return cls(cell=cell, source=result.source.name, queries=tuple(queries), overhead_mb=overhead_mb)

    def save(self, path: Path) -> None:
        """Write the file at once and whole: a comparison that is killed leaves no half of it.

        Raises:
            UsageError: If it cannot be written.
        """
        files.write(path, json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> Outcome:
        """Read what `save` wrote."""
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            cell=Cell(**content["cell"]),
            source=content["source"],
            queries=tuple(Query(**query) for query in content["queries"]),
            overhead_mb=content["overhead_mb"],
        )
