"""Small changes of recurrent cells: what a mutation is in a space where most combinations of choices would be malformed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import permutations

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

Nodes = dict[int, Node]


def edits(cell: RecurrentCell) -> Iterator[RecurrentCell]:
    """Every valid cell that differs by one edit, the smallest edits first; some may be isomorphic to each other.

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
    """A node with one input after any node; what read that one reads the new one."""
    new = max(nodes) + 1
    for i in nodes:
        renamed, states = _renamed(nodes, hidden, {i: new})
        for operation, arities in ARITIES.items():
            if 1 in arities:
                yield {**renamed, new: Node(operation, (i,))}, states


def _removals(nodes: Nodes, hidden: Sequence[int]) -> Iterator[tuple[Nodes, Sequence[int]]]:
    """What read a node reads one of that node's inputs."""
    for i, node in nodes.items():
        for j in node.inputs:
            yield _renamed(nodes, hidden, {i: j})


def _other_states(nodes: Nodes, hidden: Sequence[int]) -> Iterator[tuple[Nodes, Sequence[int]]]:
    count = len(hidden)
    for k in range(1, count):
        yield nodes, [hidden[k], *hidden[1:k], hidden[0], *hidden[k + 1 :]]
    for k in range(count if count > 1 else 0):
        # Whatever read the state that goes reads the first that stays.
        numbers = {1 + n: n if n > k else 1 + n for n in range(count)} | {1 + k: 1}
        yield _renamed(nodes, [*hidden[:k], *hidden[k + 1 :]], numbers)
    if count < MAX_STATES:
        readings = [(i, p) for i, node in nodes.items() for p, j in enumerate(node.inputs) if INPUT < j < FIRST_NODE]
        for i, p in readings:
            read = {**nodes, i: _reading(nodes[i], p, 1 + count)}
            yield from ((read, [*hidden, j]) for j in nodes if j not in hidden)


def _reading(node: Node, position: int, value: int) -> Node:
    return Node(node.operation, (*node.inputs[:position], value, *node.inputs[position + 1 :]))


def _renamed(nodes: Nodes, hidden: Sequence[int], numbers: dict[int, int]) -> tuple[Nodes, Sequence[int]]:
    """The same nodes and states, reading other values."""
    read = {i: Node(node.operation, tuple(numbers.get(j, j) for j in node.inputs)) for i, node in nodes.items()}
    return read, [numbers.get(j, j) for j in hidden]
