"""What the nodes of a graph are called by methods that compare names."""

from __future__ import annotations

from hashlib import sha256

from optiproxy.spaces import GraphBatch


def labels(graphs: GraphBatch) -> list[list[int]]:
    """Return one whole number for each node of ``b`` discrete graphs: its operation, or the place of its number on a grid.

    A node that carries a number between two bounds has features between 0 and 1. All of them together are its name, so
    that only equal levels have equal names.
    """
    named: list[list[int]] = graphs.operations.argmax(2).tolist()
    between = (graphs.operations > 0) & (graphs.operations < 1)
    for graph, node in between.any(2).nonzero().tolist():
        # 63 bits of a digest: far beyond the positions above, and no two rows that anybody has will meet by chance.
        row = sha256(graphs.operations[graph, node].numpy().tobytes())
        named[graph][node] = int.from_bytes(row.digest()[:8], "big") >> 1
    return named
