"""``optiproxy compare``: the command, its progress on the terminal, and its last lines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, final

import typer

from optiproxy.cli.options import Evaluate, Example, Fidelity, Free, Limits, Objectives, Promote
from optiproxy.cli.terminal import say
from optiproxy.errors import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from optiproxy.comparison.comparison import Comparison
    from optiproxy.comparison.grid import Run
    from optiproxy.comparison.statistics import Statistics
    from optiproxy.searching.progress import Observer


def compare(
    tasks: Annotated[
        list[str],
        typer.Argument(
            metavar="TASK...",
            help="Names that `optiproxy tasks` lists; MODULE:NAME of your own tasks; with --evaluate, of your spaces, mappings "
            "of choices or model functions; or one TOML file.",
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the results; the same one resumes or grows.")],
    algorithm: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A name that `optiproxy algorithms` lists, or MODULE:NAME. May be repeated; the others are tested against "
            "the first. optiproxy and random if left out.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Searches of each algorithm on each task.")] = 5,
    budget: Annotated[
        int, typer.Option(help="Architectures that each search may evaluate; promotions come on top.")
    ] = 100,
    evaluate: Evaluate = None,
    objective: Objectives = None,
    limit: Limits = None,
    free: Free = None,
    example: Example = None,
    fidelity: Fidelity = None,
    promote: Promote = None,
    workers: Annotated[int, typer.Option(help="Searches at a time.")] = 1,
) -> None:
    """Compare algorithms on equal terms; again with the same or more tasks, algorithms or seeds, it goes on."""
    # Imported by the command and not by the module: `optiproxy --help` should need neither torch nor statistics.
    from rich.console import Console

    from optiproxy import registry
    from optiproxy.cli.inputs.saved import REPORT
    from optiproxy.cli.inputs.subject import Asked
    from optiproxy.cli.outputs import check_comparison, mark, owner_of_comparisons
    from optiproxy.comparison.compare import compare as run
    from optiproxy.comparison.statistics import analyze
    from optiproxy.errors import UsageError
    from optiproxy.reporting.comparison.page import write_comparison_report
    from optiproxy.reporting.words import protocol_in_words

    if evaluate is None and (objective or limit):
        raise UsageError(
            "A task is compared on its own goal; objectives and limits go with a training function, --evaluate MODULE:NAME."
        )
    check_comparison(out)
    comparison = run(
        [
            Asked(what=task, evaluate=evaluate, objectives=objective, limits=limit, free=free, example=example).spec
            for task in tasks
        ],
        # Typer gives None for an option that may be repeated and was left out.
        algorithms=algorithm or ["optiproxy", "random"],
        seeds=seeds,
        budget=budget,
        workers=workers,
        out=out,
        # Beside a training function they are measured by what the task is made of.
        free=[] if evaluate else free or [],
        fidelity=fidelity,
        promote=promote,
        observer=observer_for(Console(stderr=True)),
    )
    statistics = analyze(comparison)
    report = write_comparison_report(comparison, statistics, out / REPORT)
    mark(report, owner_of_comparisons([out]))
    # On standard error, because the lines on standard output are read by scripts.
    for name in comparison.skipped:
        say(f"Skipped {name}: {registry.missing_package(name)}", err=True)
    for task, setting in comparison.settings.items():
        for told in protocol_in_words(setting.protocol, setting.goal, budget=budget):
            say(f"{task}  {told}")
    conclude(comparison, statistics, report)


def conclude(comparison: Comparison, statistics: Statistics, report: Path) -> None:
    """Print a line for each algorithm on each task, how the reference stands, and where the report lies."""
    from optiproxy.reporting.comparison.words import standing

    for task, entries in comparison.summaries.items():
        for name, summary in entries.items():
            # One line per algorithm and task, of a form that scripts can rely on.
            best = (
                "no honest mean: a seed found nothing feasible"
                if summary.best_mean is None
                else f"best {summary.best_mean:.5g}"
            )
            hits = (
                ""
                if summary.hit_rate is None
                else f", optimum met by {100 * summary.hit_rate:.0f} % of {summary.seeds} seeds"
            )
            say(f"{task}  {name}: {best}{hits}")
    # Behind the numbers that it is drawn from: what the tests say of the reference.
    for told in standing(statistics):
        say(told)
    say(f"Report: {report}")


@final
class Lines:
    """One line per finished run, with the time left."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._total = self._done = self._before = 0
        self._began = 0.0

    def on_start(self, *, total: int, done: Sequence[Run]) -> None:
        self._total, self._done, self._before, self._began = total, len(done), len(done), time.monotonic()
        resumed = f", {len(done)} of them finished earlier" if done else ""
        self._say(f"{total} searches{resumed}.")

    def on_finish(self, run: Run) -> None:
        self._done += 1
        # The pace of this call alone: earlier runs took time that it has not seen.
        left = (time.monotonic() - self._began) / (self._done - self._before) * (self._total - self._done)
        text = f"{self._done}/{self._total} {run.task}, {run.algorithm}, seed {run.seed}"
        self._say(text + (f"; about {_clock(left)} left" if self._done < self._total else ""))

    def on_end(self) -> None: ...

    def _say(self, text: str) -> None:
        # Names may hold brackets, which rich would take for markup.
        self._console.print(printable(text), markup=False, highlight=False, soft_wrap=True)


@final
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
            # The first runs are the only clue for a while: the estimate looks back over all of them.
            speed_estimate_period=3600,
        )
        self._task: TaskID | None = None

    def on_start(self, *, total: int, done: Sequence[Run]) -> None:
        self._task = self._progress.add_task("", total=total, completed=len(done))
        self._progress.start()

    def on_finish(self, run: Run) -> None:
        if self._task is not None:
            self._progress.update(
                self._task, advance=1, description=printable(f"{run.task}, {run.algorithm}, seed {run.seed}")
            )

    def on_end(self) -> None:
        self._progress.stop()


def observer_for(console: Console) -> Observer[Run]:
    """Return `Bar` on a terminal, `Lines` in a file or a pipe."""
    # A bar redraws its line, which in a file would be one long row of control characters.
    return Bar(console) if console.is_terminal else Lines(console)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
