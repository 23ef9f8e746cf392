"""Gradient ascent on the architecture parameters through the proxy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from optiproxy.optimizer.relaxation import Relaxation
from optiproxy.proxy.adam import Adam

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True, kw_only=True)
class Ascent:
    """Adam from many starts at once.

    Attributes:
        steps: Gradient steps.
        learning_rate: Of Adam, in units of the architecture parameters.
        relaxation: From parameters to relaxed architectures.
    """

    steps: int = 15
    learning_rate: float = 0.3
    relaxation: Relaxation = field(default_factory=Relaxation)

    def __call__(self, starts: Tensor, mask: Tensor, gain: Callable[[Tensor], Tensor], generator: Generator) -> Tensor:
        """Climb and return the final parameters ``(b, d, c)``.

        Args:
            starts: ``(b, d, c)`` initial parameters.
            mask: ``(d, c)``, True where the decision has that choice.
            gain: Relaxed architectures ``(b, d, c)`` -> ``(b,)``, differentiable. The rows climb independently.
            generator: Draws the noise of the relaxation.
        """
        parameters = starts.clone().requires_grad_()
        adam = Adam([parameters])
        for step in range(self.steps):
            progress = step / max(self.steps - 1, 1)
            relaxed = self.relaxation(parameters, mask, progress=progress, generator=generator)
            adam.step([-gain(relaxed).sum()], learning_rate=self.learning_rate)
        return parameters.detach()
