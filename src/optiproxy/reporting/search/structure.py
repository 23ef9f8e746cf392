"""One architecture as a small graph with names, read off the encoding of any space."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.reporting.figures import Node, Structure
from optiproxy.spaces import Architecture, Space

if TYPE_CHECKING:
    from torch import Tensor

EXAMPLES = 100
"""Random architectures by which it is told whether data flows through a space."""


def flows(space: Space) -> bool:
    """Whether data flows through the decisions of a space, as through the operations of a cell.

    It does not through a learning rate: a space whose graphs say no more than its decisions do is a list of settings.
    """
    # With it torch is loaded, which whoever is told of a misspelt name need not wait for.
    from optiproxy.proxy.structural import structured

    graphs = space.graphs(space.one_hot(space.examples(np.random.default_rng(0), EXAMPLES)))
    return structured(graphs)


def structure(space: Space, architecture: Architecture) -> Structure:
    """Encode the architecture and name its nodes.

    Which decision a node belongs to is asked of the encoding itself: it is the one whose weights the node's features
    respond to, or several that they respond to about alike. So the drawing needs to know nothing about the space.
    """
    weights = space.one_hot([architecture])
    # Which node carries a number does not depend on the number, and in the lower half none is taken for a choice.
    weights[:, list(space.points), 0] = 0.25
    # With gradients, by which the encoding tells which decision a node stands for.
    weights.requires_grad_()
    graph = space.encode(weights)
    connected = graph.adjacency[0].detach().numpy() > 0.5
    v = len(connected)
    bearing = _bearing(weights, graph.operations[0])
    fixed = dict.fromkeys(graph.inputs, Node(label="input")) | dict.fromkeys(graph.outputs, Node(label="output"))
    # States that this architecture does not have are connected to nothing.
    carried = [i for i in graph.carried if connected[i].any() or connected[:, i].any()]
    fixed |= {i: Node(label=name) for i, name in graph.carried.items() if i not in fixed}
    nodes = [fixed.get(i) or _node(space, architecture, np.flatnonzero(bearing[i]).tolist()) for i in range(v)]
    backward = [v - 1 - i for i in (*graph.outputs, *carried)]
    live = _reach(connected, [*graph.inputs, *carried]) & _reach(connected.T[::-1, ::-1], backward)[::-1]
    live[[*graph.inputs, *graph.outputs]] = True
    position = np.cumsum(live) - 1
    # A node of no operation is none that was chosen.
    chosen: list[bool] = graph.operations[0].detach().bool().any(dim=1).tolist()
    edges = [(int(position[i]), int(position[j])) for i, j in np.argwhere(connected) if live[i] and live[j]]
    return Structure(
        nodes=tuple(node for node, alive in zip(nodes, live, strict=True) if alive),
        edges=tuple(edges),
        idle=tuple(node for i, node in enumerate(nodes) if not live[i] and chosen[i] and i not in fixed),
    )


def _bearing(weights: Tensor, operations: Tensor) -> np.ndarray:
    """Find which decisions a node stands for: its features respond to their weights.

    Args:
        weights: ``(1, d, c)`` relaxed architecture, which requires gradients.
        operations: ``(v, f)`` features of the nodes, computed from the weights.

    Returns:
        ``(v, d)`` booleans: true if the response is at least half of the strongest one of the node.
    """
    import torch

    v, f = operations.shape
    # Unequal factors, so that responses of several features cannot cancel (weights of one decision sum to one).
    factors = torch.linspace(1.0, 2.0, f).square()
    rows: list[np.ndarray] = []
    for i in range(v):
        # What other decisions connect or cut off changes the features that are there; what is chosen here, which are there.
        scalar = (operations[i] * factors)[operations[i] < 0.5].sum()
        gradient = (
            torch.autograd.grad(scalar, weights, retain_graph=True, allow_unused=True)[0]
            if scalar.requires_grad
            else None
        )
        rows.append(np.zeros(weights.shape[1]) if gradient is None else gradient[0].abs().sum(dim=-1).numpy())
    responses = np.stack(rows)
    return responses > np.maximum(0.5 * responses.max(axis=1, keepdims=True), 1e-9)


def _node(space: Space, architecture: Architecture, decisions: Sequence[int]) -> Node:
    chosen = [(space.decisions[d], architecture[d]) for d in decisions]
    offers = [decision.choices for decision in space.decisions]
    kin = bool(chosen) and offers.count(chosen[0][0].choices) > 1
    return Node(
        label=" · ".join(str(decision.choices[choice]) for decision, choice in chosen),
        detail=" · ".join(decision.name for decision, _ in chosen),
        hue=chosen[0][1] if kin and chosen[0][0].point is None else None,
    )


def _reach(connected: np.ndarray, start: Iterable[int]) -> np.ndarray:
    """Find the nodes that a path from ``start`` meets.

    Args:
        connected: ``(v, v)`` booleans, true for an edge, which leads from a lower to a higher node.
        start: Nodes at which paths begin.

    Returns:
        ``(v,)`` booleans.
    """
    met = np.zeros(len(connected), dtype=bool)
    met[list(start)] = True
    for j in range(len(connected)):
        met[j] |= bool((met[:j] & connected[:j, j]).any())
    return met
