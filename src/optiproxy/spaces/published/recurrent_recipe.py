"""Recurrent cells as NAS-Bench-NLP publishes them: recipes, which name each node, its operation and its inputs."""

from __future__ import annotations

import json
import re
from typing import cast

from optiproxy.errors import UsageError, unknown
from optiproxy.spaces.published.recurrent_cell import FIRST_NODE, INPUT, MAX_STATES, Node, RecurrentCell, assemble

MAX_LENGTH = 100_000
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


def from_recipe(text: str) -> RecurrentCell:
    """Read a recipe: a JSON object of nodes ``"NAME": {"op": OPERATION, "input": [NAMES]}``.

    Inputs are ``x``, ``h_prev_K`` or names of nodes; the nodes ``h_new_0``, ``h_new_1``, ... become the hidden states.
    Nodes that none of these needs are left out.

    Raises:
        UsageError: If the text is no recipe or the cell breaks a rule of `RecurrentCell`.
    """
    entries = _entries(text)
    numbers = {"x": INPUT} | {f"h_prev_{k}": 1 + k for k in range(MAX_STATES)}
    numbers |= {name: FIRST_NODE + n for n, name in enumerate(entries)}
    nodes = {numbers[name]: _node(name, entry, numbers) for name, entry in entries.items()}
    states = sum(re.fullmatch(r"h_new_[0-9]+", name) is not None for name in entries)
    names = [f"h_new_{k}" for k in range(states)]
    missing = next((name for name in names or ["h_new_0"] if name not in entries), None)
    if missing:
        raise UsageError(f"Expected hidden states h_new_0, h_new_1, ... without a gap, but {missing} is missing.")
    return assemble(nodes, [numbers[name] for name in names])


def to_recipe(cell: RecurrentCell) -> str:
    """The recipe of a cell, from which `from_recipe` makes the same cell again up to isomorphism."""
    names = {INPUT: "x"} | {1 + k: f"h_prev_{k}" for k in range(len(cell.hidden))}
    names |= {FIRST_NODE + i: f"node_{i}" for i in range(len(cell.nodes))}
    names |= {number: f"h_new_{k}" for k, number in enumerate(cell.hidden)}
    recipe = {
        names[FIRST_NODE + i]: {"op": _PUBLISHED[node.operation], "input": [names[j] for j in node.inputs]}
        for i, node in enumerate(cell.nodes)
    }
    return json.dumps(recipe)


def _entries(text: str) -> dict[str, object]:
    if len(text) > MAX_LENGTH:
        raise UsageError(f"Expected a recipe of at most {MAX_LENGTH} characters, got {len(text)}.")
    try:
        recipe: object = json.loads(text)
    except (ValueError, RecursionError) as error:
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
