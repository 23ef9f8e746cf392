"""Recurrent cells of NAS-Bench-NLP (Klyuchnikov et al. 2020, arXiv 2006.07116): what they compute, how they are written.

A cell turns the input at one place of a text and the previous hidden states into the new hidden states. Its values have
numbers: `INPUT` is the input, ``1 + k`` the previous hidden state ``k``, ``FIRST_NODE + i`` the result of node ``i``.

The benchmark publishes its cells as recipes, which name each node, its operation and its inputs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from optiproxy.errors import UsageError, unknown

INPUT = 0
MAX_STATES = 3
FIRST_NODE = 1 + MAX_STATES

ARITIES: dict[str, tuple[int, ...]] = {
    "linear": (1, 2, 3),
    "blend": (3,),
    "product": (2,),
    "sum": (2,),
    "tanh": (1,),
    "sigmoid": (1,),
    "leaky_relu": (1,),
}
"""Operation -> how many inputs it may have.

``linear`` adds up a matrix times each input and one bias; ``blend`` of z, a, b is the element-wise z a + (1 - z) b.
"""

POSITIONAL = {"blend"}
"""Operations that tell their inputs apart."""

MAX_RECIPE = 100_000
"""Characters of a recipe; the longest published one has 949."""

_PUBLISHED = {
    "linear": "linear",
    "blend": "blend",
    "product": "elementwise_prod",
    "sum": "elementwise_sum",
    "tanh": "activation_tanh",
    "sigmoid": "activation_sigm",
    "leaky_relu": "activation_leaky_relu",
}
"""Operation -> its name in recipes."""

_OPERATIONS = {published: operation for operation, published in _PUBLISHED.items()}


@dataclass(frozen=True, order=True)
class Node:
    """One operation of a cell and the values that it reads."""

    operation: str
    inputs: tuple[int, ...]


@dataclass(frozen=True, order=True)
class RecurrentCell:
    """What a cell computes, in the order of execution.

    To run it::

        values = {INPUT: x, 1: state_0, 2: state_1, ...}
        for i, node in enumerate(cell.nodes):
            values[FIRST_NODE + i] = apply(node.operation, [values[j] for j in node.inputs])
        new_states = [values[j] for j in cell.hidden]

    The new state 0 is the output. The rules are those that the published cells keep: the input and every previous state
    are read, every node is needed for some new state, no two new states come from one node, no node reads a value twice,
    and only ``linear`` reads the input, whose size may be another than that of all other values.

    Attributes:
        nodes: Each reads only values that stand before it.
        hidden: For each hidden state the number of the value that becomes its new one.

    Raises:
        UsageError: If a rule is broken; the message says which.
    """

    nodes: tuple[Node, ...]
    hidden: tuple[int, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.hidden) <= MAX_STATES:
            raise UsageError(f"Expected 1 to {MAX_STATES} hidden states, got {len(self.hidden)}.")
        end = FIRST_NODE + len(self.nodes)
        if len(set(self.hidden)) < len(self.hidden) or not all(FIRST_NODE <= j < end for j in self.hidden):
            raise UsageError(f"Expected a node of its own for each new hidden state, got the values {self.hidden}.")
        read = set(self.hidden)
        known = {INPUT, *range(1, 1 + len(self.hidden))}
        for i, node in enumerate(self.nodes):
            _check_node(i, node, known)
            known.add(FIRST_NODE + i)
            read.update(node.inputs)
        # Only now, because a value may be read by any later node.
        unread = known - read
        if unread:
            raise UsageError(f"Expected every value of a recurrent cell to be read, but {_named(min(unread))} is not.")

    @cached_property
    def depths(self) -> dict[int, int]:
        """Value -> number of nodes on the longest way to it within one step, itself included."""
        depths = dict.fromkeys(range(FIRST_NODE), 0)
        for i, node in enumerate(self.nodes):
            depths[FIRST_NODE + i] = 1 + max(depths[j] for j in node.inputs)
        return depths


def assemble(nodes: Mapping[int, Node], hidden: Sequence[int]) -> RecurrentCell:
    """Make a cell from nodes under any numbers from `FIRST_NODE` on; those that no new state needs are left out.

    The order of the numbers is kept where it is one of execution.

    Raises:
        UsageError: If a node reads one that is missing or, through others, itself, or the cell breaks a rule.
    """
    ordered = _post_order(nodes, hidden)
    # A cell that was read from slots keeps their order; any other gets one in which it can be executed.
    if all(j < k for k in ordered for j in nodes[k].inputs):
        ordered.sort()
    numbers = {k: k for k in range(FIRST_NODE)} | {k: FIRST_NODE + i for i, k in enumerate(ordered)}
    return RecurrentCell(
        tuple(Node(nodes[k].operation, tuple(numbers[j] for j in nodes[k].inputs)) for k in ordered),
        tuple(numbers[k] for k in hidden),
    )


def from_recipe(text: str) -> RecurrentCell:
    """Read a recipe: a JSON object of nodes ``"NAME": {"op": OPERATION, "input": [NAMES]}``.

    Inputs are ``x``, ``h_prev_K`` or names of nodes; the nodes ``h_new_0``, ``h_new_1``, ... become the hidden states.
    Nodes that none of these needs are left out.

    Raises:
        UsageError: If the text is no recipe or the cell breaks a rule of `RecurrentCell`.
    """
    entries = _entries(text)
    numbers = {"x": INPUT} | {f"h_prev_{k}": 1 + k for k in range(MAX_STATES)}
    # In the order of the recipe, which need not be one of execution.
    numbers |= {name: FIRST_NODE + n for n, name in enumerate(entries)}
    nodes = {numbers[name]: _node(name, entry, numbers) for name, entry in entries.items()}
    # Counted and not sorted, so that a gap in the numbering is noticed below.
    states = sum(re.fullmatch(r"h_new_[0-9]+", name) is not None for name in entries)
    names = [f"h_new_{k}" for k in range(states)]
    # A recipe without any state lacks the first one.
    missing = next((name for name in names or ["h_new_0"] if name not in entries), None)
    if missing:
        raise UsageError(f"Expected hidden states h_new_0, h_new_1, ... without a gap, but {missing} is missing.")
    return assemble(nodes, [numbers[name] for name in names])


def to_recipe(cell: RecurrentCell) -> str:
    """Return the recipe of a cell, from which `from_recipe` makes the same cell again up to isomorphism."""
    names = {INPUT: "x"} | {1 + k: f"h_prev_{k}" for k in range(len(cell.hidden))}
    names |= {FIRST_NODE + i: f"node_{i}" for i in range(len(cell.nodes))}
    # Last, because a node that becomes a state goes by the name of the state.
    names |= {number: f"h_new_{k}" for k, number in enumerate(cell.hidden)}
    recipe = {
        names[FIRST_NODE + i]: {"op": _PUBLISHED[node.operation], "input": [names[j] for j in node.inputs]}
        for i, node in enumerate(cell.nodes)
    }
    return json.dumps(recipe)


def _post_order(nodes: Mapping[int, Node], hidden: Sequence[int]) -> list[int]:
    """Return the numbers of the nodes that are needed, each after those that it reads."""
    finished: dict[int, bool] = dict.fromkeys(range(FIRST_NODE), True)
    order: list[int] = []
    # A stack instead of recursion: recipes come from files, and their depth is not ours to limit.
    waiting = list(hidden)
    while waiting:
        number = waiting[-1]
        if number not in finished:
            if number not in nodes:
                raise UsageError(f"Expected every node that is read to be given, but {_named(number)} is missing.")
            # Begun: whoever needs it before it is finished is part of a cycle.
            finished[number] = False
            unfinished = [j for j in nodes[number].inputs if not finished.get(j)]
            if any(j in finished for j in unfinished):
                raise UsageError(f"Expected no cycle within one step, but {_named(number)} needs its own result.")
            waiting += unfinished
            continue
        waiting.pop()
        if not finished[number]:
            finished[number] = True
            order.append(number)
    return order


def _check_node(i: int, node: Node, known: set[int]) -> None:
    name = _named(FIRST_NODE + i)
    if node.operation not in ARITIES:
        raise unknown("operation of recurrent cells", node.operation, ARITIES)
    arities = ARITIES[node.operation]
    if len(node.inputs) not in arities:
        wanted = " or ".join(map(str, arities))
        raise UsageError(f"Expected {wanted} inputs of {name} ({node.operation}), got {len(node.inputs)}.")
    # None of the published cells does so, and a sum of a value with itself would have two forms.
    if len(set(node.inputs)) < len(node.inputs):
        raise UsageError(f"Expected {name} to read different values, got {', '.join(map(_named, node.inputs))}.")
    if INPUT in node.inputs and node.operation != "linear":
        raise UsageError(f"Expected only linear nodes to read the input x, but {name} is {node.operation}.")
    for j in node.inputs:
        if j not in known:
            raise UsageError(f"Expected {name} to read the input, hidden states or earlier nodes, got {_named(j)}.")


def _named(number: int) -> str:
    if number < FIRST_NODE:
        return "x" if number == INPUT else f"h_prev_{number - 1}"
    return f"node {number - FIRST_NODE}"


def _entries(text: str) -> dict[str, object]:
    # Before it is parsed, which takes as long as the text is.
    if len(text) > MAX_RECIPE:
        raise UsageError(f"Expected a recipe of at most {MAX_RECIPE} characters, got {len(text)}.")
    try:
        recipe: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        # The parser of JSON is recursive.
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise UsageError(
            f"Expected a recipe in JSON: {reason}. Give a text like those that NAS-Bench-NLP publishes."
        ) from error
    if not isinstance(recipe, dict):
        raise UsageError(f"Expected a recipe to be a JSON object of nodes, got {type(recipe).__name__}.")
    return cast("dict[str, object]", recipe)


def _node(name: str, entry: object, numbers: dict[str, int]) -> Node:
    fields = cast("dict[str, object]", entry) if isinstance(entry, dict) else {}
    operation, inputs = fields.get("op"), fields.get("input")
    if not isinstance(operation, str) or not isinstance(inputs, list):
        raise UsageError(
            f'Expected node {name!r} of a recipe to be like {{"op": "linear", "input": ["x"]}}, got {entry!r:.80}.'
        )
    if operation not in _OPERATIONS:
        raise unknown("operation of recipes", operation, _OPERATIONS)
    sources: list[int] = []
    for source in cast("list[object]", inputs):
        if not isinstance(source, str) or source not in numbers:
            raise UsageError(
                f"Expected node {name!r} of a recipe to read x, h_prev_0, ... or nodes, got {source!r:.80}."
            )
        sources.append(numbers[source])
    return Node(_OPERATIONS[operation], tuple(sources))
