"""Which choices the decisions of a space have, as a mask over their common tensor."""

from __future__ import annotations

import torch
from torch import Tensor

from optiproxy.spaces import Space


def choice_mask(space: Space) -> Tensor:
    """``(d, c)``: True where the decision has that choice."""
    counts = torch.tensor([len(decision.choices) for decision in space.decisions])
    return torch.arange(space.widest)[None, :] < counts[:, None]
