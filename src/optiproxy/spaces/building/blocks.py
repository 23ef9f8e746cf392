"""What a conditional space is put together from: blocks of decisions, and conditions that say where each is there.

A block holds decisions that are taken together, and the nodes of the graph that show them. A condition lists, for some
decisions, the choices that admit a block; decisions that it leaves out do not matter to it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar, final

from optiproxy.spaces.decisions import Architecture, Choice, Decision

if TYPE_CHECKING:
    from torch import Tensor

K = TypeVar("K", bound=Hashable)

Named: TypeAlias = Mapping[str, frozenset[int]]
"""A condition on decisions by their names: name -> positions of the choices that admit. All entries have to hold."""

Condition: TypeAlias = Mapping[int, frozenset[int]]
"""The same on decisions by their positions in `Space.decisions`."""


class Entry(NamedTuple):
    """One node feature that is one choice's weight.

    Attributes:
        node: Number of the node within the block, from 0.
        feature: Entries of equal features, in whatever blocks, share a column of the graph's features.
        decision: Position among the block's decisions.
        choice: Position among its choices.
    """

    node: int
    feature: Hashable
    decision: int
    choice: int


class Block(ABC):
    """Decisions that are taken together, and the ``v`` nodes that show them. Data enters at the first, leaves at the last.

    Attributes:
        decisions: At least one.
        size: ``v``.
        entries: The node features that depend on the decisions.
        marks: ``(node, feature)`` that are always 1.
    """

    decisions: tuple[Decision, ...]
    size: int
    entries: tuple[Entry, ...]
    marks: tuple[tuple[int, Hashable], ...] = ()

    @abstractmethod
    def wire(self, weights: Tensor) -> Tensor:
        """Return ``(b, v, v)`` edges within the block, zero unless i < j, for ``(b, d, c)`` weights of its own decisions."""

    def canonical(self, row: Architecture) -> Architecture:
        """Return the representative of all rows of the block's decisions that mean the same; see `Space.canonical`."""
        return row


@final
class OneDecision(Block):
    """One decision as one node, whose features are its choices, or its place on a scale. No two decisions share one."""

    size = 1

    def __init__(self, decision: Decision) -> None:
        self.decisions = (decision,)
        # The name is part of the feature: "3" means something else for a kernel than for a depth.
        self.entries = tuple(Entry(0, (decision.name, choice), 0, choice) for choice in range(decision.columns))
        # A number at the low end of its scale is there all the same.
        self.marks = () if decision.point is None else ((0, (decision.name, "number")),)

    def wire(self, weights: Tensor) -> Tensor:
        # A node has no edge to itself; the chain links it with its neighbors.
        return weights.new_zeros(len(weights), 1, 1)


@final
class Layer(Block):
    """The decisions on one layer as one node. Layers of one kind share their features, and a mark tells them apart.

    What a choice does in one layer it does in the others as well, more or less: what is learned of one holds for all.

    Args:
        kind: Layers of equal kinds share features.
        name: Of this layer, in front of the names of its decisions.
        choices: What is decided of each layer of the kind -> its choices.
    """

    size = 1

    def __init__(self, kind: str, name: str, choices: Mapping[str, Sequence[Choice]]) -> None:
        self.decisions = tuple(Decision(f"{name}_{what}", options) for what, options in choices.items())
        self.entries = tuple(
            Entry(0, (kind, what, choice), d, choice)
            for d, (what, decision) in enumerate(zip(choices, self.decisions, strict=True))
            for choice in range(decision.columns)
        )
        self.marks = ((0, (kind, name)),)

    def wire(self, weights: Tensor) -> Tensor:
        return weights.new_zeros(len(weights), 1, 1)


@dataclass(frozen=True)
class Place:
    """Where a block is used; it may be used in several places.

    Attributes:
        block: What is decided there.
        when: The place is reached where this holds; empty for always.
    """

    block: Block
    when: Named = field(default_factory=dict[str, frozenset[int]])


def holds(condition: Condition, architecture: Sequence[int]) -> bool:
    """Return whether an architecture keeps a condition."""
    return all(architecture[decision] in choices for decision, choices in condition.items())


def both(a: Mapping[K, frozenset[int]], b: Mapping[K, frozenset[int]]) -> dict[K, frozenset[int]] | None:
    """Return the condition that both hold; None where no architecture can keep both."""
    # On decisions that both speak of, what both admit; on the others, what the one that does admits.
    met = {**a, **{decision: choices & a.get(decision, choices) for decision, choices in b.items()}}
    # A decision of which no choice is left makes the whole condition impossible.
    return met if all(met.values()) else None


def follows(condition: Condition, known: Condition) -> bool:
    """Return whether a condition holds wherever another is known to hold."""
    # Conditions are boxes, and a box lies within another where it does so in every decision.
    return all(decision in known and known[decision] <= choices for decision, choices in condition.items())
