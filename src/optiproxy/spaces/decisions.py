"""What an architecture is made of: decisions, each with the choices among which it is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optiproxy.errors import UsageError
from optiproxy.spaces.scales import FEW, Float, Int, Scale

Choice = str | int | float | bool | None
"""A value that a decision may take: anything that Optuna and JSON can store."""

Architecture = tuple[int, ...]
"""One position in `Decision.choices` per decision, in the order of `Space.decisions`."""


@dataclass(frozen=True)
class Decision:
    """One decision, among categories or along a scale.

    Attributes:
        name: Unique within a space.
        choices: At least one, all different; ``1`` and ``True`` are different choices. A list is of categories; an
            `Int`, a `Float` or an `Ordered` has an order.

    Raises:
        UsageError: If there is no choice, or one is listed twice.
    """

    name: str
    choices: Sequence[Choice]

    def __post_init__(self) -> None:
        if isinstance(self.choices, Int | Float):
            return  # checked when they were made
        if not self.choices:
            raise UsageError(f"Decision {self.name!r} needs at least one choice, got none.")
        # With the type, because a set would take 1 and True for one.
        if len({(type(choice), choice) for choice in self.choices}) < len(self.choices):
            raise UsageError(f"Decision {self.name!r} lists a choice twice: {list(self.choices)}.")

    @property
    def scale(self) -> Scale | None:
        """The order of the choices; None for categories."""
        return self.choices if isinstance(self.choices, Scale) else None

    @property
    def point(self) -> Scale | None:
        """The scale on which a relaxed architecture has a point; None where it has a probability for each choice."""
        return self.choices if isinstance(self.choices, Scale) and len(self.choices) > FEW else None

    @property
    def columns(self) -> int:
        """Numbers that a relaxed architecture has for it: one for each choice, or the point alone."""
        return len(self.choices) if self.point is None else 1

    @property
    def signature(self) -> list[str]:
        """What tells the choices from those of every other decision. Studies on disk hold its digest."""
        # `repr` tells 1, True and "1" apart.
        return list(map(repr, self.choices)) if self.scale is None else self.scale.signature

    @property
    def listed(self) -> list[Choice] | str:
        """The choices for people and files: all where they are few, else their range."""
        return str(self.point) if self.point is not None else list(self.choices)

    def position(self, value: object) -> int:
        """Find a value among the choices. A number may come in another type, as JSON and databases return it.

        Raises:
            UsageError: If the value is not among the choices.
        """
        if self.scale is not None:
            try:
                return self.scale.position(value)
            except ValueError as error:
                raise UsageError(f"Decision {self.name!r} takes one of {self.scale}, and {error}.") from None
        for position, choice in enumerate(self.choices):
            # True == 1 in Python, but they are two choices here.
            if choice == value and isinstance(choice, bool) == isinstance(value, bool):
                return position
        raise UsageError(f"Decision {self.name!r} takes one of {list(self.choices)}, got {value!r}.")

    def others(self, position: int) -> list[int]:
        """Positions near this one, without it: all others of few choices, and along a scale steps of all sizes."""
        if self.point is None:
            return [other for other in range(len(self.choices)) if other != position]
        unit = self.point.unit(position)
        steps = [self.point.at(unit + sign * step) for step in STEPS for sign in (-1, 1)]
        return [other for other in dict.fromkeys(steps) if other != position]


STEPS = (0.01, 0.03, 0.1, 0.3)
"""How far apart neighbours on a scale from 0 to 1 lie."""
