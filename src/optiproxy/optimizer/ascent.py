"""Gradient ascent on the architecture parameters through the proxy, under a continuous relaxation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Generator, Tensor

from optiproxy.errors import UsageError
from optiproxy.optimizer.parts import Relaxation
from optiproxy.optimizer.records import Layout
from optiproxy.proxy.networks import Adam


@final
@dataclass(frozen=True, kw_only=True)
class GumbelSoftmax:
    """A `Relaxation` whose temperature falls linearly during an ascent (Jang, Gu and Poole 2017, arXiv 1611.01144).

    Attributes:
        hot: Temperature at the first step of an ascent.
        cold: Temperature at the last step.
        noise: Scale of the Gumbel noise; 1 would make the weights exact samples as the temperature falls to 0.
    """

    hot: float = 0.7
    cold: float = 0.2
    noise: float = 0.5

    def __call__(self, parameters: Tensor, mask: Tensor, *, progress: float, generator: Generator) -> Tensor:
        temperature = self.hot + (self.cold - self.hot) * progress
        uniform = torch.rand(parameters.shape, generator=generator).clamp(1e-6, 1 - 1e-6)
        gumbel = -torch.log(-torch.log(uniform))
        # Jang et al., eq. 2: softmax((log pi + g) / tau), left soft.
        logits = (parameters + self.noise * gumbel) / temperature
        return logits.masked_fill(~mask, -torch.inf).softmax(-1)


@final
@dataclass(frozen=True, kw_only=True)
class Ascent:
    """A `Climb` by Adam from many starts at once.

    Attributes:
        steps: Number of gradient steps.
        learning_rate: Of Adam, in units of the architecture parameters.
        relaxation: From parameters to relaxed architectures.

    Raises:
        UsageError: If the number of steps is negative, or the relaxation is none.
    """

    steps: int = 15
    learning_rate: float = 0.3
    relaxation: Relaxation = field(default_factory=GumbelSoftmax)

    def __post_init__(self) -> None:
        if self.steps < 0 or not callable(self.relaxation):
            raise UsageError(
                f"Expected 0 or more steps and a relaxation to climb by, got {self.steps} and {self.relaxation!r}."
            )

    def __call__(
        self, starts: Tensor, layout: Layout, value: Callable[[Tensor], Tensor], generator: Generator
    ) -> Tensor:
        parameters = starts.clone().requires_grad_()
        adam = Adam([parameters])
        for step in range(self.steps):
            progress = step / max(self.steps - 1, 1)
            simplexes = self.relaxation(parameters, layout.mask, progress=progress, generator=generator)
            # The sum over starts: each row's gradient is its own.
            adam.step([-value(layout.join(simplexes, parameters)).sum()], learning_rate=self.learning_rate)
        return parameters.detach()
