"""The folder of a comparison.

DIR/settings.json     the grid; a second call may add to it
DIR/parts/            one file per finished run, so that a killed comparison loses only what was running
DIR/results.csv       one row per task, algorithm, seed and query; where it was kept alone, compressed, with ``summary.json``,
                      the next call makes the parts again
DIR/summary.json      {task: {algorithm: figures}}, see `Summary.to_json`
DIR/statistics.json   what holds between algorithms, see `Statistics.to_json`
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from lzma import LZMAError
from pathlib import Path
from urllib.parse import quote

from optiproxy import files
from optiproxy.comparison import results
from optiproxy.comparison.comparison import Comparison
from optiproxy.comparison.grid import Grid, Run
from optiproxy.comparison.results import RunResult
from optiproxy.comparison.statistics import Statistics
from optiproxy.errors import StudyError

_DAMAGED = (
    *(OSError, EOFError, LZMAError, csv.Error, MemoryError, RecursionError),
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
)
"""What reading a file raises that is missing, or that no comparison has written."""

RESULTS, SUMMARY, STATISTICS = "results.csv", "summary.json", "statistics.json"


class Folder:
    """The folder of one comparison, which may not be there yet."""

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
            # Rows that were kept without their parts have finished, too.
            kept = self._kept(before)
            # What was asked for and has not finished binds nobody.
            finished = [result.run for result in kept] or self._finished(before)
            differs = before.reduced(finished).hindrance(grid) if finished else ""
            if differs:
                raise StudyError(
                    f"{self.path} holds a comparison with other settings ({differs}). "
                    "Repeat those, with more tasks, algorithms or seeds if you like, or choose another --out."
                )
            if kept:
                self._restore(kept)
        files.write(self._settings, json.dumps(grid.to_json(), indent=2))

    def grid(self) -> Grid:
        """The settings of the comparison that is here.

        Raises:
            StudyError: If there is none, or it cannot be read.
        """
        try:
            return Grid.from_json(json.loads(self._settings.read_text(encoding="utf-8")))
        except _DAMAGED as error:
            raise StudyError(
                f"{self._settings} holds no settings of a comparison: {error}. Choose another folder."
            ) from error

    def part(self, run: Run) -> Path:
        """The file of a run's result."""
        # Escaped as in an address: ``MODULE:NAME`` holds a colon, which not every file system takes. Registered names are of
        # characters that stay as they are, so that the parts of earlier comparisons are found.
        return self._parts / f"{quote(str(run), safe='')}.json"

    def missing(self, grid: Grid) -> list[Run]:
        """The runs that have not finished."""
        return [run for run in grid.runs if not self.part(run).exists()]

    def comparison(self) -> Comparison:
        """What is here: everything, or as many seeds of each algorithm on each task as have finished.

        Raises:
            StudyError: If no run has finished or a file cannot be read.
        """
        grid = self.grid()
        found = {result.run: result for result in self._kept(grid) or map(self._result, self._finished(grid))}
        grids = grid.complete(found)
        if not grids:
            raise StudyError(f"No search of {self.path} has finished. Run the same comparison again.")
        return Comparison(grids, tuple(found[run] for part in grids for run in part.runs))

    def _finished(self, grid: Grid) -> list[Run]:
        return [run for run in grid.runs if self.part(run).exists()]

    def _result(self, run: Run) -> RunResult:
        try:
            result = RunResult.load(self.part(run))
        except _DAMAGED as error:
            raise StudyError(
                f"{self.part(run)} is damaged: {error}. Delete it and run the same comparison again."
            ) from error
        if result.run != run:
            raise StudyError(f"{self.part(run)} holds another run. Delete it and run the same comparison again.")
        return result

    def _restore(self, kept: Sequence[RunResult]) -> None:
        """Make the parts again, all or none."""
        # Made elsewhere and renamed as a whole, so that an interrupt leaves no half of the parts.
        draft = Folder(self.path / f".restored.{os.getpid()}")
        for result in kept:
            result.save(draft.part(result.run))
        try:
            draft._parts.rename(self._parts)
            draft.path.rmdir()
        except OSError as error:
            # Another comparison has made them meanwhile, or the folder became read-only.
            raise StudyError(
                f"Cannot make {self._parts} from the kept rows: {error.strerror or error}. Make sure that the "
                "folder can be written and no other comparison runs in it, then run the same one again."
            ) from error

    def _kept(self, grid: Grid) -> list[RunResult]:
        """The results read from rows and summary, where no more was kept.

        The rows do not say how much memory a run took: each gets the peak over its seeds, which the summary holds.
        """
        if self._parts.exists() or not (self.path / SUMMARY).exists():
            return []
        # Plain rows are newer than compressed ones: a comparison writes them, and keeping them compresses.
        path = next((p for p in (self.path / RESULTS, self.path / f"{RESULTS}.xz") if p.exists()), self.path / RESULTS)
        try:
            summary = json.loads((self.path / SUMMARY).read_text(encoding="utf-8"))
            return results.from_csv(
                path,
                source={task: setting.source for task, setting in grid.tasks.items()},
                overhead_mb=lambda run: float(summary[run.task][run.algorithm]["overhead_mb_peak"]),
            )
        except _DAMAGED as error:
            raise StudyError(
                f"{path} or {SUMMARY} beside it cannot be read: {error}. Run the same comparison again."
            ) from error


def publish_results(comparison: Comparison, folder: Path) -> None:
    """Write ``results.csv``.

    Raises:
        UsageError: If the folder cannot be written.
    """
    files.write(folder / RESULTS, results.to_csv(comparison.results))


def publish_statistics(comparison: Comparison, statistics: Statistics, folder: Path) -> None:
    """Write ``summary.json`` and ``statistics.json``.

    Raises:
        UsageError: If the folder cannot be written.
    """
    figures = {
        task: {name: summary.to_json() for name, summary in row.items()} for task, row in comparison.summaries.items()
    }
    files.write(folder / SUMMARY, json.dumps(figures, indent=2, allow_nan=False) + "\n")
    files.write(folder / STATISTICS, json.dumps(statistics.to_json(), indent=2, allow_nan=False) + "\n")
