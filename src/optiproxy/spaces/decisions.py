"""What an architecture is made of: decisions, each with the choices among which it is taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from optiproxy.errors import UsageError
from optiproxy.spaces.choices import Choice as Choice
from optiproxy.spaces.choices import in_order, labelled, plain, same
from optiproxy.spaces.ranges import Float, Int
from optiproxy.spaces.scales import FEW, Ordered, Scale

if TYPE_CHECKING:
    import numpy as np

Architecture = tuple[int, ...]
"""One position in `Decision.choices` per decision, in the order of `Space.decisions`."""


@dataclass(frozen=True)
class Decision:
    """One decision, among categories or along a scale.

    Attributes:
        name: Unique within a space.
        choices: At least one, all different; ``1`` and ``True`` are different choices. A list is of categories; an
            `Int`, a `Float` or an `Ordered` has an order. Of a choice that is no text or number, such as a class, its label
            is kept here (`optiproxy.spaces.choices`).
        objects: What users' functions are given for each choice: the same, but for labels what they stand for.

    Raises:
        UsageError: If there is no choice, one is listed twice, or they are no list.
    """

    name: str
    choices: Sequence[Choice]
    objects: Sequence[Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):  # pyright: ignore[reportUnnecessaryIsInstance] - of a user without a type checker
            raise UsageError(f"Expected the name of a decision to be a text, got {self.name!r}.")
        if isinstance(self.choices, Scale):
            objects = self.choices.objects  # checked when it was made
        else:
            labels, objects = labelled(self.choices, f"Decision {self.name!r}")
            object.__setattr__(self, "choices", labels)
        object.__setattr__(self, "objects", objects)

    @classmethod
    def of(cls, name: str, choices: Iterable[Any]) -> Decision:
        """Return the decision among choices as a user lists them.

        Three or more numbers in increasing or decreasing order, like 16, 32, 64, are an `Ordered`: that 32 lies between the
        others is known to whoever has written them down so. As categories they are a `Decision` of that list.
        """
        decision = cls(name, cast("Sequence[Choice]", choices))
        numbers = decision.scale is None and in_order(decision.choices)
        return cls(name, Ordered(decision.objects)) if numbers else decision

    @cached_property
    def scale(self) -> Scale | None:
        """The order of the choices; None for categories."""
        return self.choices if isinstance(self.choices, Scale) else None

    @cached_property
    def point(self) -> Scale | None:
        """The scale on which a relaxed architecture has a point; None where it has a probability for each choice."""
        return self.choices if isinstance(self.choices, Scale) and len(self.choices) > FEW else None

    @cached_property
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
        """The choices for people and files: all of a list, and the range of many numbers."""
        return str(self.choices) if isinstance(self.point, Int | Float) else list(self.choices)

    def position(self, value: object) -> int:
        """Find a value among the choices, by itself or its label. A number may come in another type, as databases return it.

        Raises:
            UsageError: If the value is not among the choices.
        """
        value = plain(value)
        if isinstance(self.choices, Int | Float):
            try:
                return self.choices.position(value)
            except ValueError as error:
                raise UsageError(f"Decision {self.name!r} takes one of {self.choices}, and {error}.") from None
        # A label is meant before an object: of a text that equals another choice's label there is none.
        for known in (self.choices, self.objects):
            for position, choice in enumerate(known):
                if same(choice, value):
                    return position
        raise UsageError(f"Decision {self.name!r} takes one of {list(self.choices)}, got {value!r}.")

    def others(self, position: int) -> list[int]:
        """Positions near this one, without it: all others of few choices, and along a scale steps of all sizes."""
        if self.point is None:
            return [other for other in range(len(self.choices)) if other != position]
        unit = self.point.unit(position)
        steps = [self.point.at(unit + sign * step) for step in STEPS for sign in (-1, 1)]
        return [other for other in dict.fromkeys(steps) if other != position]

    def redraw(self, position: int, rng: np.random.Generator) -> int:
        """Draw another position: any, or on a scale of many values half of the time one near this one."""
        if not isinstance(self.choices, Int | Float):
            return int(rng.integers(len(self.choices)))
        if self.point is None or rng.random() < 0.5:
            return self.choices.draw(rng, 1)[0]
        near = self.choices.unit(position) + SPREAD ** (1 + 2 * rng.random()) * rng.standard_normal()
        # Reflected at the ends, so that the way back is as likely as the way there.
        return self.choices.at(1 - abs(1 - abs(near) % 2))


STEPS = (0.01, 0.03, 0.1, 0.3)
"""How far apart neighbours on a scale from 0 to 1 lie."""

SPREAD = 0.1
"""Random points near another one are drawn with standard deviations from this down to its third power."""
