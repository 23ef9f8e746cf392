"""What an architecture is made of: decisions, each with the choices among which it is taken."""

from __future__ import annotations

from dataclasses import dataclass

from optiproxy.errors import UsageError

Choice = str | int | float | bool | None
"""A value that a decision may take: anything that Optuna and JSON can store."""

Architecture = tuple[int, ...]
"""One position in `Decision.choices` per decision, in the order of `Space.decisions`."""

MOST_CHOICES = 64
"""A range of numbers with more values is not taken for a categorical decision."""


@dataclass(frozen=True)
class Decision:
    """One categorical decision.

    Attributes:
        name: Unique within a space.
        choices: At least one, all different; ``1`` and ``True`` are different choices.

    Raises:
        UsageError: If there is no choice, or one is listed twice.
    """

    name: str
    choices: tuple[Choice, ...]

    def __post_init__(self) -> None:
        if not self.choices:
            raise UsageError(f"Decision {self.name!r} needs at least one choice, got none.")
        # With the type, because a set would take 1 and True for one.
        if len({(type(choice), choice) for choice in self.choices}) < len(self.choices):
            raise UsageError(f"Decision {self.name!r} lists a choice twice: {list(self.choices)}.")

    def position(self, value: object) -> int:
        """Find a value among the choices. A number may come in another type, as JSON and databases return it.

        Raises:
            UsageError: If the value is not among the choices.
        """
        for position, choice in enumerate(self.choices):
            # True == 1 in Python, but they are two choices here.
            if choice == value and isinstance(choice, bool) == isinstance(value, bool):
                return position
        raise UsageError(f"Decision {self.name!r} takes one of {list(self.choices)}, got {value!r}.")


@dataclass(frozen=True)
class RangeDecision(Decision):
    """Whole numbers that were asked for as a range and not as categories.

    Attributes:
        numbers: The same as `choices`.
        log: Whether Optuna's own samplers are to draw them by orders of magnitude.
    """

    # Beside the choices, because Optuna stores a range as another distribution than a list of categories.
    numbers: range
    log: bool = False
