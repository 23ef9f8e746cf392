"""What a decision is taken among, where that has an order: the contract, and categories in a row.

A scale is the sequence of its values, from the lowest to the highest, so that a position means the same for all decisions. Those
of numbers are in `optiproxy.spaces.ranges`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final, overload

from optiproxy.spaces.choices import labelled, same

if TYPE_CHECKING:
    import numpy as np

FEW = 64
"""An order of at most so many values is relaxed to a probability of each; longer ones to a point on their scale."""


class Scale(Sequence[Any]):
    """Values in an order, and where each lies on a scale from 0 to 1."""

    @abstractmethod
    def unit(self, position: int) -> float:
        """Return the place of a value on the scale, from 0 for the first one to 1 for the last."""

    @final
    def units(self, positions: Sequence[int]) -> list[float]:
        """Return the places of many values, among which some may be equal."""
        known = {position: self.unit(position) for position in set(positions)}
        return [known[position] for position in positions]

    @final
    def at(self, unit: float) -> int:
        """Return the position of the value that is nearest to a place on the scale; the inverse of `unit`.

        Equal steps have equal shares of the scale instead. Beyond the ends are the first and the last value.
        """
        if unit <= 0:
            return 0
        return len(self) - 1 if unit >= 1 else self._at(unit)

    @abstractmethod
    def position(self, value: object) -> int:
        """Return where a value stands. A float that has more digits stands where it is rounded to.

        Raises:
            ValueError: If it is none of the values.
        """

    @property
    def objects(self) -> Sequence[Any]:
        """What users' functions are given for each value: the values themselves, but for labels what they stand for."""
        return self

    @property
    @abstractmethod
    def signature(self) -> list[str]:
        """Texts that tell this from every other set of choices; studies on disk hold their digest."""

    @abstractmethod
    def _at(self, unit: float) -> int:
        """Return what `at` does for a place between the ends."""

    @abstractmethod
    def _value(self, position: int) -> Any:  # noqa: ANN401 - what the values are
        """Return the value at a position from 0 on."""

    @final
    def draw(self, rng: np.random.Generator, n: int) -> list[int]:
        """Draw ``n`` positions, uniformly on the scale."""
        return [self._share(unit) for unit in rng.random(n).tolist()]

    def _share(self, unit: float) -> int:
        """Return the position that has a place in its share, where all have one; mostly the nearest."""
        return self.at(unit)

    @overload
    def __getitem__(self, index: int) -> Any: ...  # noqa: ANN401 - anything
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return tuple(self._value(i) for i in range(*index.indices(len(self))))
        if not -len(self) <= index < len(self):
            raise IndexError(f"Expected a position below {len(self)}, got {index}.")
        return self._value(index % len(self))

    def __iter__(self) -> Iterator[Any]:
        return (self._value(i) for i in range(len(self)))

    def __contains__(self, value: object) -> bool:
        try:
            self.position(value)
        except ValueError:
            return False
        return True


@final
@dataclass(frozen=True, repr=False)
class Ordered(Scale):
    """Any values in a meaningful order, such as small, medium, large; neighbours lie equally far apart.

    Args:
        values: Lowest first; of what is no text or number the labels are kept here (`optiproxy.spaces.choices`).

    Raises:
        UsageError: If there is none, or one twice.
    """

    values: tuple[Any, ...]
    _objects: tuple[Any, ...] = field(compare=False)

    def __init__(self, values: Iterable[Any]) -> None:
        labels, objects = labelled(values, "An Ordered")
        object.__setattr__(self, "values", labels)
        object.__setattr__(self, "_objects", objects)

    @property
    def objects(self) -> Sequence[Any]:
        return self._objects

    def __len__(self) -> int:
        return len(self.values)

    def _value(self, position: int) -> Any:  # noqa: ANN401 - anything
        return self.values[position]

    def unit(self, position: int) -> float:
        return position / max(len(self) - 1, 1)

    def _at(self, unit: float) -> int:
        return int(unit * len(self))

    def position(self, value: object) -> int:
        for position, known in enumerate(self.values):
            if same(known, value):
                return position
        raise ValueError(f"{value!r} is none of them")

    @property
    def signature(self) -> list[str]:
        # That of the plain list: whether its order is known makes no other architectures of it.
        return list(map(repr, self.values))

    def __repr__(self) -> str:
        return f"Ordered({list(self.values)})"
