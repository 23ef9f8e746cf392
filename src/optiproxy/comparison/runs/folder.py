"""The folder of a comparison: its settings and one file per finished search.

DIR/settings.json   the grid; a second run may add to it
DIR/parts/          one file per finished search, so that a killed comparison loses only what was running
DIR/results.csv     one row per task, algorithm, seed and query; where it was kept alone, compressed, with
                    ``summary.json``, the next run makes the parts again

What is written about the searches comes from `optiproxy.comparison.runs.publishing`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from lzma import LZMAError
from pathlib import Path

from optiproxy.comparison.runs import rows
from optiproxy.comparison.stats.comparison import Comparison
from optiproxy.comparison.runs.grid import Cell, Grid
from optiproxy.comparison.runs.outcome import Outcome
from optiproxy.comparison.runs.publishing import RESULTS, SUMMARY
from optiproxy.errors import StudyError
from optiproxy.storage import files


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
        """Make the folder this grid's, which has at least the tasks, algorithms and seeds that have finished here.

        Raises:
            StudyError: If it holds another comparison, or more of something.
            UsageError: If it cannot be written.
        """
        if self.claimed:
            before = self.grid()
            kept = self._kept(before)
            finished = [outcome.cell for outcome in kept] or self._finished(before)
            differs = before.reduced(finished).hindrance(grid) if finished else ""
            if differs:
                raise StudyError(
                    f"{self.path} holds a comparison with other settings ({differs}). "
                    "Repeat those, with more tasks, algorithms or seeds if you like, or choose another --out."
                )
            if kept:
                self._restore(kept)
        files.write(self._settings, json.dumps(asdict(grid), indent=2))

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
        """What is here: everything, or as many seeds of each algorithm on each task as have finished.

        Raises:
            StudyError: If no search has finished or a file cannot be read.
        """
        grid = self.grid()
        found = {outcome.cell: outcome for outcome in self._kept(grid) or map(self._outcome, self._finished(grid))}
        grids = grid.complete(found)
        if not grids:
            raise StudyError(f"No search of {self.path} has finished. Run the same comparison again.")
        return Comparison(grids, tuple(found[cell] for part in grids for cell in part.cells))

    def _finished(self, grid: Grid) -> list[Cell]:
        return [cell for cell in grid.cells if self.part(cell).exists()]

    def _outcome(self, cell: Cell) -> Outcome:
        try:
            return Outcome.load(self.part(cell))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StudyError(
                f"{self.part(cell)} is damaged: {error}. Delete it and run the same comparison again."
            ) from error

    def _restore(self, outcomes: Sequence[Outcome]) -> None:
        """Make the parts again, all or none."""
        draft = Folder(self.path / f".restored.{os.getpid()}")
        for outcome in outcomes:
            outcome.save(draft.part(outcome.cell))
        try:
            draft._parts.rename(self._parts)
            draft.path.rmdir()
        except OSError as error:
            # Another comparison has made them meanwhile, or the folder became read-only.
            raise StudyError(
                f"Cannot make {self._parts} from the kept rows: {error.strerror or error}. Make sure that the "
                "folder can be written and no other comparison runs in it, then run the same one again."
            ) from error

    def _kept(self, grid: Grid) -> list[Outcome]:
        """From the rows and the summary, where no more was kept: each search has the peak memory of all its seeds."""
        if self._parts.exists() or not (self.path / SUMMARY).exists():
            return []
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
