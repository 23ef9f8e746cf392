"""Architectures as Optuna parameters, and a space from the parameters of a define-by-run objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from optiproxy.spaces import Architecture, Choice, FlatSpace, Space

MOST_CHOICES = 64
"""An integer range with more values is no categorical decision; it is left to independent sampling."""


class Parameters:
    """A space's decisions as categorical parameters of the same names.

    Args:
        space: Whose decisions.

    Attributes:
        space: The same.
        distributions: Decision name -> Optuna distribution.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        labels = {decision.name: _labels(decision.choices) for decision in space.decisions}
        self.distributions: dict[str, CategoricalDistribution] = {
            name: CategoricalDistribution(options) for name, options in labels.items()
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
            if not isinstance(value, str | int | float | None) or value not in positions:
                return None
            found.append(positions[value])
        return tuple(found)


_ABSENT = object()


def _labels(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """The choices, or their texts where Optuna, which compares with ``==``, could not tell them apart (1 and True)."""
    return tuple(choices) if len(set(choices)) == len(choices) else tuple(map(repr, choices))


def enumerable(distributions: Mapping[str, BaseDistribution]) -> dict[str, BaseDistribution]:
    """Those that are categorical decisions in effect: categories, and integer ranges with few values."""
    return {name: distribution for name, distribution in distributions.items() if choices_of(distribution)}


def choices_of(distribution: BaseDistribution) -> list[Choice]:
    """Every value of a distribution, each once; empty where they are too many or cannot be stored."""
    if isinstance(distribution, IntDistribution):
        values = range(distribution.low, distribution.high + 1, distribution.step)
        return list(values) if len(values) <= MOST_CHOICES else []
    if isinstance(distribution, CategoricalDistribution):
        choices = list[object](distribution.choices)  # Optuna admits any object, with a warning
        storable = [choice for choice in choices if isinstance(choice, str | int | float | None)]
        return list(dict.fromkeys(storable)) if len(storable) == len(choices) else []
    return []


def inferred_space(distributions: Mapping[str, BaseDistribution]) -> FlatSpace:
    """The space of `enumerable` distributions, one decision each.

    Raises:
        UsageError: If there are none.
    """
    return FlatSpace({name: choices_of(distribution) for name, distribution in distributions.items()}, name="inferred")
