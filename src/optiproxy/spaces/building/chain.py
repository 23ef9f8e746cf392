"""The graph of a conditional space: blocks in a row, of which data passes by those that are not there.

Which blocks may follow each other, and under which conditions, is found once per space (`links`). After that a relaxed
graph is a few gathers and products of weights (`Chain.encode`), whatever the number of decisions.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from optiproxy.graph import GraphBatch
from optiproxy.spaces.building.blocks import Block, Condition, both, follows

if TYPE_CHECKING:
    from torch import Tensor


class Part(NamedTuple):
    """A block in the chain.

    Attributes:
        block: What is decided.
        positions: Where the block's decisions stand in `Space.decisions`.
        when: The part is there where this holds.
    """

    block: Block
    positions: list[int]
    when: Condition


@dataclass(frozen=True)
class Link:
    """Data flows straight from one part to another: both are there, and nothing between.

    Attributes:
        source: Position of a part.
        target: Position of a later one.
        when: Has to hold.
        unless: None of these may hold.
    """

    source: int
    target: int
    when: Condition
    unless: tuple[Condition, ...] = ()


def links(parts: Sequence[Condition], counts: Sequence[int]) -> list[Link]:
    """Return every way in which data may flow through parts that stand in a row, each there under its own condition.

    Args:
        parts: The condition of each; the first and the last are always there.
        counts: ``(d,)`` columns of each decision.
    """
    found: list[Link] = []
    for target in range(1, len(parts)):
        # From the nearest one back, so that the search can stop at a part that nothing passes by.
        for source in reversed(range(target)):
            link = _link(parts, source, target, counts)
            if link is not None:
                found.append(link)
            if follows(parts[source], parts[target]):
                break  # nothing before can pass by a part that is there whenever the target is
    return found


def _link(parts: Sequence[Condition], source: int, target: int, counts: Sequence[int]) -> Link | None:
    met = both(parts[source], parts[target])
    between = list(parts[source + 1 : target])
    # Each narrowing may settle further parts between, so it is repeated until nothing changes.
    while met is not None:
        narrowed: dict[int, frozenset[int]] = dict(met)
        unless: list[Condition] = []
        for part in between:
            joint = both(met, part)
            if joint is None:
                continue  # never there together with source and target
            left = {decision: joint[decision] for decision in part if joint[decision] != met.get(decision)}
            left = {decision: choices for decision, choices in left.items() if len(choices) < counts[decision]}
            if not left:
                return None  # always there, so that data never passes it by
            if len(left) > 1:
                unless.append(left)
                continue
            # Exactly one decision keeps this part away, so the link asks that decision for another choice.
            ((decision, choices),) = left.items()
            narrowed[decision] = narrowed.get(decision, frozenset(range(counts[decision]))) - choices
        if not all(narrowed.values()):
            return None
        if narrowed == met:
            return Link(source, target, met, tuple(unless))
        met = narrowed
    return None


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Index tensors that turn the encoding into gathers and products.

    A condition on one decision is a term: the probability of the choices that it admits. Decisions are taken
    independently of each other, so that the probability of a condition is the product of its terms. Term 0 is 1 and
    fills up rows of different lengths.

    Attributes:
        parts: The blocks in order; input and output stand before and behind them.
        nodes: ``v``.
        features: ``f``.
        first: First node of each part.
        terms: ``(d c, t)``: which weights each term adds up.
        places: ``(p, k)``, the at most ``k`` terms of input, parts and output.
        entries: ``(5, n)`` node, column, decision, choice and place of each feature that depends on a decision.
        marks: ``(3, n)`` node, column and place of those that do not.
        unless: ``(u, k)`` terms of each condition that must not hold.
        sources: ``(l,)`` node of each link.
        targets: ``(l,)`` node of each link.
        links: ``(l, k)`` terms of each link; those beyond ``t`` mean entries of ``unless``.
    """

    parts: Sequence[Part]
    nodes: int
    features: int
    first: list[int]
    terms: Tensor
    places: Tensor
    entries: Tensor
    marks: Tensor
    unless: Tensor
    sources: Tensor
    targets: Tensor
    links: Tensor

    @classmethod
    def of(cls, parts: Sequence[Part], counts: Sequence[int]) -> Chain:
        """Prepare the encoding.

        Args:
            parts: The blocks in the order in which data meets them.
            counts: ``(d,)`` columns of each decision.
        """
        import torch

        widest = max(counts)
        # Input and output are there without condition.
        conditions: list[Condition] = [{}, *(part.when for part in parts), {}]
        found = links(conditions, counts)
        terms: dict[tuple[int, frozenset[int]], int] = {}

        def terms_of(condition: Condition) -> list[int]:
            return [terms.setdefault(term, len(terms) + 1) for term in condition.items()]

        places = [terms_of(condition) for condition in conditions]
        wanted = [terms_of(link.when) for link in found]
        unless = [terms_of(condition) for link in found for condition in link.unless]
        # With it a single product of matrices gives all terms of all graphs.
        sums = torch.zeros(len(counts) * widest, len(terms))
        for (decision, choices), column in terms.items():
            for choice in choices:
                sums[decision * widest + choice, column - 1] = 1.0
        # `encode` appends the factors of what must not hold behind the terms, and there a link finds them.
        denied = iter(range(len(terms) + 1, len(terms) + 1 + len(unless)))
        factors = [[*row, *(next(denied) for _ in link.unless)] for row, link in zip(wanted, found, strict=True)]

        columns: dict[Hashable, int] = {}
        sizes = [part.block.size for part in parts]
        first = [1 + sum(sizes[:k]) for k in range(len(sizes))]
        nodes = 2 + sum(sizes)
        entries: list[tuple[int, ...]] = []
        marks: list[tuple[int, ...]] = []
        for k, (part, start) in enumerate(zip(parts, first, strict=True), start=1):
            for node, feature, decision, choice in part.block.entries:
                # Equal features share a column, in whichever blocks they stand.
                column = columns.setdefault(feature, len(columns))
                entries.append((start + node, column, part.positions[decision], choice, k))
            marks += [(start + node, columns.setdefault(mark, len(columns)), k) for node, mark in part.block.marks]
        # Input and output have a column each, behind those of the blocks.
        marks += [(0, len(columns), 0), (nodes - 1, len(columns) + 1, len(conditions) - 1)]
        # Data enters a block at its first node and leaves it at its last.
        enter = [0, *first, nodes - 1]
        leave = [0, *(start + size - 1 for start, size in zip(first, sizes, strict=True)), nodes - 1]
        return cls(
            parts=parts,
            nodes=nodes,
            features=len(columns) + 2,
            first=first,
            terms=sums,
            places=_padded(places),
            entries=torch.tensor(entries).T,
            marks=torch.tensor(marks).T,
            unless=_padded(unless),
            sources=torch.tensor([leave[link.source] for link in found]),
            targets=torch.tensor([enter[link.target] for link in found]),
            links=_padded(factors),
        )

    def encode(self, weights: Tensor) -> GraphBatch:
        """Map ``(b, d, c)`` weights to ``b`` graphs of input, blocks and output.

        What is not there has neither features nor edges.
        """
        import torch

        b, v = len(weights), self.nodes
        terms, reached = self._reached(weights)

        operations = weights.new_zeros(b, v, self.features)
        nodes, columns, decisions, choices, places = self.entries.unbind()
        operations[:, nodes, columns] = weights[:, decisions, choices] * reached[:, places]
        nodes, columns, places = self.marks.unbind()
        operations[:, nodes, columns] = reached[:, places]

        factors = torch.cat([terms, 1.0 - terms[:, self.unless].prod(-1)], 1)
        adjacency = weights.new_zeros(b, v, v)
        adjacency[:, self.sources, self.targets] = factors[:, self.links].prod(-1)
        for k, (part, first) in enumerate(zip(self.parts, self.first, strict=True), start=1):
            if part.block.size > 1:
                inside = slice(first, first + part.block.size)
                # What is reached in part has its inner edges in part, like its features.
                adjacency[:, inside, inside] = part.block.wire(weights[:, part.positions]) * reached[:, k, None, None]
        return GraphBatch(operations, adjacency, inputs=(0,), outputs=(v - 1,))

    def activity(self, weights: Tensor) -> Tensor:
        """Map ``(b, d, c)`` weights to ``(b, d)``: how much of each decision is reached, wherever that is."""
        _, reached = self._reached(weights)
        active = weights.new_zeros(weights.shape[:2])
        for k, part in enumerate(self.parts, start=1):
            active[:, part.positions] = active[:, part.positions] + reached[:, k, None]
        return active.clamp(max=1.0)

    def _reached(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return the terms ``(b, 1 + t)``, and how much input, parts and output are there ``(b, p)``."""
        import torch

        terms = torch.cat([weights.new_ones(len(weights), 1), weights.flatten(1) @ self.terms.to(weights)], 1)
        # Independent decisions: the probability of a condition is the product of those of its terms.
        return terms, terms[:, self.places].prod(-1)


def _padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """Make rows equally long: shorter ones are padded with term 0, which is always 1."""
    import torch

    width = max((len(row) for row in rows), default=0)
    padded = [[*row, *(0,) * (width - len(row))] for row in rows]
    return torch.tensor(padded, dtype=torch.long).reshape(len(rows), width)
