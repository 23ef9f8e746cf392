"""A task out of what users write: a space, a function that trains in it, and functions that measure before any training.

`OwnTask` holds texts and plain choices only. So the command line can read it from a line or a file, a comparison can send it to
another process, and nothing of the user's is imported before `OwnTask.task` is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from optiproxy.errors import UsageError, unknown
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.registry import targets
from optiproxy.registry.own_code import example_input, training_function

if TYPE_CHECKING:
    from optiproxy.spaces import Space
    from optiproxy.task.function import FunctionTask, Measure

USUAL = Goal((Objective("accuracy"),))
"""What a training function is searched for unless a search says otherwise, as in `optiproxy.search`."""

_ON = " on "
"""Between the two parts of a name. No name that is registered has a space in it."""

_TABLE = "its choices"
"""What a space is called that is written out where it is used."""


@dataclass(frozen=True, kw_only=True)
class OwnTask:
    """A space and the function that trains in it, by name.

    Attributes:
        space: ``MODULE:NAME`` of a `Space`, a mapping of choices, or a function that builds a network; the name of a published
            space; or decision name -> its choices, a number, or ``MODULE:NAME`` of either.
        evaluate: ``MODULE:NAME`` of the training function.
        objectives: As of `optiproxy.search`; empty means accuracy.
        limits: As of `optiproxy.search`.
        free: Metrics that are measured before any training: each ``METRIC=MODULE:NAME`` of a function, or the name of one
            that `optiproxy.Costs` counts.
        example: ``MODULE:NAME`` of one input of every network, or of a function that makes it; all that `optiproxy.Costs`
            counts but parameters needs it. Empty where there is none.
    """

    space: str | Mapping[str, Any]
    evaluate: str
    objectives: Sequence[str] = ()
    limits: Sequence[str] = ()
    free: Sequence[str] = ()
    example: str = ""

    @property
    def name(self) -> str:
        """What studies, comparisons and folders are named after: ``train:fit on model``."""
        evaluate = targets.normalized(self.evaluate)
        if not isinstance(self.space, str):
            return f"{evaluate}{_ON}{_TABLE}"
        module = evaluate.partition(":")[0]
        space = targets.normalized(self.space) if targets.is_target(self.space) else self.space
        # Most people have both in one file, whose name need not be told twice.
        return f"{evaluate}{_ON}{space.removeprefix(f'{module}:')}"

    @property
    def goal(self) -> Goal:
        """What is searched for.

        Raises:
            UsageError: If an objective or a limit is malformed or given twice.
        """
        objectives = tuple(map(Objective.parse, self.objectives)) or USUAL.objectives
        return Goal(objectives, tuple(map(Limit.parse, self.limits)))

    def task(self) -> FunctionTask:
        """Import what is named, and put it together. Evaluations run in worker processes, where a crash costs one query.

        Raises:
            UsageError: If something is missing, fails when it is imported, or is of the wrong kind.
        """
        from optiproxy.registry.names import space_or_task
        from optiproxy.spaces import Space
        from optiproxy.task.function import FunctionTask

        goal = self.goal
        evaluate = training_function(self.evaluate)
        space = space_or_task(self.space)
        if not isinstance(space, Space):
            raise UsageError(
                f"The task {self.space!r} evaluates its architectures itself, so leave the training function out, or name a "
                "space."
            )
        free = measures(self.free, space, example=self.example)
        made = FunctionTask(space, evaluate, goal=goal, isolated=True, free=free)
        made.name = self.name
        return made


def as_space(found: Any, spec: str) -> Space:  # noqa: ANN401 - whatever the user has defined
    """Return the space that an object stands for.

    Args:
        found: A space, a class of spaces, a mapping of choices, or a function that builds a network.
        spec: How it was given.

    Raises:
        UsageError: If it is something else, or fails; with the place in the user's code.
    """
    from optiproxy.spaces import FlatSpace, Space

    # Before `callable` is asked, because a class of spaces is callable, too, and builds no network.
    if isinstance(found, Space) or (isinstance(found, type) and issubclass(found, Space)):
        return cast("Space", targets.made(found, Space, target=spec, wanted="a space"))
    if isinstance(found, Mapping):
        return FlatSpace(found)  # pyright: ignore[reportUnknownArgumentType] - the space checks it
    wanted = "a space, a mapping of choices or a function that builds a network"
    if not callable(found):
        raise targets.wrong_kind(found, spec, wanted)
    if not targets.takes(found):
        raise targets.wrong_kind(found, spec, f"{wanted} without being given anything")
    try:
        return Space.from_model(cast("Any", found))
    except UsageError as error:
        raise UsageError(f"{spec!r} makes no space{targets.place_of(error.__cause__ or error)}. {error}") from error


def from_table(choices: Mapping[str, Any]) -> Space:
    """Return the space of a table of choices, in which ``MODULE:NAME`` may stand for a list.

    Raises:
        UsageError: If a list is missing or empty, or a module has none of this name.
    """
    from optiproxy.spaces import FlatSpace

    # A text is no list of choices, so that it can only stand for one.
    return FlatSpace(
        {name: targets.load(one, "a list of choices") if isinstance(one, str) else one for name, one in choices.items()}
    )


def parts(name: str) -> tuple[str, ...]:
    """Return the ``MODULE:NAME`` of training function and space in the name of an `OwnTask`; of another name, that alone."""
    evaluate, on, space = name.partition(_ON)
    module = evaluate.partition(":")[0]
    return (evaluate, space if targets.is_target(space) else f"{module}:{space}") if on else (name,)


def arguments(name: str) -> tuple[str, ...]:
    """Return how a line says what a task of this name is: one word, or a space and its training function.

    Empty where no line can: a table of choices stands in a file.
    """
    evaluate, *space = parts(name)
    if name.endswith(_ON + _TABLE):
        return ()
    return (*space, "--evaluate", evaluate) if space else (name,)


def measures(free: Sequence[str], space: Space, *, example: str = "") -> dict[str, Measure]:
    """Return metric name -> the function that measures it before any training.

    Args:
        free: Each ``METRIC=MODULE:NAME``, or the name of what `optiproxy.Costs` counts.
        space: What it builds is measured.
        example: ``MODULE:NAME`` of one input of every network; empty where there is none.

    Raises:
        UsageError: If a function is missing or is none, or optiproxy cannot count the metric by itself.
    """
    found: dict[str, Measure] = {}
    for text in free:
        name, given, target = text.partition("=")
        if name in found:
            raise UsageError(f"Each free metric may be given once, got {name!r} twice.")
        found[name] = _own_measure(target) if given else _counted(name, space, example)
    return found


def _own_measure(target: str) -> Measure:
    found: object = targets.load(target, "a function that measures")
    if not callable(found) or isinstance(found, type) or not targets.takes(found, object()):
        raise targets.wrong_kind(found, target, "a function of one argument, what the space builds")
    return cast("Measure", found)


def _counted(name: str, space: Space, example: str) -> Measure:
    """Return what `optiproxy.Costs` counts under this name."""
    import numpy as np
    from torch import nn

    from optiproxy.training.costs import Costs

    known = [method for method, value in vars(Costs).items() if callable(value) and not method.startswith("_")]
    if name not in known:
        raise UsageError(f"{unknown('free metric', name, known)} One of your own is given as {name}=MODULE:NAME.")
    # What can be counted is a network; one that cannot be built tells so itself, when it is measured.
    for architecture in space.sample(np.random.default_rng(0), 1):
        try:
            built = space.build(architecture)
        except UsageError:
            continue
        if not isinstance(built, nn.Module):
            raise UsageError(
                f"optiproxy counts {name} of networks, and this space builds {type(built).__name__}. "
                f"Give a function that measures it, {name}=MODULE:NAME."
            )
    if name != "params" and not example:
        raise UsageError(
            f"{name} is measured on an input of the network. Name one as example, MODULE:NAME, or a function of your own, "
            f"{name}=MODULE:NAME."
        )
    return getattr(Costs(example_input(example) if example else ()), name)
