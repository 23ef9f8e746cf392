"""The spaces of HW-GPT-Bench (Sukthanker et al. 2024, arXiv 2405.10299): decoders like GPT-2, whose layers differ."""

from __future__ import annotations

from dataclasses import dataclass

from optiproxy.spaces.building.blocks import Layer, OneDecision, Place
from optiproxy.spaces.building.conditional import ConditionalSpace
from optiproxy.spaces.decisions import Decision
from optiproxy.spaces.scales import Ordered


@dataclass(frozen=True, kw_only=True)
class Family:
    """Networks of one size.

    Attributes:
        widths: Of the embedding.
        layers: How many there may be.
        heads: Of attention, in each layer.
    """

    widths: tuple[int, ...]
    layers: tuple[int, ...]
    heads: tuple[int, ...]


FAMILIES = {
    "s": Family(widths=(192, 384, 768), layers=(10, 11, 12), heads=(4, 8, 12)),
    "m": Family(widths=(256, 512, 1024), layers=(22, 23, 24), heads=(8, 12, 16)),
    "l": Family(widths=(320, 640, 1280), layers=(34, 35, 36), heads=(8, 16, 20)),
}
"""Small, medium and large."""

RATIOS = (2, 3, 4)
"""How much wider than the embedding the perceptron of a layer may be."""


def gpt(family: str) -> ConditionalSpace:
    """Return the space of a family: width, number of layers and bias; of each layer the ratio of its perceptron and its heads.

    What would be decided of a layer that is not there does not matter, and is 0 in the canonical form.

    Args:
        family: One of `FAMILIES`.
    """
    known = FAMILIES[family]
    shared = {
        "width": Ordered(known.widths),
        "layers": Ordered(known.layers),
        "bias": (True, False),
    }
    layer = {"ratio": Ordered(RATIOS), "heads": Ordered(known.heads)}
    return ConditionalSpace(
        [
            *(Place(OneDecision(Decision(name, choices))) for name, choices in shared.items()),
            *(
                Place(
                    Layer("layer", f"layer{i}", layer),
                    {"layers": frozenset(k for k, count in enumerate(known.layers) if i < count)},
                )
                for i in range(max(known.layers))
            ),
        ],
        name=f"gpt-{family}",
    )
