"""Architectures as Optuna parameters, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from optuna.distributions import CategoricalDistribution, IntDistribution

from optiproxy.spaces import Architecture, Choice, Space
from optiproxy.spaces.decisions import RangeDecision

if TYPE_CHECKING:
    from optiproxy.spaces import Decision


class Parameters:
    """A space's decisions as parameters of the same names: categorical, or integer where they are ranges.

    Args:
        space: Whose decisions.

    Attributes:
        space: The same.
        distributions: Decision name -> Optuna distribution.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        labels = {decision.name: _labels(decision.choices) for decision in space.decisions}
        self.distributions: dict[str, CategoricalDistribution | IntDistribution] = {
            decision.name: _distribution(decision, labels[decision.name]) for decision in space.decisions
        }
        self._labels = list(labels.values())
        self._positions = {
            name: {label: position for position, label in enumerate(options)} for name, options in labels.items()
        }

    def encode(self, architecture: Architecture) -> dict[str, Choice]:
        """Parameter name -> value, as an Optuna trial holds it."""
        return {name: options[i] for name, options, i in zip(self._positions, self._labels, architecture, strict=True)}

    def decode(self, values: Mapping[str, object]) -> Architecture | None:
        """The inverse of `encode`; other parameters are passed over. None where a decision lacks an admissible value."""
        found: list[int] = []
        for name, positions in self._positions.items():
            value = values.get(name, _ABSENT)
            # Of another type it may not even be hashable: the study may be anybody's.
            if not isinstance(value, str | int | float | None) or value not in positions:
                return None
            found.append(positions[value])
        return tuple(found)


_ABSENT = object()


def _distribution(decision: Decision, labels: tuple[Choice, ...]) -> CategoricalDistribution | IntDistribution:
    # Other samplers make use of the order of numbers, where they are told of it.
    if isinstance(decision, RangeDecision):
        numbers = decision.numbers
        return IntDistribution(numbers[0], numbers[-1], step=numbers.step, log=decision.log)
    return CategoricalDistribution(labels)


def _labels(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """The choices, or their texts where Optuna, which compares with ``==``, could not tell them apart (1 and True)."""
    return tuple(choices) if len(set(choices)) == len(choices) else tuple(map(repr, choices))
