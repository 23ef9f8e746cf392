"""Architectures as Optuna parameters, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, final

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from optiproxy.spaces import Architecture, Choice, Space
from optiproxy.spaces.choices import same
from optiproxy.spaces.ranges import Float, Int

if TYPE_CHECKING:
    from optiproxy.spaces import Decision


class Parameters:
    """A space's decisions as parameters of the same names: categories, integers and floats.

    Args:
        space: Whose decisions.
        objects: Whether categories are stored as the `Decision.objects` that users' functions suggest. Otherwise they are
            by their labels, which all storages can hold.

    Attributes:
        space: The same.
        distributions: Decision name -> Optuna distribution.
    """

    def __init__(self, space: Space, *, objects: bool = False) -> None:
        self.space = space
        self._kinds = {decision.name: _kind(decision, objects=objects) for decision in space.decisions}
        self.distributions: dict[str, BaseDistribution] = {
            name: kind.distribution for name, kind in self._kinds.items()
        }

    def encode(self, architecture: Architecture) -> dict[str, Any]:
        """Parameter name -> value, as an Optuna trial holds it."""
        return {name: kind.value(i) for (name, kind), i in zip(self._kinds.items(), architecture, strict=True)}

    def active(self, architecture: Architecture) -> dict[str, Any]:
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

    def value(self, position: int) -> Any: ...  # noqa: ANN401 - what the choices are

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
    """Categories are stored in whatever order.

    Args:
        values: What stands for each choice.
    """

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = tuple(values)
        self.distribution: BaseDistribution = CategoricalDistribution(self._values)

    def value(self, position: int) -> Any:  # noqa: ANN401 - what the choices are
        return self._values[position]

    def position(self, value: object) -> int | None:
        try:
            # As Optuna has it, 1 is found where True alone is a choice, and the other way round.
            boolean = isinstance(value, bool)
            return self._positions.get((boolean, value), self._positions.get((not boolean, value)))
        except TypeError:  # some cannot be hashed
            return next((i for i, known in enumerate(self._values) if same(known, value)), None)

    @cached_property
    def _positions(self) -> dict[tuple[bool, object], int]:
        """Position of each value, with whether it is a truth value: ``True == 1``, but they are two choices."""
        return {(isinstance(value, bool), value): position for position, value in enumerate(self._values)}


def _kind(decision: Decision, *, objects: bool) -> _Kind:
    if isinstance(decision.choices, Int | Float):
        return _Number(decision.choices)
    return _Category(decision.objects if objects else _labels(decision.choices))


def _labels(choices: Sequence[Choice]) -> Sequence[Choice]:
    """Return the choices, or their texts where Optuna, which compares with ``==``, could not tell them apart (1 and True)."""
    return choices if len(set(choices)) == len(choices) else [repr(choice) for choice in choices]
