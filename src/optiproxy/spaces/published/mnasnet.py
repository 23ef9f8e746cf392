"""The space of Accel-NASBench (Ahmad et al. 2024): MobileNet-like networks after MnasNet."""

from __future__ import annotations

from optiproxy.spaces.building.blocks import Layer, Place
from optiproxy.spaces.building.conditional import ConditionalSpace
from optiproxy.spaces.scales import Ordered

BLOCKS = 7

DEEPEST = 5
"""The block that may have one layer more than the others."""


def mnasnet() -> ConditionalSpace:
    """Return seven blocks of inverted residuals in a row.

    Of each block: ``e``, how much wider the inside of its layers is; ``k``, the size of the kernels; ``l``, the number of
    layers; ``se``, squeeze and excitation. What a choice does is shared between the blocks.
    """
    return ConditionalSpace(
        [
            Place(
                Layer(
                    "block",
                    f"block{i}",
                    {
                        "e": Ordered((1, 4, 6)),
                        "k": Ordered((3, 5)),
                        "l": Ordered((1, 2, 3, 4) if i == DEEPEST else (1, 2, 3)),
                        "se": (False, True),
                    },
                )
            )
            for i in range(BLOCKS)
        ],
        name="mnasnet",
    )
