"""Discrete candidates: around the ascended parameters, around the incumbents, and anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from optiproxy.spaces import Architecture, Space


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Where the candidates come from.

    Attributes:
        draws: Architectures drawn from each ascended parameter set.
        uniform: Share of uniform noise mixed into the distribution that they are drawn from.
        incumbents: Best trials of which all neighbours, one decision away, are candidates as well.
        neighbours: At most so many of them, drawn at random where there are more.
        rounds: How often the neighbours of the leading candidates join them: the last steps of the ascent, taken in the
            discrete space, where no relaxation blurs them.
        leaders: Candidates whose neighbours join.
    """

    draws: int = 8
    uniform: float = 0.1
    incumbents: int = 5
    neighbours: int = 120
    rounds: int = 3
    leaders: int = 5

    def candidates(
        self,
        space: Space,
        parameters: Tensor,
        *,
        mask: Tensor,
        incumbents: Sequence[Architecture],
        generator: torch.Generator,
    ) -> list[Architecture]:
        """Distinct combinations of choices, not yet checked for validity or novelty.

        Args:
            space: Where to search.
            parameters: ``(b, d, c)`` ascended architecture parameters.
            mask: ``(d, c)``, True where the decision has that choice.
            incumbents: The best trials, best first.
            generator: Draws.
        """
        chances = parameters.masked_fill(~mask, -torch.inf).softmax(-1)
        chances = (1 - self.uniform) * chances + self.uniform * mask / mask.sum(1, keepdim=True)
        around = [n for incumbent in incumbents[: self.incumbents] for n in space.neighbours(incumbent)]
        order = torch.randperm(len(around), generator=generator)[: self.neighbours].tolist()
        return list(dict.fromkeys(space.draw(chances, self.draws, generator) + [around[i] for i in order]))
