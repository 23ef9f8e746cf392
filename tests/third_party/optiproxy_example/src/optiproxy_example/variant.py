"""A variant of the method: OptiProxy with two parts of its own, a relaxation and an acquisition function.

A part is any object with the methods of its contract (`optiproxy.optimizer.parts`); there is nothing to inherit. A frozen
dataclass is a good one: its settings are part of the name under which studies and reports know the variant.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Generator, Tensor

from optiproxy.metrics import Goal
from optiproxy.optimizer import Ascent, OptiProxy
from optiproxy.optimizer.parts import History
from optiproxy.proxy import Prediction


@dataclass(frozen=True)
class Softmax:
    """A `Relaxation` without noise and at one temperature."""

    temperature: float = 0.5

    def __call__(self, parameters: Tensor, mask: Tensor, *, progress: float, generator: Generator) -> Tensor:
        """``(b, d, c)`` architecture parameters -> choices on the simplex; those that a decision lacks get nothing."""
        return (parameters / self.temperature).masked_fill(~mask, float("-inf")).softmax(-1)


@dataclass(frozen=True)
class Caution:
    """An `Acquisition`: what is predicted, objectives and slacks of limits alike, if it comes out worse than expected."""

    deviations: float = 1.0

    def __call__(self, prediction: Prediction, preferences: Tensor) -> Tensor:
        """``(b,)``, larger = better: what the ascent climbs."""
        o = preferences.shape[1]
        bounds = prediction.mean - self.deviations * prediction.std
        # A limit is kept from score 0 on; more than that is worth nothing.
        return (preferences * bounds[:, :o]).sum(1) + bounds[:, o:].clamp(max=0).sum(1)

    def rank(self, prediction: Prediction, preferences: Tensor, history: History, goal: Goal) -> Tensor:
        """``(k, b)``: orders discrete candidates, for each of ``k`` preferences among the objectives."""
        rows = [preference.expand(len(prediction.mean), -1) for preference in preferences]
        return torch.stack([self(prediction, row) for row in rows])


cautious = partial(OptiProxy, ascent=Ascent(relaxation=Softmax()), acquisition=Caution())
