"""The user's own code that `optiproxy export` and `optiproxy retrain` need beside a study: named by the user, never by the study."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from optiproxy.task.training_trial import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optiproxy.results.result import SearchResult
    from optiproxy.spaces import Space
    from optiproxy.spaces.building.dry_run import Inputs
    from optiproxy.storage.record import Record
    from optiproxy.task.task import Task

OwnSpace = Annotated[
    str | None,
    typer.Option(
        "--space",
        metavar="MODULE:NAME",
        help="Space or model function of a search of your own; a study names no code that is run.",
    ),
]
OwnEvaluate = Annotated[
    str | None,
    typer.Option("--evaluate", metavar="MODULE:NAME", help="Training function of that search, which is called again."),
]
OwnExample = Annotated[
    str | None,
    typer.Option(
        "--example",
        metavar="MODULE:NAME",
        help="One input of the network: a tensor, several in a tuple, or a function that returns them; the example of the "
        "space if left out.",
    ),
]


@dataclass(frozen=True)
class OwnCode:
    """What the user has named.

    Attributes:
        space: ``MODULE:NAME`` of the space or of the function that builds its networks.
        evaluate: ``MODULE:NAME`` of the training function.
        example: ``MODULE:NAME`` of an input.
    """

    space: str | None
    evaluate: str | None
    example: str | None

    def task_of(self, result: SearchResult, kept: Sequence[Record] = ()) -> Task:
        """Return the task whose networks a search has trained.

        Args:
            result: The search.
            kept: Records whose weights, if the search kept them, are to be used instead of a training.

        Raises:
            UsageError: If it takes the user's own code, and that is not named, or is another search's.
        """
        from optiproxy import registry
        from optiproxy.errors import UsageError

        given = [f"--{name}" for name in ("space", "evaluate", "example") if getattr(self, name) is not None]
        # Only a registered name: a study may come from anywhere, and what it says must not import a module.
        if result.task in {entry.name for entry in registry.tasks()}:
            if given:
                raise UsageError(
                    f"The study {result.study!r} is of the task {result.task!r}; leave out {', '.join(given)}."
                )
            return registry.task(result.task)
        saved = [record for record in kept if WEIGHTS in record.files]
        if self.space is None or (self.evaluate is None and not (saved and len(saved) == len(kept))):
            raise UsageError(
                f"The study {result.study!r} was made with a training function of your own, which it does not hold. "
                "Name your code, --space MODULE:NAME --evaluate MODULE:NAME; or build the network where you have its space, with "
                "space.build(result.best.architecture, seed=result.seed); or write its choices with --format json."
            )
        return self._own(result, self.space, saved)

    def _own(self, result: SearchResult, space: str, kept: Sequence[Record]) -> Task:
        from optiproxy import registry
        from optiproxy.errors import UsageError
        from optiproxy.training.tasks.own_network import OwnNetwork

        found = registry.space(space)
        _check_same(found, space, result)
        example = _example_of(found) if self.example is None else registry.example_input(self.example)
        if example is None:
            raise UsageError(
                f"Expected an input of the networks of {space!r}, got none. Give --example MODULE:NAME, or make the space with "
                "Space.from_model(model, example=...)."
            )
        return OwnNetwork(
            found,
            None if self.evaluate is None else registry.training_function(self.evaluate),
            goal=result.goal,
            example=example,
            name=result.task,
            source=result.source,
            kept={record.architecture: (replace(record, space=found).load, record.metrics) for record in kept},
        )


def _check_same(space: Space, spec: str, result: SearchResult) -> None:
    """Raise `UsageError` unless a space has the decisions of a study, by which its architectures are read."""
    from optiproxy.errors import UsageError

    # The decisions alone: rules and limits of the search say which architectures it tried, not what they are.
    mine, stored = ({d.name: d.listed for d in one.decisions} for one in (space, result.space))
    if [*mine.items()] != [*stored.items()]:
        differing = sorted(name for name in {*mine, *stored} if mine.get(name) != stored.get(name))
        told = f"differs in {', '.join(differing)}" if differing else "has its decisions in another order"
        raise UsageError(
            f"The space {spec!r} {told} from that of the study {result.study!r}. Name the space that was searched, as it was then."
        )


def _example_of(space: Space) -> Inputs | None:
    """The example that a space of networks was made with, whatever it is wrapped in."""
    from optiproxy.nn import ModelSpace
    from optiproxy.spaces import SpaceWrapper

    while isinstance(space, SpaceWrapper):
        space = space.base
    return space.example if isinstance(space, ModelSpace) else None
