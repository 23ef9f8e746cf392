"""A small image classifier of stacked cells, after NAS-Bench-201 (Dong and Yang, ICLR 2020, arXiv 2001.00326).

Stem, cells, a reduction, cells, head. This file needs torch alone: an export copies it as it stands, so that an exported
network is rebuilt by the very code that trained it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce

import torch
from torch import Tensor, nn


class ReLUConvBN(nn.Sequential):
    """``ReLU, Conv, BN``, same size: the benchmark's order. Maps ``(b, channels, height, width)`` to the same shape."""

    def __init__(self, channels: int, *, kernel: int) -> None:
        # Without bias, because the normalization behind it would subtract it again.
        super().__init__(
            nn.ReLU(), nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(channels)
        )


def operation(name: str, channels: int) -> nn.Module:
    """The module of one edge. ``none`` has none: a `Cell` leaves such an edge out.

    Raises:
        ValueError: If the operation is unknown.
    """
    match name:
        case "skip_connect":
            return nn.Identity()
        case "nor_conv_1x1":
            return ReLUConvBN(channels, kernel=1)
        case "nor_conv_3x3":
            return ReLUConvBN(channels, kernel=3)
        case "avg_pool_3x3":
            # As in the benchmark, an average of the pixels that exist: padding would darken the borders.
            return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        case _:
            raise ValueError(f"Expected an operation of NAS-Bench-201, got {name!r}.")


class Cell(nn.Module):
    """A directed acyclic graph of feature maps: a node is the sum of what its incoming edges make of earlier nodes.

    Args:
        edges: ``(source node, target node, operation)``; node 0 is the input, the largest target the output.
        channels: Channels of every node.
    """

    def __init__(self, edges: Iterable[tuple[int, int, str]], *, channels: int) -> None:
        super().__init__()
        # One order of edges, so that the same seed gives the same weights however they are listed.
        edges = sorted(edges, key=lambda edge: edge[:2])
        self.nodes = 1 + max(target for _, target, _ in edges)
        self.wires = [(source, target) for source, target, name in edges if name != "none"]
        self.operations = nn.ModuleList(operation(name, channels) for _, _, name in edges if name != "none")

    def forward(self, inputs: Tensor) -> Tensor:
        """Map ``(b, channels, height, width)`` to the same shape; a node that nothing reaches is zero."""
        values = [inputs]
        for node in range(1, self.nodes):
            terms = [
                apply(values[source])
                for (source, target), apply in zip(self.wires, self.operations, strict=True)
                if target == node
            ]
            values.append(reduce(torch.add, terms) if terms else torch.zeros_like(inputs))
        return values[-1]


class Reduction(nn.Sequential):
    """Half the resolution, twice the channels: ``(b, channels, height, width)`` to ``(b, 2 channels, height/2, width/2)``.

    Unlike the benchmark's residual block it mixes no neighboring pixels beyond the pooling: what is seen in an image is
    left to the cells, so that the choice of a cell decides how well the network does.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(channels, 2 * channels, 1, bias=False),
            nn.BatchNorm2d(2 * channels),
            nn.AvgPool2d(2),
        )


class CellNetwork(nn.Module):
    """Stages of one repeated cell, a `Reduction` between any two.

    Args:
        edges: Edges of the cell, see `Cell`.
        channels: Channels of the first stage; each further stage has twice as many at half the resolution.
        cells: Number of cells in each stage, as many entries as stages.
        classes: Number of logits.
    """

    def __init__(
        self, edges: Iterable[tuple[int, int, str]], *, channels: int, cells: Sequence[int], classes: int
    ) -> None:
        super().__init__()
        edges = tuple(edges)
        # The stem sees single pixels, for the same reason as `Reduction`; the benchmark's is a 3x3 convolution (section 2.1).
        layers: list[nn.Module] = [nn.Conv2d(1, channels, 1, bias=False), nn.BatchNorm2d(channels)]
        for stage, count in enumerate(cells):
            layers += [Reduction(channels << (stage - 1))] if stage else []
            layers += [Cell(edges, channels=channels << stage) for _ in range(count)]
        width = channels << (len(cells) - 1)
        # Cells begin with an activation and end without one.
        self.features = nn.Sequential(*layers, nn.BatchNorm2d(width), nn.ReLU())
        self.head = nn.Linear(width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map gray images ``(b, 1, height, width)`` to logits ``(b, classes)``."""
        return self.head(self.features(images).mean(dim=(2, 3)))
