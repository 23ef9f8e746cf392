"""Decisions of which some matter only where others have been taken in a certain way."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from optiproxy.errors import UsageError
from optiproxy.graph import GraphBatch
from optiproxy.spaces.building.blocks import Block
from optiproxy.spaces.building.conditions import When, follows, holds, links
from optiproxy.spaces.decisions import Architecture, Decision
from optiproxy.spaces.space import Space

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Place:
    """Where a block is used; it may be used in several places.

    Attributes:
        block: What is decided there.
        when: Decision name -> the positions of the choices that admit this place; it is reached where all of them do.
    """

    block: Block
    when: Mapping[str, frozenset[int]] = field(default_factory=dict[str, frozenset[int]])


class ConditionalSpace(Space):
    """Blocks in the order in which data meets them, some of them reached under conditions only.

    A decision that is reached nowhere is 0 in the canonical form: no two architectures differ in what does not matter.
    The graph is a chain of the blocks that are reached; what is not has no features and no edges, and data passes it by.

    Args:
        places: In order. A place whose block has been met already, wherever it is reached, adds nothing to the graph.
        name: Part of the study's identity.

    Raises:
        UsageError: If there is no decision, one name stands for two different decisions, or a condition speaks of a
            decision that there is not.
    """

    def __init__(self, places: Sequence[Place], *, name: str) -> None:
        self.name = name
        self.decisions = _decisions(places)
        positions = {decision.name: i for i, decision in enumerate(self.decisions)}
        self._blocks: list[tuple[Block, list[int], When]] = []
        for place in places:
            of_block = [positions[decision.name] for decision in place.block.decisions]
            when = self._condition(place.when, positions)
            if not any(known == of_block and follows(before, when) for _, known, before in self._blocks):
                self._blocks.append((place.block, of_block, when))

    def active(self, architecture: Architecture) -> frozenset[int]:
        """Positions of the decisions that matter."""
        return frozenset(d for _, of_block, when in self._blocks if holds(when, architecture) for d in of_block)

    def build(self, architecture: Architecture, *, seed: int = 0) -> Any:  # noqa: ANN401, ARG002 - as in `Space`
        """The values of the decisions that matter."""
        active = self.active(architecture)
        return {d.name: d.choices[architecture[i]] for i, d in enumerate(self.decisions) if i in active}

    def canonical(self, architecture: Architecture) -> Architecture:
        while True:
            active = self.active(architecture)
            reset = tuple(choice if d in active else 0 for d, choice in enumerate(architecture))
            if reset == architecture:
                break
            architecture = reset  # what a decision that does not matter seemed to ask for may not matter either
        row = list(architecture)
        for block, of_block, _ in self._blocks:
            for d, choice in zip(of_block, block.canonical(tuple(row[d] for d in of_block)), strict=True):
                row[d] = choice
        return tuple(row)

    def encode(self, weights: Tensor) -> GraphBatch:
        import torch

        plan = self._plan
        b, v = len(weights), plan.nodes
        always = weights.new_ones(b, 1)
        chances = torch.cat([always, weights.flatten(1) @ plan.terms.to(weights)], 1)
        reached = chances[:, plan.places].prod(-1)

        operations = weights.new_zeros(b, v, plan.features)
        nodes, columns, decisions, choices, places = plan.entries.unbind()
        operations[:, nodes, columns] = weights[:, decisions, choices] * reached[:, places]
        nodes, columns, places = plan.marks.unbind()
        operations[:, nodes, columns] = reached[:, places]

        factors = torch.cat([chances, 1.0 - chances[:, plan.unless].prod(-1)], 1)
        adjacency = weights.new_zeros(b, v, v)
        adjacency[:, plan.sources, plan.targets] = factors[:, plan.links].prod(-1)
        for (block, of_block, _), first, k in zip(self._blocks, plan.first, range(1, v), strict=False):
            if block.size > 1:
                inside = slice(first, first + block.size)
                adjacency[:, inside, inside] = block.wire(weights[:, of_block]) * reached[:, k, None, None]
        return GraphBatch(operations, adjacency, inputs=(0,), outputs=(v - 1,))

    def _condition(self, when: Mapping[str, frozenset[int]], positions: Mapping[str, int]) -> When:
        for name in when:
            if name not in positions:
                raise UsageError(f"A condition speaks of the decision {name!r}, which is not part of the space.")
        named = {positions[name]: choices for name, choices in when.items()}
        return {d: choices for d, choices in named.items() if len(choices) < len(self.decisions[d].choices)}

    @cached_property
    def _plan(self) -> _Plan:
        return _plan(self._blocks, [len(decision.choices) for decision in self.decisions], self.widest)


class _Plan(NamedTuple):
    """Index tensors that turn `ConditionalSpace.encode` into a few gathers and products.

    A condition on one decision is a term: the chance of the choices that it admits. Column 0 of all chances is 1.

    Attributes:
        nodes: ``v``.
        features: ``f``.
        first: First node of each block.
        terms: ``(d c, t)``: which weights each term adds up.
        places: ``(p, k)`` terms of each place: input, blocks, output.
        entries: ``(5, n)`` node, column, decision, choice and place of each feature that depends on a decision.
        marks: ``(3, n)`` node, column and place of those that do not.
        unless: ``(u, k)`` terms of each condition that must not hold.
        sources: ``(l,)`` node of each link.
        targets: ``(l,)`` node of each link.
        links: ``(l, k)`` terms of each link; those beyond ``t`` mean entries of ``unless``.
    """

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


def _plan(blocks: Sequence[tuple[Block, list[int], When]], counts: Sequence[int], widest: int) -> _Plan:
    import torch

    parts: list[When] = [{}, *(when for _, _, when in blocks), {}]
    found = links(parts, counts)
    terms: dict[tuple[int, frozenset[int]], int] = {}

    def terms_of(when: When) -> list[int]:
        return [terms.setdefault(term, len(terms) + 1) for term in when.items()]

    places = [terms_of(part) for part in parts]
    wanted = [terms_of(link.when) for link in found]
    unless = [terms_of(when) for link in found for when in link.unless]
    sums = torch.zeros(len(counts) * widest, len(terms))
    for (decision, choices), column in terms.items():
        for choice in choices:
            sums[decision * widest + choice, column - 1] = 1.0
    denied = iter(range(len(terms) + 1, len(terms) + 1 + len(unless)))
    factors = [[*terms, *(next(denied) for _ in link.unless)] for terms, link in zip(wanted, found, strict=True)]

    columns: dict[Hashable, int] = {}
    sizes = [block.size for block, _, _ in blocks]
    first = [1 + sum(sizes[:k]) for k in range(len(sizes))]
    nodes = 2 + sum(sizes)
    entries: list[tuple[int, ...]] = []
    marks: list[tuple[int, ...]] = []
    for k, ((block, of_block, _), start) in enumerate(zip(blocks, first, strict=True), start=1):
        for node, feature, decision, choice in block.entries:
            column = columns.setdefault(feature, len(columns))
            entries.append((start + node, column, of_block[decision], choice, k))
        marks += [(start + node, columns.setdefault(feature, len(columns)), k) for node, feature in block.marks]
    marks += [(0, len(columns), 0), (nodes - 1, len(columns) + 1, len(parts) - 1)]
    entry = [0, *first, nodes - 1]
    leave = [0, *(start + size - 1 for start, size in zip(first, sizes, strict=True)), nodes - 1]
    return _Plan(
        nodes=nodes,
        features=len(columns) + 2,
        first=first,
        terms=sums,
        places=_padded(places),
        entries=torch.tensor(entries).T,
        marks=torch.tensor(marks).T,
        unless=_padded(unless),
        sources=torch.tensor([leave[link.source] for link in found]),
        targets=torch.tensor([entry[link.target] for link in found]),
        links=_padded(factors),
    )


def _padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """Rows of equal length: padded with term 0, which is always 1."""
    import torch

    width = max((len(row) for row in rows), default=0)
    padded = [[*row, *(0,) * (width - len(row))] for row in rows]
    return torch.tensor(padded, dtype=torch.long).reshape(len(rows), width)


def _decisions(places: Sequence[Place]) -> tuple[Decision, ...]:
    """Every decision once, in the order in which it is met."""
    found: dict[str, Decision] = {}
    for decision in (decision for place in places for decision in place.block.decisions):
        known = found.setdefault(decision.name, decision)
        if known != decision or list(map(type, known.choices)) != list(map(type, decision.choices)):
            raise UsageError(
                f"Two decisions are named {decision.name!r}, one with the choices {list(known.choices)} and one with "
                f"{list(decision.choices)}. Give them different names, or the same choices to decide both at once."
            )
    if not found:
        raise UsageError("A search space needs at least one decision, got none.")
    return tuple(found.values())
