"""A searched directed graph of operations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce

import torch
from torch import Tensor, nn

from optiproxy.nn.parts import Options, labelled, made
from optiproxy.spaces.building import tracing
from optiproxy.spaces.building.cells import CellBlock


def Cell(options: Options, *, nodes: int, inputs: int = 2, name: str) -> nn.Module:  # noqa: N802 - as in optiproxy.nn.parts
    """A directed graph of which both the operations and their sources are to be chosen.

    Node 0 is the input. Each further node is the sum of what its operations make of its sources, which are different
    earlier nodes. The output is the sum of all nodes that no other node reads. So all operations have to return what has
    the shape of the input. Cells that differ in the numbering of their nodes alone are one architecture.

    Args:
        options: The operations, as in `Choice`; each use makes a module of its own.
        nodes: Number of nodes besides the input.
        inputs: Sources of each node; fewer where there are not so many earlier nodes.
        name: Name of the cell. Where the same name is used again, with the same options and numbers, it is the same graph,
            with weights of its own.

    Raises:
        UsageError: If there is no operation, node or input.
    """
    by_label = labelled(options, name)
    block = CellBlock(name, tuple(by_label), nodes=nodes, inputs=inputs)
    chooser = tracing.chooser()
    wiring = block.wiring(chooser.decide(block))
    operations: list[nn.Module] = []
    for node, edges in zip(block.nodes, wiring, strict=True):
        for d, edge in zip(node.operations, edges, strict=True):
            modules = [
                chooser.under(block.decisions[d], frozenset({position}), partial(made, option, label, name))
                for position, (label, option) in enumerate(by_label.items())
            ]
            module = modules[edge.operation]
            assert module is not None  # it has been chosen
            operations.append(module)
    return CellModule([[edge.source for edge in edges] for edges in wiring], operations)


class CellModule(nn.Module):
    """A directed graph of modules.

    Args:
        sources: For each node but the input the nodes that it reads; 0 is the input.
        operations: One for each of these, in the same order.
    """

    def __init__(self, sources: Sequence[Sequence[int]], operations: Sequence[nn.Module]) -> None:
        super().__init__()
        self.sources = [list(read) for read in sources]
        self.operations = nn.ModuleList(operations)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map a tensor to one of the same shape, as far as the operations do."""
        operations = iter(self.operations)
        values = [inputs]
        for read in self.sources:
            values.append(reduce(torch.add, [next(operations)(values[source]) for source in read]))
        used = {source for read in self.sources for source in read}
        return reduce(torch.add, [value for node, value in enumerate(values) if node not in used])
