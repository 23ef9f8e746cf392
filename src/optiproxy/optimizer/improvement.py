"""What a candidate would add to a front: the choice among discrete candidates where there are several objectives."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from optiproxy.optimizer.gain import Gain
from optiproxy.proxy import Prediction

FLAT = 1e-6
"""Improvement, in squared units of a score and the like, below which candidates are told apart by the Chebyshev function."""


@dataclass(frozen=True, kw_only=True)
class Improvement:
    """The hypervolume that an optimistic prediction adds to the front of the feasible trials, and the chance of its limits.

    So one proposal asks which part of the front is worth most, instead of one preference drawn by chance (SMS-EGO,
    Ponweiser et al. 2008). It is measured between scores, from the worst of each objective: no unit and no outlier matters
    there. The ascent itself stays with `Gain`, because what is dominated adds nothing, and so has no slope to climb.

    Attributes:
        gain: Says how optimistic and how cautious to be.
    """

    gain: Gain = field(default_factory=Gain)

    def __call__(self, prediction: Prediction, front: Tensor, worst: Tensor) -> Tensor:
        """The logarithm of what each candidate adds, ``(b,)``; larger = better.

        Args:
            prediction: ``(b, m)``: objectives first, then limits, each larger = better; a limit is kept from 0 on.
            front: ``(n, o)`` scores of the feasible trials.
            worst: ``(o,)`` from where hypervolume is measured.
        """
        from moocore import hypervolume

        b, o = len(prediction.mean), len(worst)
        hopeful = self.gain.hopeful(prediction, o).double().numpy()
        reached, origin = front.double().numpy(), worst.double().numpy()
        before = hypervolume(reached, ref=origin, maximise=True) if len(reached) else 0.0
        after = [hypervolume(np.vstack([reached, row]), ref=origin, maximise=True) for row in hopeful]
        added = (torch.tensor(after, dtype=prediction.mean.dtype) - before).clamp_min(0.0)
        even = torch.full((b, o), 1 / o)
        return (
            (added + FLAT).log()
            + 1e-3 * self.gain(prediction, even)
            + self.gain.caution * self.gain.kept(prediction, o)
        )
