"""What one run of the grid brought: its result, the file that keeps it, and its rows in ``results.csv``."""

from __future__ import annotations

import csv
import json
import lzma
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from itertools import accumulate, groupby
from pathlib import Path
from typing import IO

from optiproxy import files
from optiproxy.comparison.grid import Run
from optiproxy.metrics import Metrics
from optiproxy.results.result import SearchResult
from optiproxy.spaces import Choice

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


@dataclass(frozen=True, kw_only=True)
class Row:
    """One query of a run.

    Attributes:
        query: Number of the query, from 1, in the order in which they finished.
        architecture: Decision name -> choice.
        metrics: What was measured; empty where the training failed.
        feasible: Whether every objective was measured and every limit kept.
        best_so_far: Value of the incumbent after this query: the best feasible one at the full fidelity, in the unit of the
            objective. None until there is one.
        ask_seconds: Seconds that the algorithm took to propose this architecture.
        fidelity: Fidelity of the evaluation; None for a task that has only one.
        epochs: Epochs spent by the run up to this query, its own included; None for the same tasks.
    """

    query: int
    architecture: Mapping[str, Choice]
    metrics: Metrics
    feasible: bool
    best_so_far: float | None
    ask_seconds: float
    fidelity: int | None = None
    epochs: int | None = None

    def __post_init__(self) -> None:
        numbers = (self.ask_seconds, self.best_so_far or 0, *self.metrics.values())
        counts = (self.query, self.fidelity or 0, self.epochs or 0)
        # A file may come from anywhere, and what is no number would fail somewhere in the statistics.
        if not all(type(n) in (int, float) for n in numbers) or not all(type(n) is int for n in counts):
            raise TypeError(f"{self!r:.200} is no query")
        if type(self.feasible) is not bool or not isinstance(self.architecture, dict):
            raise TypeError(f"{self!r:.200} is no query")


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """The result of one finished run.

    Attributes:
        run: Task, algorithm and seed.
        source: Where the values came from.
        queries: All queries that were counted, promotions included; fewer than planned where the space was exhausted.
        overhead_mb: Peak memory of search and algorithm above what the process held before, in MB.
    """

    run: Run
    source: str
    queries: tuple[Row, ...]
    overhead_mb: float

    @classmethod
    def of(cls, run: Run, result: SearchResult, *, overhead_mb: float) -> RunResult:
        """Take from a search what a comparison keeps."""
        # All zero for a task with one fidelity, and left out below.
        epochs = accumulate(result.protocol.epochs(record.fidelity) or 0 for record in result.records)
        queries = [
            Row(
                query=number,
                architecture=result.space.values(record.architecture),
                # JSON knows neither infinities nor NaN: what is no number was not measured.
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
        return cls(run=run, source=result.source.name, queries=tuple(queries), overhead_mb=overhead_mb)

    def save(self, path: Path) -> None:
        """Write the file at once and whole: a comparison that is killed leaves no half of it.

        Raises:
            UsageError: If it cannot be written.
        """
        fields = asdict(self)
        # The file's key is older than the class.
        files.write(path, json.dumps({"cell": fields.pop("run"), **fields}))

    @classmethod
    def load(cls, path: Path) -> RunResult:
        """Read what `save` wrote.

        Raises:
            OSError: If the file cannot be read.
            ValueError, KeyError, TypeError: If it is damaged.
        """
        # A field that is missing or has another name raises below: that is how a damaged file is noticed.
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            run=Run(**content["cell"]),
            source=str(content["source"]),
            queries=tuple(Row(**query) for query in content["queries"]),
            overhead_mb=float(content["overhead_mb"]),
        )


def to_csv(results: Sequence[RunResult]) -> str:
    """The text of ``results.csv``: a head, and one row per query."""
    text = StringIO()
    # Lines end alike on every system, so that the same results are the same bytes.
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for result in results:
        run = result.run
        for row in result.queries:
            writer.writerow(
                [
                    run.task,
                    run.algorithm,
                    run.seed,
                    row.query,
                    # As JSON: decisions and metrics differ from task to task and cannot be columns.
                    json.dumps(row.architecture),
                    json.dumps(row.metrics),
                    row.feasible,
                    "" if row.best_so_far is None else row.best_so_far,
                    # Microseconds: what is below them is noise, which would not compress.
                    f"{row.ask_seconds:.6f}",
                    row.fidelity,
                    row.epochs,
                ]
            )
    return text.getvalue()


def from_csv(path: Path, *, source: Mapping[str, str], overhead_mb: Callable[[Run], float]) -> list[RunResult]:
    """The results in a file that `to_csv` made, which may be compressed (``.xz``).

    Args:
        path: File in which the rows of a run stand together.
        source: Task name -> where its values came from, which the rows do not say.
        overhead_mb: Peak memory of a run in MB, which they do not say either.

    Raises:
        OSError: If the file cannot be read.
        EOFError, LZMAError: If it was compressed and is damaged.
        ValueError, TypeError, csv.Error: If a row is damaged, or there are more than `MOST_BYTES` of them.
        KeyError: If a column is missing.
    """
    with path.open("rb") as packed, lzma.open(packed) if path.suffix == ".xz" else packed as file:
        # The rows of a run stand together, so no run has to be collected from all over the file.
        runs = groupby(_rows(file), key=lambda row: Run(row["task"], row["algorithm"], int(row["seed"])))
        return [
            RunResult(
                run=run,
                source=source[run.task],
                queries=tuple(map(_row, rows)),
                overhead_mb=overhead_mb(run),
            )
            for run, rows in runs
        ]


MOST_BYTES = 2**30
"""Of all rows of a file. A comparison of thousand searches has a fifth of that, and a few bytes can be compressed to more."""


def _rows(file: IO[bytes]) -> Iterator[dict[str, str]]:
    return csv.DictReader(_lines(file))


def _lines(file: IO[bytes]) -> Iterator[str]:
    left = MOST_BYTES
    # No line is longer than what the whole file may have.
    while line := file.readline(left + 1):
        left -= len(line)
        if left < 0:
            raise ValueError(f"it would expand to more than {MOST_BYTES:,} bytes")
        yield line.decode()


def _row(told: Mapping[str, str]) -> Row:
    return Row(
        query=int(told["query"]),
        architecture=json.loads(told["architecture"]),
        metrics=json.loads(told["metrics"]),
        # As csv writes a boolean; None is an empty field.
        feasible=told["feasible"] == "True",
        best_so_far=float(told["best_so_far"]) if told["best_so_far"] else None,
        ask_seconds=float(told["ask_seconds"]),
        fidelity=int(told["fidelity"]) if told["fidelity"] else None,
        epochs=int(told["epochs"]) if told["epochs"] else None,
    )
