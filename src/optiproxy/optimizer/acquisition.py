"""Acquisition functions: what an architecture is worth trying, from what is predicted of it."""

from __future__ import annotations

import math
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
        # By what will be measured, noise included. A proxy need not tell how uncertain it is.
        margin = prediction.mean[:, o:] / prediction.measured[:, o:].clamp_min(CERTAIN)
        return torch.special.log_ndtr(margin).sum(1)


@final
@dataclass(frozen=True)
class HypervolumeImprovement:
    """An `Acquisition`: what a candidate adds to the best that is known.

    With one objective that is the expected improvement (Jones, Schonlau and Welch 1998), from some trials on: of the first
    few the best says little, and the upper confidence bound ranks candidates. Later the bound would go on refining what
    is best, by ever less. What nearly reaches the best counts a little too, and what may break a limit or fail for more
    than its expectation says: or, where nothing is left to gain among what is good, queries would go to what is almost
    certainly bad, for the little that is unknown there.

    With several objectives it is the hypervolume that the upper confidence bounds add (SMS-EGO, Ponweiser et al. 2008):
    so one proposal asks which part of the front is worth most, instead of one preference drawn by chance. Hypervolume is
    measured between scores, from the worst of each objective: no unit and no outlier matters there.

    The ascent itself climbs the bound, because what improves nothing has no slope.

    Attributes:
        bound: Says how optimistic and how careful about limits to be.
        few: Number of trials before which the bound alone ranks the candidates of one objective.
        near: Units of a score below the best from which improvement of one objective is counted.
        feasibility_weight: Factor of the log-probability of the limits beside the logarithm of that improvement; 1 would be
            the expectation itself.
    """

    bound: UpperConfidenceBound = field(default_factory=UpperConfidenceBound)
    few: int = 10
    near: float = 0.1
    feasibility_weight: float = 2.0

    def __call__(self, prediction: Prediction, preferences: Tensor) -> Tensor:
        return self.bound(prediction, preferences)

    def rank(self, prediction: Prediction, preferences: Tensor, history: History, goal: Goal) -> Tensor:
        bound, front = self.bound.after(len(history.architectures)), history.reached[history.feasible]
        values = bound.rank(prediction, preferences, history, goal)
        if history.objectives > 1:
            # Proposals made at the same time keep to their preferences, and so apart.
            values[0] = replace(self, bound=bound).improvement(prediction, front, history.worst)
        elif len(history.architectures) >= self.few and len(front):
            values[:] = self.expected(prediction, float(front.max()))
        return values

    def expected(self, prediction: Prediction, best: float) -> Tensor:
        """``(b,)`` logarithm of the expected improvement on a score of the only objective, and of the probability of its limits."""
        mean, std = prediction.mean[:, 0].double(), prediction.std[:, 0].double().clamp_min(CERTAIN)
        kept = self.bound.log_feasibility(prediction, 1)
        improvement = log_improvement((mean - best + self.near) / std) + std.log()
        return improvement.to(kept) + self.feasibility_weight * kept

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


def log_improvement(z: Tensor) -> Tensor:
    """The logarithm of ``phi(z) + z Phi(z)``, which a float could not hold far below 0 (Ament et al. 2023, eq. 9)."""
    log_density = -0.5 * z.square() - 0.5 * math.log(2 * math.pi)
    # The scaled complementary error function is the quotient of Phi and phi, up to a factor.
    below = z.clamp_max(-1.0)
    far = torch.log1p(below * math.sqrt(math.pi / 2) * torch.special.erfcx(-below / math.sqrt(2)))
    above = z.clamp_min(-1.0)
    near = torch.exp(-0.5 * above.square()) / math.sqrt(2 * math.pi) + above * torch.special.ndtr(above)
    return torch.where(z < -1.0, log_density + far, near.log())


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
