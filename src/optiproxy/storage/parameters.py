"""Architectures as Optuna parameters, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, final

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from optiproxy.spaces import Architecture, Choice, Space
from optiproxy.spaces.scales import Float, Int

if TYPE_CHECKING:
    from optiproxy.spaces import Decision


class Parameters:
    """A space's decisions as parameters of the same names: categories, integers and floats.

    Args:
        space: Whose decisions.

    Attributes:
        space: The same.
        distributions: Decision name -> Optuna distribution.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self._kinds = {decision.name: _kind(decision) for decision in space.decisions}
        self.distributions: dict[str, BaseDistribution] = {
            name: kind.distribution for name, kind in self._kinds.items()
        }

    def encode(self, architecture: Architecture) -> dict[str, Choice]:
        """Parameter name -> value, as an Optuna trial holds it."""
        return {name: kind.value(i) for (name, kind), i in zip(self._kinds.items(), architecture, strict=True)}

    def active(self, architecture: Architecture) -> dict[str, Choice]:
        """The part of `encode` that matters."""
        names, active = list(self._kinds), self.space.active(architecture)
        values = self.encode(architecture)
        return {names[d]: values[names[d]] for d in sorted(active)}

    def decode(self, values: Mapping[str, object]) -> Architecture | None:
        """The inverse of `encode`; other parameters are passed over, and decisions may be missing that do not matter.

        None where a decision that matters is missing, or one has a value that is not admissible.
        """
        found = [self.position(name, values[name]) if name in values else 0 for name in self._kinds]
        if None in found:
            return None
        architecture = tuple(position or 0 for position in found)
        missing = [d for d, name in enumerate(self._kinds) if name not in values]
        return None if missing and not self.space.active(architecture).isdisjoint(missing) else architecture

    def position(self, name: str, value: object) -> int | None:
        """Where a value stands among the choices of a decision; None where it is not admissible."""
        return self._kinds[name].position(value)


class _Kind(Protocol):
    """How one decision is stored."""

    @property
    def distribution(self) -> BaseDistribution: ...

    def value(self, position: int) -> Choice: ...

    def position(self, value: object) -> int | None: ...


@final
class _Number:
    """Numbers are stored as what they are, so that other samplers make use of their order."""

    def __init__(self, numbers: Int | Float) -> None:
        self._numbers = numbers
        self.distribution: BaseDistribution = (
            IntDistribution(numbers.low, numbers.high, step=numbers.step, log=numbers.log)
            if isinstance(numbers, Int)
            else FloatDistribution(numbers.low, numbers.high, step=numbers.step, log=numbers.log)
        )

    def value(self, position: int) -> Choice:
        return self._numbers[position]

    def position(self, value: object) -> int | None:
        try:
            return self._numbers.position(value)
        except ValueError:
            return None


@final
class _Category:
    """Categories are stored by their labels, in whatever order."""

    def __init__(self, choices: Sequence[Choice]) -> None:
        # Their texts where Optuna, which compares with ``==``, could not tell them apart (1 and True).
        self._labels = tuple(choices) if len(set(choices)) == len(choices) else tuple(map(repr, choices))
        self._positions = {label: position for position, label in enumerate(self._labels)}
        self.distribution: BaseDistribution = CategoricalDistribution(self._labels)

    def value(self, position: int) -> Choice:
        return self._labels[position]

    def position(self, value: object) -> int | None:
        # Of another type it may not even be hashable: the study may be anybody's.
        return self._positions.get(value) if isinstance(value, str | int | float | None) else None


def _kind(decision: Decision) -> _Kind:
    return _Number(decision.choices) if isinstance(decision.choices, Int | Float) else _Category(decision.choices)
