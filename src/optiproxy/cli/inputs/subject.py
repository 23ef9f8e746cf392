"""What a command is about: a task with a name, or a space of the user's own with the function that trains in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optiproxy.errors import UsageError

if TYPE_CHECKING:
    from optiproxy.metrics import Goal
    from optiproxy.registry import OwnTask
    from optiproxy.task.task import Task


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is searched, and for what.

    Attributes:
        task: Evaluates.
        goal: Objectives and limits.
        usual: The goal where nothing is asked for.
        free: Names of metrics that are to be free, besides those that are by themselves.
    """

    task: Task
    goal: Goal
    usual: Goal
    free: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a line says of what it is about. Nothing is imported yet.

    Attributes:
        what: Name of a task, ``MODULE:NAME``, or the table of choices of a file.
        evaluate: ``MODULE:NAME`` of a training function; None where a task evaluates by itself.
        objectives: None and empty leave the usual ones.
        limits: Those that are asked for.
        free: Names of a task's metrics; beside a training function as for `OwnTask`.
        example: ``MODULE:NAME`` of one input of the networks.
    """

    what: str | Mapping[str, Any]
    evaluate: str | None = None
    objectives: Sequence[str] | None = None
    limits: Sequence[str] | None = None
    free: Sequence[str] | None = None
    example: str | None = None

    @property
    def spec(self) -> str | OwnTask:
        """What `optiproxy.registry.task` builds the task from.

        Raises:
            UsageError: If what belongs to a training function stands there without one.
        """
        from optiproxy.registry import OwnTask

        if self.evaluate is not None:
            return OwnTask(
                space=self.what,
                evaluate=self.evaluate,
                objectives=tuple(self.objectives or ()),
                limits=tuple(self.limits or ()),
                free=tuple(self.free or ()),
                example=self.example or "",
            )
        if not isinstance(self.what, str):
            raise UsageError("A space goes together with the function that trains in it. Give --evaluate MODULE:NAME.")
        given = next((name for name in self.free or () if "=" in name), "")
        if given or self.example is not None:
            raise UsageError(
                f"The task {self.what!r} measures by itself, so {given or 'an example'} has no place there. "
                "Leave it out, or give --evaluate MODULE:NAME."
            )
        return self.what

    def subject(self, task: Task | None = None) -> Subject:
        """Build what a search is about.

        Args:
            task: The one of this line, where it is built already.

        Raises:
            UsageError: If a name is not known, or what it stands for is missing, fails or is of the wrong kind.
            DataError: If the data of a task is missing or damaged.
        """
        from optiproxy import registry
        from optiproxy.registry.own import USUAL
        from optiproxy.task.protocol import wanted_goal

        spec = self.spec
        built = registry.task(spec) if task is None else task
        # The metrics of a function are those that it is asked for, so that its goal is what the line says.
        if not isinstance(spec, str):
            return Subject(task=built, goal=built.goal, usual=USUAL, free=())
        goal = wanted_goal(built, objectives=self.objectives or (), limits=self.limits or ())
        return Subject(task=built, goal=goal, usual=built.goal, free=tuple(self.free or ()))
