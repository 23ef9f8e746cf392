"""``optiproxy profile``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from optiproxy.cli.options import Evaluate, Example, Free, Limits, Objectives
from optiproxy.cli.terminal import say

if TYPE_CHECKING:
    from optiproxy.metrics import Goal
    from optiproxy.profiling.profile import Profile
    from optiproxy.spaces import Architecture
    from optiproxy.task.task import Task

_LONGEST = 120.0
"""Number of seconds after which a training that is only to be timed is stopped."""


def profile(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="SPACE_OR_TASK",
            help="A name that `optiproxy tasks` lists, a space (darts, nasbench101, nasbench201, nasbench-nlp), or "
            "MODULE:NAME of your own task, space, mapping of choices or model function; or a TOML file.",
        ),
    ],
    *,
    evaluate: Evaluate = None,
    objective: Objectives = None,
    limit: Limits = None,
    free: Free = None,
    example: Example = None,
    budget: Annotated[int, typer.Option(help="Architectures that a search is to evaluate.")] = 100,
    samples: Annotated[int, typer.Option(help="Architectures to measure.")] = 100,
    seconds: Annotated[
        float | None, typer.Option(help="That one training takes; a task is tried once if left out.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look at a space or task before anything is spent on it: its size, what fits the limits, what it costs."""
    from optiproxy import registry
    from optiproxy.cli.inputs.subject import Asked
    from optiproxy.errors import UsageError
    from optiproxy.profiling import measuring
    from optiproxy.registry.own import measures
    from optiproxy.reporting.search.profile import profile_as_json, profile_in_words
    from optiproxy.searching.stopping import check_whole
    from optiproxy.spaces import Space

    for name, value, low in (("budget", budget, 1), ("samples", samples, 1), ("seed", seed, 0)):
        check_whole(name, value, low)
    asked = Asked(what=subject, evaluate=evaluate, objectives=objective, limits=limit, free=free, example=example)
    looked_at = None if evaluate else registry.space_or_task(subject)
    # A space alone has neither goal nor training: only what is counted and free can be told of it.
    if isinstance(looked_at, Space):
        if objective:
            raise UsageError(
                "A space alone has nothing to improve. Leave --objective out, or give --evaluate MODULE:NAME."
            )
        found = measuring.profile(
            looked_at,
            free=measures(free or [], looked_at, example=example or ""),
            limits=limit or [],
            budget=budget,
            samples=samples,
            seconds=seconds,
            seed=seed,
        )
    else:
        about = asked.subject(looked_at)
        found = measuring.profile_task(
            about.task,
            goal=about.goal,
            free=about.free,
            budget=budget,
            samples=samples,
            seconds=seconds,
            seed=seed,
            watch=_watched,
        )
        # Last, because it may take minutes, and not at all if something before it fails.
        if seconds is None:
            found = replace(found, training_seconds=_tried(about.task, about.goal, found, seed=seed))
    say(json.dumps(profile_as_json(found), indent=2) if as_json else profile_in_words(found))


def _watched(architectures: Sequence[Architecture]) -> Iterable[Architecture]:
    from rich.console import Console
    from rich.progress import track

    # On standard error and gone in the end: standard output holds the profile alone.
    return track(architectures, description="Measuring", console=Console(stderr=True), transient=True)


def _tried(task: Task, goal: Goal, found: Profile, *, seed: int) -> float | None:
    """Time one query of a random architecture in seconds; None, and a message why, where it failed."""
    import numpy as np

    from optiproxy.profiling.measuring import one_query

    # Any valid architecture will do; the seed makes it the same one each time.
    drawn = task.space.sample(np.random.default_rng(seed), 1)
    if not drawn:
        return None
    outcome = one_query(task, drawn[0], goal, fidelity=found.protocol.fidelity, longest=_LONGEST)
    if outcome.reason:
        say(f"One query was tried, to see how long it takes, and failed: {outcome.reason}", err=True)
        return None
    return outcome.seconds
