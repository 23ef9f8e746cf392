"""The options that several commands have in common."""

from __future__ import annotations

from typing import Annotated

import typer

from optiproxy.storage.backends.secrets import VARIABLE

# As types and not as values: a command says `limit: Limits = None`, and typer reads the rest out of the type.
Limits = Annotated[
    list[str] | None,
    typer.Option(metavar="METRIC<=VALUE", help="A bound to keep, or METRIC>=VALUE. May be repeated."),
]
Free = Annotated[
    list[str] | None,
    typer.Option(
        metavar="METRIC[=MODULE:NAME]",
        help="Known before an evaluation, so that none is spent on what breaks a limit on it; beside --evaluate, what "
        "optiproxy counts (params and, with --example, flops, latency_ms, …), or your function. May be repeated.",
    ),
]
Evaluate = Annotated[
    str | None,
    typer.Option(
        metavar="MODULE:NAME",
        help="Your training function, where the first argument is a space, a mapping of choices or a model of your own.",
    ),
]
Objectives = Annotated[
    list[str] | None,
    typer.Option(
        metavar="METRIC[:min|max]",
        help="What to improve instead of the task's own, or beside --evaluate of accuracy. May be repeated.",
    ),
]
Example = Annotated[
    str | None,
    typer.Option(
        metavar="MODULE:NAME",
        help="One input of your network, or a function that makes it, for what optiproxy counts or measures on one.",
    ),
]
Fidelity = Annotated[
    int | None,
    typer.Option(metavar="EPOCHS", help="Spend the budget at this fidelity; the task's own choice if left out."),
]
Promote = Annotated[
    int | None,
    typer.Option(
        metavar="K",
        help="After a lower fidelity, evaluate the K best again in full, on top of the budget; the answer is one of them.",
    ),
]
Storage = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        envvar=VARIABLE,
        help="Database of the study; DIR/study.db if left out. A password stands better in the variable than on a line.",
    ),
]
Workers = Annotated[int, typer.Option(help="Evaluations at a time.")]
Timeout = Annotated[float | None, typer.Option(metavar="SECONDS", help="Longest an evaluation may take.")]
Memory = Annotated[str | None, typer.Option(metavar="SIZE", help="Most memory an evaluation may hold, such as 4GB.")]
MaxSeconds = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Ask for nothing more after this time; what runs is finished."),
]
MaxOutage = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="How long the storage may be away, an hour if left out; results that are there meanwhile are kept in any case.",
    ),
]
StudyName = Annotated[str | None, typer.Option(metavar="NAME", help="Which study, where the storage holds several.")]
