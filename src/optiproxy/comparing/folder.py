"""The folder of a comparison: its settings and one file per finished search.

DIR/settings.json   the grid; a second run may add to it
DIR/parts/          one file per finished search, so that a killed comparison loses only what was running
DIR/results.csv     one row per task, algorithm, seed and query; may be kept alone, compressed, with ``summary.json``

What is written about the searches comes from `optiproxy.comparing.publishing`.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from lzma import LZMAError
from pathlib import Path

from optiproxy.comparing import rows
from optiproxy.comparing.comparison import Comparison
from optiproxy.comparing.grid import Cell, Grid
from optiproxy.comparing.outcome import Outcome
from optiproxy.comparing.publishing import RESULTS, SUMMARY, replace
from optiproxy.errors import StudyError, UsageError


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
        """Make the folder this grid's, which may have more tasks, algorithms and seeds than the one that is here.

        Raises:
            StudyError: If it holds another comparison, or a larger one.
            UsageError: If it cannot be written.
        """
        if self.claimed:
            differs = self.grid().hindrance(grid)
            if differs:
                raise StudyError(
                    f"{self.path} holds a comparison with other settings ({differs}). "
                    "Repeat those, with more tasks, algorithms or seeds if you like, or choose another --out."
                )
        try:
            self._parts.mkdir(parents=True, exist_ok=True)
            replace(self._settings, json.dumps(asdict(grid), indent=2))
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
        found = {
            outcome.cell: outcome for outcome in (self._finished(grid) if self._parts.exists() else self._kept(grid))
        }
        missing = [cell for cell in grid.cells if cell not in found]
        if missing:
            raise StudyError(
                f"{len(missing)} of {len(grid.cells)} searches of {self.path} have not finished. Run the same comparison again."
            )
        return Comparison((grid,), tuple(found[cell] for cell in grid.cells))

    def _finished(self, grid: Grid) -> list[Outcome]:
        return [self._outcome(cell) for cell in grid.cells if self.part(cell).exists()]

    def _outcome(self, cell: Cell) -> Outcome:
        try:
            return Outcome.load(self.part(cell))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StudyError(
                f"{self.part(cell)} is damaged: {error}. Delete it and run the same comparison again."
            ) from error

    def _kept(self, grid: Grid) -> list[Outcome]:
        """From the rows and the summary, where no more was kept: each search has the peak memory of all its seeds."""
        path = next((p for p in (self.path / RESULTS, self.path / f"{RESULTS}.xz") if p.exists()), self.path / RESULTS)
        try:
            summary = json.loads((self.path / SUMMARY).read_text(encoding="utf-8"))
            return rows.outcomes(
                path,
                source={task: contest.source for task, contest in grid.contests.items()},
                overhead_mb=lambda cell: float(summary[cell.task][cell.algorithm]["overhead_mb_peak"]),
            )
        except (OSError, EOFError, LZMAError, ValueError, KeyError, TypeError) as error:
            raise StudyError(
                f"{path} or {SUMMARY} beside it cannot be read: {error}. Run the same comparison again."
            ) from error
