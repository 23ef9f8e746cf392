"""``optiproxy search``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optiproxy.cli.options import (
    Evaluate,
    Example,
    Fidelity,
    Free,
    Limits,
    MaxOutage,
    MaxSeconds,
    Memory,
    Objectives,
    Promote,
    Storage,
    Timeout,
    Workers,
)
from optiproxy.cli.terminal import say

if TYPE_CHECKING:
    from optiproxy.cli.inputs.subject import Subject
    from optiproxy.results.result import SearchResult
    from optiproxy.searching.settings import SearchSettings

INTERRUPTED = "Interrupted. Everything finished is kept; the same command goes on from there."
"""What every command says that was stopped by ctrl-C."""

_SENSE = {"<=": "-at-most-", ">=": "-at-least-"}


def search(
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="What to search for: a name that `optiproxy tasks` lists; MODULE:NAME of your own task; with --evaluate, of "
            "your space, mapping of choices or model function; or a TOML file.",
        ),
    ],
    *,
    evaluate: Evaluate = None,
    budget: Annotated[
        int, typer.Option(help="Architectures to evaluate, failed ones included; promotions come on top.")
    ] = 100,
    seed: Annotated[int, typer.Option(help="Of algorithm and trainings.")] = 0,
    algorithm: Annotated[
        str, typer.Option(help="A name that `optiproxy algorithms` lists, or MODULE:NAME.")
    ] = "optiproxy",
    limit: Limits = None,
    objective: Objectives = None,
    free: Free = None,
    example: Example = None,
    fidelity: Fidelity = None,
    promote: Promote = None,
    workers: Workers = 1,
    timeout: Timeout = None,
    memory: Memory = None,
    executor: Annotated[
        str | None,
        typer.Option(
            metavar="CLUSTER",
            help="What runs the evaluations, --workers at a time, instead of processes here: dask, "
            "tcp://HOST:PORT, ray or ray://HOST:PORT; or MODULE:NAME of a concurrent.futures.Executor, or of what makes one without arguments.",
        ),
    ] = None,
    target: Annotated[
        float | None, typer.Option(metavar="VALUE", help="End when the first objective is as good as this.")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(metavar="QUERIES", help="End after so many without a better one.")
    ] = None,
    max_seconds: MaxSeconds = None,
    max_outage: MaxOutage = None,
    max_failures: Annotated[
        int,
        typer.Option(metavar="K", help="End after so many failures alike, before anything has succeeded; 0 for never."),
    ] = 3,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try again first what has failed in earlier runs.")
    ] = False,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="Resume although the training function has changed since.")
    ] = False,
    keep: Annotated[
        int, typer.Option(metavar="K", help="Of how many of the best the files are kept that trainings save.")
    ] = 1,
    storage: Storage = None,
    study: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of the study; made from task, algorithm, seed and goal if left out."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the results; runs/NAME if left out.")
    ] = None,
) -> None:
    """Search for the best architecture; the same command again resumes and finishes the budget."""
    from rich.console import Console

    from optiproxy.cli import outputs
    from optiproxy.cli.inputs import saved
    from optiproxy.cli.inputs.subject import Asked
    from optiproxy.execution.limits import memory_size
    from optiproxy.reporting.search.dashboard import draw_in_dashboard
    from optiproxy.reporting.search.page import write_search_report
    from optiproxy.searching.progress import observer_for
    from optiproxy.searching.run import run
    from optiproxy.searching.settings import SearchSettings
    from optiproxy.searching.stopping import StopRules
    from optiproxy.storage.artifacts import folder_name
    from optiproxy.storage.backends.outage import SECONDS

    found = Asked(
        what=task, evaluate=evaluate, objectives=objective, limits=limit, free=free, example=example
    ).subject()
    # Without study and storage at first: their names are made from all the other settings.
    settings = SearchSettings(
        budget=budget,
        algorithm=algorithm,
        seed=seed,
        free=found.free,
        fidelity=fidelity,
        promote=promote,
        workers=workers,
        timeout=timeout,
        memory=None if memory is None else memory_size(memory),
        max_outage=SECONDS if max_outage is None else max_outage,
        rules=StopRules(target=target, patience=patience, seconds=max_seconds, failures=max_failures or None),
        retry_failed=retry_failed,
        accept_changes=accept_changes,
        keep=keep,
    )
    name = study or study_name(found, settings)
    # A name is no path: it leads out of no folder.
    folder = out or Path("runs") / folder_name(name)
    # Before anything is trained: afterwards the result would have no place to go.
    saved.check_free(folder, name)
    stored = replace(settings, storage=storage or saved.database(folder), study=name)
    page = folder / saved.REPORT
    outputs.check_search_page(page, name, stored.address)
    if executor is None and (unused := stored.unused(found.task)):
        typer.echo(unused, err=True)
    observer = observer_for(found.goal, Console(stderr=True))
    result = run(found.task, stored, goal=found.goal, executor=executor, observer=observer)
    # The result before the report: what fails in drawing must not cost what was searched.
    saved.save(result, folder)
    report = write_search_report(result, page)
    outputs.mark(report, outputs.owner_of_search(result.study, result.storage))
    draw_in_dashboard(result)
    conclude(result, report)


def study_name(searched: Subject, settings: SearchSettings) -> str:
    """Return a name that is the same for the same search and another for another; fit for a folder."""
    from optiproxy.storage.artifacts import folder_name

    task, goal, usual_goal = searched.task, searched.goal, searched.usual
    # Only what differs from the task's own setting enters the name: short names for plain searches.
    usual, protocol = (
        replace(settings, free=(), fidelity=None, promote=None).protocol(task, goal),
        settings.protocol(task, goal),
    )
    parts = [task.name, settings.algorithm_name, f"seed{settings.seed}"]
    if goal.objectives != usual_goal.objectives:
        parts += [f"{objective.metric}-{objective.direction}" for objective in goal.objectives]
    parts += [
        f"{limit.metric}{_SENSE[limit.sense]}{limit.bound!r}" for limit in goal.limits if limit not in usual_goal.limits
    ]
    parts += [f"free-{name}" for name in protocol.free if name not in usual.free]
    if protocol.fidelity != usual.fidelity:
        parts.append(f"fidelity{protocol.epochs(protocol.fidelity)}")
    # A task given as MODULE:NAME has a colon, which no folder on Windows may have.
    return folder_name("-".join(parts))


def conclude(result: SearchResult, report: Path) -> None:
    """Say what was found and where the report lies.

    Raises:
        SearchFailed: If nothing feasible was found.
        Exit: With code 1 after an interrupt.
    """
    from optiproxy.errors import SearchFailed
    from optiproxy.reporting.words import goal_in_words, protocol_in_words, result_in_words, standing

    say(goal_in_words(result.goal))
    for told in protocol_in_words(result.protocol, result.goal, budget=result.budget):
        say(told)
    say(standing(result))
    say(result_in_words(result))
    say(f"Report: {report}")
    # Everything was told before: an exit code alone would leave a person without the result.
    if result.stopped == "interrupted":
        say(INTERRUPTED, err=True)
        raise typer.Exit(1)
    if not result.has_best:
        raise SearchFailed(
            "None of the architectures was feasible. Loosen the limits, raise the budget, or see the report for the failures."
        )
