"""Blocks: what a conditional space is put together from. Each holds decisions and a piece of the graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import TYPE_CHECKING, NamedTuple, final

from optiproxy.spaces.decisions import Architecture, Decision

if TYPE_CHECKING:
    from torch import Tensor


class Entry(NamedTuple):
    """One node feature that is one choice's weight.

    Attributes:
        node: Of the block, from 0.
        feature: Entries of equal features, in whatever blocks, share a column.
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
        """Edges within the block: weights ``(b, d, c)`` of its own decisions -> ``(b, v, v)``, zero unless i < j."""

    def canonical(self, row: Architecture) -> Architecture:
        """As `Space.canonical`, for the block's own decisions."""
        return row


@final
class OneDecision(Block):
    """One decision as one node, whose features are its choices. No two decisions share a feature."""

    size = 1

    def __init__(self, decision: Decision) -> None:
        self.decisions = (decision,)
        self.entries = tuple(Entry(0, (decision.name, choice), 0, choice) for choice in range(len(decision.choices)))

    def wire(self, weights: Tensor) -> Tensor:
        return weights.new_zeros(len(weights), 1, 1)
