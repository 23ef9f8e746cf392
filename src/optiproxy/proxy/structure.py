"""Structural properties that can be read off a discrete graph for nothing: what the proxy is pretrained on."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from optiproxy.graph import GraphBatch


def structural_properties(graphs: GraphBatch) -> Tensor:
    """Describe each graph by what data can do on its way from the inputs to the outputs.

    A node is live when it lies on some path from an input to an output. The properties are: live nodes per operation;
    the longest and the shortest chain of each operation, that is the most and the fewest nodes of it on one path; the same
    for nodes of any operation; the logarithm of one plus the number of paths; the live edges.

    Args:
        graphs: Discrete: all weights 0 or 1.

    Returns:
        ``(b, 3 f + 4)``, one column per property; chains are -1 where no path exists.
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
    longest = _extreme_path(lengths, edges, starts=starts, ends=ends, better=torch.maximum, worst=-torch.inf)
    shortest = _extreme_path(lengths, edges, starts=starts, ends=ends, better=torch.minimum, worst=torch.inf)
    paths = torch.log1p((arriving * ends).sum(1, keepdim=True))
    return torch.cat([counts, longest, shortest, paths, edges.sum((1, 2))[:, None]], 1)


def _accumulate(at_start: Tensor, adjacency: Tensor) -> Tensor:
    """``(b, v)`` number of paths from the start nodes to each node, itself included."""
    found: list[Tensor] = []
    for node in range(at_start.shape[1]):
        through = sum((found[i] * adjacency[:, i, node] for i in range(node)), torch.zeros_like(at_start[:, 0]))
        found.append(at_start[:, node] + through)
    return torch.stack(found, 1)


def _extreme_path(
    lengths: Tensor,
    edges: Tensor,
    *,
    starts: Tensor,
    ends: Tensor,
    better: Callable[[Tensor, Tensor], Tensor],
    worst: float,
) -> Tensor:
    """``(b, k)`` longest or shortest sum along any path from start to end, for each of ``k`` lengths ``(b, v, k)``."""
    found: list[Tensor] = []
    for node in range(lengths.shape[1]):
        before = torch.where(starts[:, node, None] > 0, 0.0, worst).expand_as(lengths[:, node])
        for i in range(node):
            before = better(before, torch.where(edges[:, i, node, None] > 0, found[i], worst))
        found.append(lengths[:, node] + before)
    at_ends = torch.stack([torch.where(ends[:, i, None] > 0, x, worst) for i, x in enumerate(found)])
    extreme = at_ends.amax(0) if worst < 0 else at_ends.amin(0)
    return torch.where(extreme.isfinite(), extreme, -1.0)
