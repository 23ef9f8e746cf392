"""``optiproxy compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optiproxy.cli.options import Fidelity, Free, Promote

if TYPE_CHECKING:
    from optiproxy.comparison.stats.comparison import Comparison
    from optiproxy.comparison.stats.findings import Findings


def compare(
    tasks: Annotated[list[str], typer.Argument(metavar="TASK...", help="Names that `optiproxy tasks` lists.")],
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the results; the same one resumes or grows.")],
    algorithm: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="May be repeated; the others are tested against the first. optiproxy and random if left out.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Searches of each algorithm on each task.")] = 5,
    budget: Annotated[
        int, typer.Option(help="Architectures that each search may evaluate; promotions come on top.")
    ] = 100,
    free: Free = None,
    fidelity: Fidelity = None,
    promote: Promote = None,
    workers: Annotated[int, typer.Option(help="Searches at a time.")] = 1,
) -> None:
    """Compare algorithms on equal terms; again with the same or more tasks, algorithms or seeds, it goes on."""
    from rich.console import Console

    from optiproxy import registry
    from optiproxy.cli.saved import REPORT
    from optiproxy.comparison.runs.compare import compare as run
    from optiproxy.comparison.runs.progress import watching
    from optiproxy.comparison.stats.findings import find
    from optiproxy.reporting.comparison.page_of_comparison import write_comparison_report
    from optiproxy.reporting.search.words import protocol_in_words

    comparison = run(
        tasks,
        algorithms=algorithm or ["optiproxy", "random"],
        seeds=seeds,
        budget=budget,
        workers=workers,
        out=out,
        free=free or [],
        fidelity=fidelity,
        promote=promote,
        observer=watching(Console(stderr=True)),
    )
    findings = find(comparison)
    report = write_comparison_report(comparison, findings, out / REPORT)
    for name in comparison.skipped:
        typer.echo(f"Skipped {name}: {registry.missing_package(name)}", err=True)
    for task, contest in comparison.contests.items():
        for told in protocol_in_words(contest.protocol, contest.goal, budget=budget):
            typer.echo(f"{task}  {told}")
    conclude(comparison, findings, report)


def conclude(comparison: Comparison, findings: Findings, report: Path) -> None:
    """Print a line for each algorithm on each task, how the reference stands, and where the report lies."""
    from optiproxy.reporting.comparison.words import standing

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
    for told in standing(findings):
        typer.echo(told)
    typer.echo(f"Report: {report}")
