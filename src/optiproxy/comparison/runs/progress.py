"""Who watches a comparison, and the two ways to show it: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from optiproxy.comparison.runs.grid import Cell

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID


class ComparisonObserver(Protocol):
    """Is told how a comparison goes; always from the calling thread."""

    def started(self, total: int, done: int) -> None:
        """Called once: how many searches there are, and how many an earlier run has finished."""
        ...

    def finished(self, cell: Cell) -> None:
        """Called after each search."""
        ...

    def ended(self) -> None:
        """Called once at the end, whether all went well or not."""
        ...


class Silent:
    """Shows nothing."""

    def started(self, total: int, done: int) -> None:
        """Nothing."""

    def finished(self, cell: Cell) -> None:
        """Nothing."""

    def ended(self) -> None:
        """Nothing."""


class Lines:
    """One line per finished search, with the time left."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._total = self._done = self._before = 0
        self._began = 0.0

    def started(self, total: int, done: int) -> None:
        self._total, self._done, self._before, self._began = total, done, done, time.monotonic()
        resumed = f", {done} of them finished earlier" if done else ""
        self._say(f"{total} searches{resumed}.")

    def finished(self, cell: Cell) -> None:
        self._done += 1
        left = (time.monotonic() - self._began) / (self._done - self._before) * (self._total - self._done)
        text = f"{self._done}/{self._total} {cell.task}, {cell.algorithm}, seed {cell.seed}"
        self._say(text + (f"; about {_clock(left)} left" if self._done < self._total else ""))

    def ended(self) -> None:
        """All has been said."""

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class Bar:
    """A progress bar with the time left."""

    def __init__(self, console: Console) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._progress: Progress = Progress(
            TextColumn("Searches"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("elapsed,"),
            TimeRemainingColumn(compact=True),
            TextColumn("left  {task.description}", markup=False),
            console=console,
            # The first searches are the only clue for a while: the estimate looks back over all of them.
            speed_estimate_period=3600,
        )
        self._task: TaskID | None = None

    def started(self, total: int, done: int) -> None:
        self._task = self._progress.add_task("", total=total, completed=done)
        self._progress.start()

    def finished(self, cell: Cell) -> None:
        if self._task is not None:
            self._progress.update(self._task, advance=1, description=f"{cell.task}, {cell.algorithm}, seed {cell.seed}")

    def ended(self) -> None:
        self._progress.stop()


def watching(console: Console) -> ComparisonObserver:
    """A bar on a terminal, lines in a file or a pipe."""
    return Bar(console) if console.is_terminal else Lines(console)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
