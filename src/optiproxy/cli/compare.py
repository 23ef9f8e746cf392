"""``optiproxy compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compare(
    tasks: Annotated[list[str], typer.Argument(metavar="TASK...", help="Names that `optiproxy tasks` lists.")],
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the results; the same one resumes.")],
    algorithm: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="May be repeated; optiproxy and random if left out.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Searches of each algorithm on each task.")] = 5,
    budget: Annotated[
        int, typer.Option(help="Architectures that each search may evaluate; promotions come on top.")
    ] = 100,
    free: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC",
            help="Known before an evaluation, so that none is spent on what breaks a limit on it. May be repeated.",
        ),
    ] = None,
    workers: Annotated[int, typer.Option(help="Searches at a time.")] = 1,
) -> None:
    """Compare algorithms on equal terms; the same command again resumes."""
    from rich.console import Console

    from optiproxy.comparing.compare import compare as run
    from optiproxy.comparing.progress import watching
    from optiproxy.reporting.comparison_page import write_comparison_report
    from optiproxy.reporting.words import protocol_in_words
    from optiproxy.running import registry

    comparison = run(
        tasks,
        algorithms=algorithm or ["optiproxy", "random"],
        seeds=seeds,
        budget=budget,
        workers=workers,
        out=out,
        free=free or [],
        observer=watching(Console(stderr=True)),
    )
    report = write_comparison_report(comparison, out / "report.html")
    for name in comparison.grid.skipped:
        typer.echo(f"Skipped {name}: {registry.missing_package(name)}", err=True)
    for task, contest in comparison.grid.contests.items():
        for told in protocol_in_words(contest.protocol, contest.goal, budget=budget):
            typer.echo(f"{task}  {told}")
    for task, entries in comparison.summaries.items():
        for name, summary in entries.items():
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
            typer.echo(f"{task}  {name}: {best}{hits}")
    typer.echo(f"Report: {report}")
