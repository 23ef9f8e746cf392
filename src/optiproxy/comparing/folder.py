"""The folder of a comparison: its settings, one file per finished search, and the merged results.

DIR/settings.json   the grid; a second run must have the same
DIR/parts/          one file per finished search, so that a killed comparison loses only what was running
DIR/results.csv     one row per task, algorithm, seed and query
DIR/summary.json    {task: {algorithm: figures}}
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path

from optiproxy.comparing.grid import Cell, Grid
from optiproxy.comparing.outcome import Outcome
from optiproxy.comparing.statistics import Summary, summarize
from optiproxy.errors import StudyError, UsageError

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


@dataclass(frozen=True)
class Comparison:
    """A finished comparison.

    Attributes:
        grid: Its settings.
        outcomes: One per cell, in the grid's order.
    """

    grid: Grid
    outcomes: tuple[Outcome, ...]

    def of(self, task: str, algorithm: str) -> list[Outcome]:
        """The outcomes of all seeds."""
        return [o for o in self.outcomes if (o.cell.task, o.cell.algorithm) == (task, algorithm)]

    @property
    def summaries(self) -> dict[str, dict[str, Summary]]:
        """Task -> algorithm -> figures."""
        grid = self.grid
        return {
            task: {name: summarize(self.of(task, name), contest, budget=grid.budget) for name in grid.algorithms}
            for task, contest in grid.contests.items()
        }


class Folder:
    """One comparison's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._settings = path / "settings.json"
        self._parts = path / "parts"

    @property
    def claimed(self) -> bool:
        """Whether a comparison is here."""
        return self._settings.exists()

    def claim(self, grid: Grid) -> None:
        """Make the folder this grid's.

        Raises:
            StudyError: If it holds another comparison.
            UsageError: If it cannot be written.
        """
        if self.claimed:
            found = self.grid()
            if found != grid:
                raise StudyError(
                    f"{self.path} holds a comparison with other settings ({_difference(found, grid)}). "
                    "Repeat those to resume it, or choose another --out."
                )
        try:
            self._parts.mkdir(parents=True, exist_ok=True)
            _replace(self._settings, json.dumps(asdict(grid), indent=2))
        except OSError as error:
            raise UsageError(f"Cannot write {self.path}: {error.strerror or error}. Choose another --out.") from error

    def grid(self) -> Grid:
        """The settings of the comparison that is here.

        Raises:
            StudyError: If there is none, or it cannot be read.
        """
        try:
            return Grid.from_json(json.loads(self._settings.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StudyError(
                f"{self._settings} holds no settings of a comparison: {error}. Choose another folder."
            ) from error

    def part(self, cell: Cell) -> Path:
        """Where the outcome of a cell is kept."""
        return self._parts / f"{cell}.json"

    def missing(self, grid: Grid) -> list[Cell]:
        """The searches that have not finished."""
        return [cell for cell in grid.cells if not self.part(cell).exists()]

    def comparison(self) -> Comparison:
        """Everything that is here.

        Raises:
            StudyError: If searches are missing or a file cannot be read.
        """
        grid = self.grid()
        missing = self.missing(grid)
        if missing:
            raise StudyError(
                f"{len(missing)} of {len(grid.cells)} searches of {self.path} have not finished. Run the same comparison again."
            )
        return Comparison(grid, tuple(self._outcome(cell) for cell in grid.cells))

    def publish(self, comparison: Comparison) -> None:
        """Write ``results.csv`` and ``summary.json``."""
        _replace(self.path / "results.csv", _table(comparison.outcomes))
        summaries: Mapping[str, Mapping[str, Summary]] = comparison.summaries
        figures = {task: {name: asdict(entry) for name, entry in row.items()} for task, row in summaries.items()}
        _replace(self.path / "summary.json", json.dumps(figures, indent=2) + "\n")

    def _outcome(self, cell: Cell) -> Outcome:
        try:
            return Outcome.load(self.part(cell))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StudyError(
                f"{self.part(cell)} is damaged: {error}. Delete it and run the same comparison again."
            ) from error


def _table(outcomes: Sequence[Outcome]) -> str:
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


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _difference(found: Grid, asked: Grid) -> str:
    old, new = asdict(found), asdict(asked)
    name = next(name for name in old if old[name] != new[name])
    if name == "contests" and old[name].keys() == new[name].keys():
        task = next(task for task in old[name] if old[name][task] != new[name][task])
        facts = [{**contests[task], **contests[task]["protocol"]} for contests in (old[name], new[name])]
        # Another source changes other facts too; it is the one that explains them.
        keys = ["source", *(key for key in facts[0] if key != "protocol")]
        changed = next(key for key in keys if facts[0][key] != facts[1][key])
        return f"{changed} of {task}: {_listed(facts[0][changed])}, now {_listed(facts[1][changed])}"
    label = "tasks" if name == "contests" else name
    return f"{label} {_listed(old[name])}, now {_listed(new[name])}"


def _listed(value: object) -> str:
    return (", ".join(map(str, value)) or "none") if isinstance(value, dict | list | tuple) else str(value)
