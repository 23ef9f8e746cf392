"""How recurrent cells relate to each other: which are the same network (`canonical_cell`), and which are near (`edits`).

The canonical form is exact, by refinement and individualization (McKay and Piperno 2014, arXiv 1301.1493): values are told
apart by what they are, what they read and what reads them; where that leaves several alike, each of them is tried as the
first. An edit is what a mutation is in a space where most combinations of choices would be malformed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from optiproxy.errors import UsageError
from optiproxy.spaces.published.recurrent_cell import (
    ARITIES,
    FIRST_NODE,
    INPUT,
    MAX_STATES,
    POSITIONAL,
    Node,
    RecurrentCell,
    assemble,
)

_KINDS = {operation: n for n, operation in enumerate(ARITIES)}

_BECOMES = -1
"""The role of a node in the hidden state whose new value it is; inputs of a node have the role of their position."""

_Colors = dict[int, int]
"""Value -> rank of its color; values of one color have not been told apart yet."""


def canonical_cell(cell: RecurrentCell) -> RecurrentCell:
    """Return the representative of all cells that differ only in the order of nodes, commutative inputs or hidden states.

    State 0 stays the first, because it is the output. Nodes are ordered by depth, so that each still reads earlier ones.
    """
    # What can never be exchanged differs from the start: input, output state, other states, and nodes by depth and
    # operation.
    keys: dict[int, tuple[int, ...]] = {INPUT: (0,), 1: (1,)}
    keys |= dict.fromkeys(range(2, 1 + len(cell.hidden)), (2,))
    for i, node in enumerate(cell.nodes):
        keys[FIRST_NODE + i] = (3, cell.depths[FIRST_NODE + i], _KINDS[node.operation])
    links = _Links.of(cell)
    return _least(cell, links, links.refine(_ranked(keys)))


@dataclass(frozen=True)
class _Links:
    """``(role, other value)`` of each value, seen from both sides; a previous state is linked to its new value, too."""

    sources: dict[int, list[tuple[int, int]]]
    targets: dict[int, list[tuple[int, int]]]

    @classmethod
    def of(cls, cell: RecurrentCell) -> _Links:
        values = [INPUT, *range(1, 1 + len(cell.hidden)), *range(FIRST_NODE, FIRST_NODE + len(cell.nodes))]
        links = cls({v: [] for v in values}, {v: [] for v in values})
        for i, node in enumerate(cell.nodes):
            for position, j in enumerate(node.inputs):
                # Inputs of a commutative operation all have the same role, so that their order tells nothing.
                links.add(position if node.operation in POSITIONAL else 0, source=j, target=FIRST_NODE + i)
        for k, j in enumerate(cell.hidden):
            links.add(_BECOMES, source=j, target=1 + k)
        return links

    def add(self, role: int, *, source: int, target: int) -> None:
        self.sources[target].append((role, source))
        self.targets[source].append((role, target))

    def refine(self, colors: _Colors) -> _Colors:
        """Tell values apart by the colors around them until that tells no more apart; the order of ranks is kept."""
        while True:
            finer = _ranked(
                {
                    v: (
                        color,
                        # Multisets of colors, which no numbering of the values can influence.
                        tuple(sorted([(role, colors[j]) for role, j in self.sources[v]])),
                        tuple(sorted([(role, colors[j]) for role, j in self.targets[v]])),
                    )
                    for v, color in colors.items()
                }
            )
            # Refining only ever splits colors, so as many as before are the same ones.
            if max(finer.values()) == max(colors.values()):
                return finer
            colors = finer

    def choices(self, colors: _Colors) -> Iterator[_Colors]:
        """Individualize each value of the first color that several share; yields nothing where all are told apart."""
        shared: dict[int, list[int]] = {}
        for v, color in colors.items():
            shared.setdefault(color, []).append(v)
        # The least color that is shared: a choice that is the same for all numberings of the cell.
        tied = next((shared[color] for color in sorted(shared) if len(shared[color]) > 1), [])
        for first in tied:
            yield self.refine(_ranked({v: (color, v != first) for v, color in colors.items()}))


def _least(cell: RecurrentCell, links: _Links, colors: _Colors) -> RecurrentCell:
    """Return the least renumbered cell among all ways to break the ties that are left.

    Where the quickest ways to break them all give equal cells for two choices, a symmetry of the cell exchanges the two,
    and only one is followed further: without that, n equal branches would be tried in all n! orders.
    """
    if len(set(colors.values())) == len(colors):
        return _renumbered(cell, colors)
    quickest: dict[RecurrentCell, _Colors] = {}
    for choice in links.choices(colors):
        leaf = choice
        # The quickest way takes the first of each tie.
        while (deeper := next(links.choices(leaf), None)) is not None:
            leaf = deeper
        quickest.setdefault(_renumbered(cell, leaf), choice)
    return min(_least(cell, links, choice) for choice in quickest.values())


def _renumbered(cell: RecurrentCell, colors: _Colors) -> RecurrentCell:
    order = sorted(colors, key=colors.__getitem__)
    states = [v for v in order if INPUT < v < FIRST_NODE]
    nodes = [v for v in order if v >= FIRST_NODE]
    numbers = {
        INPUT: INPUT,
        **{v: 1 + n for n, v in enumerate(states)},
        **{v: FIRST_NODE + n for n, v in enumerate(nodes)},
    }
    renamed: list[Node] = []
    for v in nodes:
        node = cell.nodes[v - FIRST_NODE]
        inputs = [numbers[j] for j in node.inputs]
        # Commutative inputs are put in order, positional ones stay.
        renamed.append(Node(node.operation, tuple(inputs if node.operation in POSITIONAL else sorted(inputs))))
    return RecurrentCell(tuple(renamed), tuple(numbers[cell.hidden[v - 1]] for v in states))


def _ranked(keys: Mapping[int, tuple[Any, ...]]) -> _Colors:
    ranks = {key: n for n, key in enumerate(sorted(set(keys.values())))}
    return {v: ranks[key] for v, key in keys.items()}


Nodes = dict[int, Node]


def edits(cell: RecurrentCell) -> Iterator[RecurrentCell]:
    """Yield every valid cell that differs by one edit, the smallest edits first; some may be isomorphic to each other.

    An edit gives a node another operation, with one input more or fewer where it needs them, or the same one with its
    inputs in another order; reads another value; makes another node a new state; inserts or removes a node; or adds,
    removes or exchanges a hidden state. Between them they lead from any cell to any other.
    """
    nodes = {FIRST_NODE + i: node for i, node in enumerate(cell.nodes)}
    hidden = list(cell.hidden)
    for changed, states in _candidates(nodes, hidden):
        # The rules are the cell's to know: what breaks one is no cell, and so no edit.
        with suppress(UsageError):
            yield assemble(changed, states)


def _candidates(nodes: Nodes, hidden: Sequence[int]) -> Iterator[tuple[Nodes, Sequence[int]]]:
    values = [INPUT, *range(1, 1 + len(hidden)), *nodes]
    for i, node in nodes.items():
        for changed in _other_operations(node, values):
            yield {**nodes, i: changed}, hidden
    for i, node in nodes.items():
        for p in range(len(node.inputs)):
            for j in values:
                if j not in node.inputs and j != i:
                    yield {**nodes, i: _reading(node, p, j)}, hidden
    for k in range(len(hidden)):
        yield from ((nodes, [*hidden[:k], j, *hidden[k + 1 :]]) for j in nodes if j not in hidden)
    yield from _insertions(nodes, hidden)
    yield from _removals(nodes, hidden)
    yield from _other_states(nodes, hidden)


def _other_operations(node: Node, values: Sequence[int]) -> Iterator[Node]:
    for operation, arities in ARITIES.items():
        for more in (n - len(node.inputs) for n in arities):
            if more == 0 and operation in POSITIONAL:
                yield from (Node(operation, inputs) for inputs in permutations(node.inputs))
            elif more == 0:
                yield Node(operation, node.inputs)
            elif more == 1:
                yield from (Node(operation, (*node.inputs, j)) for j in values if j not in node.inputs)
            elif more == -1:
                yield from (Node(operation, node.inputs[:p] + node.inputs[p + 1 :]) for p in range(len(node.inputs)))


def _insertions(nodes: Nodes, hidden: Sequence[int]) -> Iterator[tuple[Nodes, Sequence[int]]]:
    """Insert a node with one input after any node; what read that one reads the new one."""
    # Any number that is free; `assemble` finds the place of the node.
    new = max(nodes) + 1
    for i in nodes:
        renamed, states = _renamed(nodes, hidden, {i: new})
        for operation, arities in ARITIES.items():
            if 1 in arities:
                yield {**renamed, new: Node(operation, (i,))}, states


def _removals(nodes: Nodes, hidden: Sequence[int]) -> Iterator[tuple[Nodes, Sequence[int]]]:
    """Remove a node; what read it reads one of its inputs."""
    for i, node in nodes.items():
        for j in node.inputs:
            yield _renamed(nodes, hidden, {i: j})


def _other_states(nodes: Nodes, hidden: Sequence[int]) -> Iterator[tuple[Nodes, Sequence[int]]]:
    count = len(hidden)
    for k in range(1, count):
        # Only exchanges with state 0, the output, make another cell: the other states have no order.
        yield nodes, [hidden[k], *hidden[1:k], hidden[0], *hidden[k + 1 :]]
    for k in range(count if count > 1 else 0):
        # Whatever read the state that goes reads the first that stays.
        numbers = {1 + n: n if n > k else 1 + n for n in range(count)} | {1 + k: 1}
        yield _renamed(nodes, [*hidden[:k], *hidden[k + 1 :]], numbers)
    # A new state has to be read, so it takes the place of another state somewhere.
    if count < MAX_STATES:
        readings = [(i, p) for i, node in nodes.items() for p, j in enumerate(node.inputs) if INPUT < j < FIRST_NODE]
        for i, p in readings:
            read = {**nodes, i: _reading(nodes[i], p, 1 + count)}
            yield from ((read, [*hidden, j]) for j in nodes if j not in hidden)


def _reading(node: Node, position: int, value: int) -> Node:
    return Node(node.operation, (*node.inputs[:position], value, *node.inputs[position + 1 :]))


def _renamed(nodes: Nodes, hidden: Sequence[int], numbers: dict[int, int]) -> tuple[Nodes, Sequence[int]]:
    """Return the same nodes and states, reading other values."""
    read = {i: Node(node.operation, tuple(numbers.get(j, j) for j in node.inputs)) for i, node in nodes.items()}
    return read, [numbers.get(j, j) for j in hidden]
