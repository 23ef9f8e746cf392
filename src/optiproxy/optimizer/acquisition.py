"""Acquisition functions: what an architecture is worth trying, from what is predicted of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
import torch
from torch import Tensor

from optiproxy.metrics import Goal
from optiproxy.optimizer.records import History
from optiproxy.proxy import Prediction

FLAT = 1e-6
"""Hypervolume, in squared units of a score and the like, below which the scalarised bound tells candidates apart."""

CERTAIN = 1e-3
"""Standard deviation of a score below which a prediction is as good as certain."""


@final
@dataclass(frozen=True, kw_only=True)
class UpperConfidenceBound:
    """An `Acquisition`: upper confidence bounds of the objectives, and the log-probability that every limit is kept.

    Several objectives are weighed by a preference and joined by the augmented Chebyshev function (Knowles 2006), so that
    every part of the front, convex or not, is the best for some preference.

    Attributes:
        beta: Number of standard deviations that are added to the mean (Srinivas et al. 2010), in the ascent and where
            candidates are ranked after many trials.
        first: The same where they are ranked before any trial. While nothing is known the bound is largest where
            architectures are extreme, and to try all extremes first costs many trials.
        growth: Number of trials during which it grows from the one to the other.
        feasibility_weight: Factor of the log-probability.
        ideal: The score from which the Chebyshev function measures each objective. It has to be out of reach, or a larger
            weight would pull towards an objective below it and push away above it; scores are normal quantiles.
    """

    beta: float = 2.5
    first: float = 1.0
    growth: int = 25
    feasibility_weight: float = 0.5
    ideal: float = 3.0

    def __call__(self, prediction: Prediction, preferences: Tensor) -> Tensor:
        o = preferences.shape[1]
        bounds = self.bounds(prediction, o)
        value = (preferences * bounds).sum(1)
        if o > 1:
            # Knowles 2006, eq. 2, for maximisation: the worst weighted distance to the ideal, and 0.05 of their sum.
            value = 0.05 * value + (preferences * (bounds - self.ideal)).amin(1)
        return value + self.feasibility_weight * self.log_feasibility(prediction, o)

    def rank(self, prediction: Prediction, preferences: Tensor, history: History, goal: Goal) -> Tensor:  # noqa: ARG002 - one candidate at a time
        bound = self.after(len(history.architectures))
        rows = [preference.expand(len(prediction.mean), -1) for preference in preferences]
        return torch.stack([bound(prediction, row) for row in rows])

    def after(self, n: int) -> UpperConfidenceBound:
        """The bound by which candidates are ranked after ``n`` trials, whatever is tried meanwhile."""
        grown = min(n / self.growth, 1.0) if self.growth else 1.0
        beta = self.first + (self.beta - self.first) * grown if self.first < self.beta else self.beta
        return replace(self, beta=beta, first=beta)

    def bounds(self, prediction: Prediction, o: int) -> Tensor:
        """``(b, o)`` upper confidence bounds of the objectives."""
        return prediction.mean[:, :o] + self.beta * prediction.std[:, :o]

    def log_feasibility(self, prediction: Prediction, o: int) -> Tensor:
        """``(b,)`` log-probability that the training succeeds and all limits are kept, taken to be independent."""
        # A proxy need not tell how uncertain it is.
        margin = prediction.mean[:, o:] / prediction.std[:, o:].clamp_min(CERTAIN)
        return torch.special.log_ndtr(margin).sum(1)


@final
@dataclass(frozen=True)
class HypervolumeImprovement:
    """An `Acquisition`: the upper confidence bound, and with several objectives what it adds to the hypervolume.

    So one proposal asks which part of the front is worth most, instead of one preference drawn by chance (SMS-EGO,
    Ponweiser et al. 2008). Hypervolume is measured between scores, from the worst of each objective: no unit and no
    outlier matters there. The ascent itself climbs the bound, because what is dominated adds nothing, and so has no slope.

    Attributes:
        bound: Says how optimistic and how careful about limits to be; with one objective it is all there is.
    """

    bound: UpperConfidenceBound = field(default_factory=UpperConfidenceBound)

    def __call__(self, prediction: Prediction, preferences: Tensor) -> Tensor:
        return self.bound(prediction, preferences)

    def rank(self, prediction: Prediction, preferences: Tensor, history: History, goal: Goal) -> Tensor:
        bound = self.bound.after(len(history.architectures))
        values = bound.rank(prediction, preferences, history, goal)
        if history.objectives > 1:
            front, worst = history.reached[history.feasible], history.worst
            # Proposals made at the same time keep to their preferences, and so apart.
            values[0] = replace(self, bound=bound).improvement(prediction, front, worst)
        return values

    def improvement(self, prediction: Prediction, front: Tensor, worst: Tensor) -> Tensor:
        """The logarithm of the hypervolume that each candidate adds, ``(b,)``, and the probability of its limits.

        Args:
            prediction: ``(b, m)``: objectives first, then limits; a limit is kept from score 0 on.
            front: ``(k, o)`` scores of the feasible trials.
            worst: ``(o,)`` from where hypervolume is measured.
        """
        from moocore import hypervolume

        b, o = len(prediction.mean), len(worst)
        bounds = self.bound.bounds(prediction, o).double().numpy()
        reached, origin = front.double().numpy(), worst.double().numpy()
        before = hypervolume(reached, ref=origin, maximise=True) if len(reached) else 0.0
        after = [hypervolume(np.vstack([reached, row]), ref=origin, maximise=True) for row in bounds]
        added = (torch.tensor(after, dtype=prediction.mean.dtype) - before).clamp_min(0.0)
        even = torch.full((b, o), 1 / o)
        return (
            (added + FLAT).log()
            + 1e-3 * self.bound(prediction, even)
            + self.bound.feasibility_weight * self.bound.log_feasibility(prediction, o)
        )


@final
@dataclass(frozen=True, kw_only=True)
class PredictedSum:
    """The paper's `Acquisition`: the sum of all predicted scores, such as accuracy minus latency.

    Attributes:
        tolerance: Candidates are ranked last that are predicted to exceed a limit by this share of it.
    """

    tolerance: float = 0.3

    def __call__(self, prediction: Prediction, preferences: Tensor) -> Tensor:  # noqa: ARG002 - none is preferred
        return prediction.mean.sum(1)

    def rank(self, prediction: Prediction, preferences: Tensor, history: History, goal: Goal) -> Tensor:  # noqa: ARG002 - the same
        scores = prediction.mean.double()
        within = torch.ones(len(scores), dtype=torch.bool)
        limits = zip(goal.limits, history.targets.scales[history.objectives :], strict=True)
        for column, (limit, scale) in enumerate(limits, start=history.objectives):
            slack = torch.tensor([scale.value(score) for score in scores[:, column].tolist()], dtype=scores.dtype)
            within &= slack >= -self.tolerance * abs(limit.bound)
        return scores.sum(1).masked_fill(~within, -torch.inf)[None]
