"""What an architecture is worth trying: optimism about the objectives, weighed by the chance to keep the limits."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from optiproxy.proxy import Prediction


@dataclass(frozen=True, kw_only=True)
class Gain:
    """Upper confidence bound of the objectives plus the log-probability that every limit is kept.

    Several objectives are weighed by a preference and joined by the augmented Chebyshev function (Knowles 2006), so that
    every part of the front, convex or not, is the best for some preference.

    Attributes:
        optimism: Standard deviations added to the mean.
        caution: Factor of the log-probability.
        ideal: The score from which the Chebyshev function measures each objective. It has to be out of reach, or a larger
            weight would pull towards an objective below it and push away above it; scores are normal quantiles.
    """

    optimism: float = 2.5
    caution: float = 0.5
    ideal: float = 3.0

    def __call__(self, prediction: Prediction, preferences: Tensor) -> Tensor:
        """The gain ``(b,)``; larger = better.

        Args:
            prediction: ``(b, m)``: objectives first, then limits, each larger = better; a limit is kept from 0 on.
            preferences: ``(b, o)`` weights of the objectives, positive, each row summing to 1.
        """
        o = preferences.shape[1]
        hopeful = self.hopeful(prediction, o)
        gain = (preferences * hopeful).sum(1)
        if o > 1:
            gain = 0.05 * gain + (preferences * (hopeful - self.ideal)).amin(1)
        return gain + self.caution * self.kept(prediction, o)

    def hopeful(self, prediction: Prediction, o: int) -> Tensor:
        """``(b, o)`` upper confidence bounds of the objectives."""
        return prediction.mean[:, :o] + self.optimism * prediction.spread[:, :o]

    def kept(self, prediction: Prediction, o: int) -> Tensor:
        """``(b,)`` log-probability that all limits are kept."""
        margin = prediction.mean[:, o:] / prediction.spread[:, o:]
        return torch.special.log_ndtr(margin).sum(1)
