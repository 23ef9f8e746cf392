"""The continuous relaxation of an architecture: Gumbel-softmax with a falling temperature (Jang et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Relaxation:
    """From architecture parameters to weights on the simplex.

    Attributes:
        hot: Temperature at the first step of an ascent.
        cold: Temperature at the last.
        noise: Scale of the Gumbel noise; 1 would make the weights exact samples as the temperature falls to 0.
    """

    hot: float = 0.7
    cold: float = 0.2
    noise: float = 0.5

    def __call__(self, parameters: Tensor, mask: Tensor, *, progress: float, generator: torch.Generator) -> Tensor:
        """Relaxed architectures ``(b, d, c)``, one draw of noise per call.

        Args:
            parameters: ``(b, d, c)``, unbounded.
            mask: ``(d, c)``, True where the decision has that choice.
            progress: 0 at the first step of an ascent, 1 at the last.
            generator: Draws the noise.
        """
        temperature = self.hot + (self.cold - self.hot) * progress
        uniform = torch.rand(parameters.shape, generator=generator).clamp(1e-6, 1 - 1e-6)
        gumbel = -torch.log(-torch.log(uniform))
        logits = (parameters + self.noise * gumbel) / temperature
        return logits.masked_fill(~mask, -torch.inf).softmax(-1)
