"""``optiproxy worker``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from optiproxy.cli.options import Evaluate, Example, Free, MaxOutage, MaxSeconds, Memory, StudyName, Timeout, Workers
from optiproxy.cli.terminal import say
from optiproxy.storage.backends.secrets import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping


def worker(
    task: Annotated[
        str | None,
        typer.Argument(
            metavar="[TASK]",
            help="What the study searches, as it was given to `optiproxy search`; needed for your own code alone: a study "
            "names no code that is run.",
        ),
    ] = None,
    *,
    storage: Annotated[
        str, typer.Option(metavar="URL", envvar=VARIABLE, help="Database of the study, which others share.")
    ],
    study: StudyName = None,
    evaluate: Evaluate = None,
    free: Free = None,
    example: Example = None,
    algorithm: Annotated[
        str | None, typer.Option(metavar="MODULE:NAME", help="The algorithm, where it is one of your own.")
    ] = None,
    workers: Workers = 1,
    timeout: Timeout = None,
    memory: Memory = None,
    executor: Annotated[
        str | None,
        typer.Option(metavar="MODULE:NAME", help="What runs the evaluations, as for `optiproxy search`."),
    ] = None,
    max_seconds: MaxSeconds = None,
    max_outage: MaxOutage = None,
) -> None:
    """Join a search that others share, on any machine that reaches its database, until its budget is spent."""
    from rich.console import Console

    from optiproxy import registry
    from optiproxy.cli.inputs.subject import Asked
    from optiproxy.cli.search import INTERRUPTED
    from optiproxy.execution.limits import memory_size
    from optiproxy.reporting.words import standing
    from optiproxy.searching.progress import observer_for
    from optiproxy.searching.run import run
    from optiproxy.searching.settings import SearchSettings
    from optiproxy.searching.stopping import StopRules
    from optiproxy.storage.backends.outage import SECONDS
    from optiproxy.storage.identity import goal_from_json, protocol_from_json
    from optiproxy.storage.study import closed, stored_study

    opened, held = stored_study(storage, study)
    with closed(opened):
        name = opened.study_name
    goal, protocol = goal_from_json(held), protocol_from_json(held)
    known = {entry.name for entry in registry.tasks()}, {entry.name for entry in registry.algorithms()}
    found = Asked(
        what=_named(held, "task", task, known[0]),
        evaluate=evaluate,
        objectives=[*map(str, goal.objectives)],
        limits=[*map(str, goal.limits)],
        free=free or protocol.free,
        example=example,
    ).subject()
    settings = SearchSettings(
        budget=held["budget"],
        algorithm=_named(held, "algorithm", algorithm, known[1]),
        seed=held["seed"],
        free=found.free,
        # The full fidelity is said, too: a task may choose another by itself.
        fidelity=protocol.fidelity or protocol.full,
        promote=protocol.promote or None,
        workers=workers,
        timeout=timeout,
        memory=None if memory is None else memory_size(memory),
        max_outage=SECONDS if max_outage is None else max_outage,
        storage=storage,
        study=name,
        rules=StopRules(seconds=max_seconds),
    )
    observer = observer_for(goal, Console(stderr=True))
    result = run(found.task, settings, goal=goal, executor=executor, observer=observer)
    say(standing(result))
    if result.stopped == "interrupted":
        say(INTERRUPTED, err=True)
        raise typer.Exit(1)


_ADVICE = {
    "task": "Name it as it was given to `optiproxy search`: SPACE --evaluate MODULE:NAME, or MODULE:NAME of a task.",
    "algorithm": "Name it: --algorithm MODULE:NAME.",
}


def _named(held: Mapping[str, Any], key: str, given: str | None, known: set[str]) -> str:
    """Return the task or the algorithm of a study. Whatever the study says, only what has been registered goes by its word.

    Raises:
        UsageError: If it is the user's own, and the user has not named it.
    """
    from optiproxy.errors import UsageError

    if given is not None:
        return given
    if held[key] in known:
        return held[key]
    raise UsageError(
        f"The study is of the {key} {held[key]!r}, which is code of your own, and a study names no code that is run. {_ADVICE[key]}"
    )
