"""The options that several commands have in common."""

from __future__ import annotations

from typing import Annotated

import typer

# As types and not as values: a command says `limit: Limits = None`, and typer reads the rest out of the type.
Limits = Annotated[
    list[str] | None,
    typer.Option(metavar="METRIC<=VALUE", help="A bound to keep, or METRIC>=VALUE. May be repeated."),
]
Free = Annotated[
    list[str] | None,
    typer.Option(
        metavar="METRIC",
        help="Known before an evaluation, so that none is spent on what breaks a limit on it. May be repeated.",
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
StudyName = Annotated[str | None, typer.Option(metavar="NAME", help="Which study, where the storage holds several.")]
