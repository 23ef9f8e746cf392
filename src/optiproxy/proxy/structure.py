"""Structural properties that can be read off a discrete graph for nothing: what the proxy is pretrained on."""

from __future__ import annotations

import torch
from torch import Tensor

from optiproxy.spaces.graph import GraphBatch


def structural_properties(graphs: GraphBatch) -> Tensor:
    """Describe each graph by what data can do on its way from the inputs to the outputs.

    A node is live when it lies on some path from an input to an output. The properties are: live nodes per operation;
    the longest chain of each operation, that is the most nodes of it on one path; the depth; the logarithm of one plus
    the number of paths; the live edges.

    Args:
        graphs: Discrete: all weights 0 or 1.

    Returns:
        ``(b, 2 f + 3)``, one column per property.
    """
    operations, adjacency = graphs.operations, graphs.adjacency
    b, v, _ = operations.shape
    starts, ends = operations.new_zeros(b, v), operations.new_zeros(b, v)
    starts[:, list(graphs.inputs)] = 1.0
    ends[:, list(graphs.outputs)] = 1.0
    arriving = _accumulate(starts, adjacency)
    leaving = _accumulate(ends.flip(1), adjacency.flip(1, 2).transpose(1, 2)).flip(1)
    live = (arriving * leaving > 0).to(operations.dtype)
    edges = adjacency * live[:, :, None] * live[:, None, :]
    counts = (operations * live[:, :, None]).sum(1)
    lengths = torch.cat([operations, operations.new_ones(b, v, 1)], 2) * live[:, :, None]
    chains = _longest(lengths, edges)
    paths = torch.log1p((arriving * ends).sum(1, keepdim=True))
    return torch.cat([counts, chains, paths, edges.sum((1, 2))[:, None]], 1)


def _accumulate(at_start: Tensor, adjacency: Tensor) -> Tensor:
    """``(b, v)`` number of paths from the start nodes to each node, itself included."""
    found: list[Tensor] = []
    for node in range(at_start.shape[1]):
        through = sum((found[i] * adjacency[:, i, node] for i in range(node)), torch.zeros_like(at_start[:, 0]))
        found.append(at_start[:, node] + through)
    return torch.stack(found, 1)


def _longest(lengths: Tensor, edges: Tensor) -> Tensor:
    """``(b, k)`` largest sum along any path, for each of the ``k`` node lengths in ``lengths (b, v, k)``."""
    found: list[Tensor] = []
    for node in range(lengths.shape[1]):
        before = torch.zeros_like(lengths[:, 0])
        for i in range(node):
            before = torch.maximum(before, found[i] * edges[:, i, node, None])
        found.append(lengths[:, node] + before)
    return torch.stack(found, 1).amax(1)
