"""The proxy's last layer: Gaussian-process regression on the encoder's features, refitted in closed form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from optiproxy.proxy.contract import Prediction
from optiproxy.proxy.likelihood import Likelihood, RegressionConfig, Settings

Array = NDArray[np.float64]

MOST_TRIALS = 600
"""Largest number of trials that a prediction rests on: beyond, time would grow with their square."""

TINY = 1e-6
"""Least variance of a prediction, relative to the kernel's: single precision tells no smaller one."""

LEAST = 1e-3
"""Noise, relative to the function, of what is only expected: so that rounding leaves the matrix of near ones positive."""


@dataclass(frozen=True)
class Column:
    """The regression of one metric on ``n`` trials with ``q`` features (Rasmussen and Williams 2006, chapter 2).

    Attributes:
        settings: Of the kernel ``trend * 2 <x, x'> + exp(-|x - x'|^2 / 2)``, which sees features times ``scaling``. The
            factor 2 makes both parts equally large on average: points whose typical distance is 1 have a mean squared
            norm of one half.
        scaling: ``(q,)`` root of the relevance of each feature's group.
        features: ``(n, q)`` scaled features of the trials.
        mean: Constant mean by generalised least squares.
        weights: ``(n,)`` of each trial in the predicted mean.
        whitening: ``(n, n)`` inverse Cholesky factor of the kernel matrix.
        variance: Of the function, relative to its kernel.
    """

    settings: Settings
    scaling: Tensor
    features: Tensor
    mean: float
    weights: Tensor
    whitening: Tensor
    variance: float

    @classmethod
    def fit(cls, features: Array, groups: NDArray[np.intp], targets: Array, config: RegressionConfig) -> Column:
        """Learn how relevant each group of features is, then solve for the weights.

        Args:
            features: ``(n, q)``, around 0 and scaled such that typical graphs lie at a distance of about 1.
            groups: ``(q,)`` number of each feature's group.
            targets: ``(n,)`` scores, NaN where there is none.
            config: Priors.
        """
        known = np.isfinite(targets)
        features, targets = features[known], targets[known]
        few = representative(targets, config.trials)
        members = [features[few][:, groups == group] for group in range(groups.max(initial=-1) + 1)]
        inner = np.stack([part @ part.T for part in members])
        settings = Likelihood(inner, targets[few], config).most_probable()
        return cls.solve(features, groups, targets, settings, config.least)

    @classmethod
    def solve(
        cls, features: Array, groups: NDArray[np.intp], targets: Array, settings: Settings, least: float
    ) -> Column:
        """The regression under given settings, with a variance of at least so much."""
        kept = representative(targets, MOST_TRIALS)
        scaling: Array = np.sqrt(settings.relevance)[groups]
        scaled, y = features[kept] * scaling, targets[kept]
        # In double precision, because a kernel matrix of similar graphs is close to singular.
        kernel = _kernel(torch.from_numpy(scaled), torch.from_numpy(scaled), settings.trend)
        identity = torch.eye(len(y), dtype=kernel.dtype)
        # Algorithm 2.1, with a constant mean whose prior is flat (section 2.7).
        factor = torch.linalg.cholesky(kernel + settings.noise * identity)
        whitening = torch.linalg.solve_triangular(factor, identity, upper=False)
        ones, white = whitening.sum(1), whitening @ torch.from_numpy(y)
        # eq. 2.42 for a single constant basis function.
        mean = float(ones @ white / ones.square().sum())
        residuals = white - mean * ones
        return cls(
            settings,
            _single(scaling),
            _single(scaled),
            mean,
            (whitening.T @ residuals).float(),
            whitening.float(),
            # The one that maximises the likelihood.
            max(float(residuals.square().mean()), least),
        )

    @property
    def noise(self) -> float:
        """Standard deviation of a measurement from the function."""
        return math.sqrt(self.variance * self.settings.noise)

    def __call__(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Means and standard deviations of the function, each ``(b,)``, for ``features (b, q)``; differentiable in them."""
        points = features * self.scaling.to(features)
        kernel = _kernel(points, self.features.to(points), self.settings.trend)
        # eq. 2.25
        mean = self.mean + kernel @ self.weights.to(points)
        prior = 1 + 2 * self.settings.trend * points.square().sum(1)
        explained = (kernel @ self.whitening.T.to(points)).square().sum(1)
        # eq. 2.26; at a trial the difference is a rounding error, whose root would have no slope
        variance = self.variance * (prior - explained).clamp_min(TINY)
        return mean, variance.sqrt()

    def given(self, features: Tensor) -> Column:
        """The regression after measurements at ``features (p, q)`` that turned out as expected (Desautels et al. 2014)."""
        points = (features * self.scaling).double()
        known, whitening = self.features.double(), self.whitening.double()
        identity = torch.eye(len(points), dtype=points.dtype)
        # The inverse Cholesky factor of a matrix that has grown by rows and columns, block by block.
        explained = _kernel(points, known, self.settings.trend) @ whitening.T
        rest = (
            _kernel(points, points, self.settings.trend)
            + max(self.settings.noise, LEAST) * identity
            - explained @ explained.T
        )
        corner = torch.linalg.solve_triangular(torch.linalg.cholesky(rest), identity, upper=False)
        above = torch.zeros(len(whitening), len(points), dtype=points.dtype)
        grown = torch.cat([torch.cat([whitening, above], 1), torch.cat([-corner @ explained @ whitening, corner], 1)])
        return replace(
            self,
            features=torch.cat([self.features, points.float()]),
            weights=torch.cat([self.weights, torch.zeros(len(points))]),
            whitening=grown.float(),
        )


@dataclass(frozen=True)
class Regression:
    """A fitted regression for ``m`` metrics, each with settings of its own.

    Attributes:
        columns: ``m`` of them.
    """

    columns: tuple[Column, ...]

    @classmethod
    def fit(
        cls, features: Tensor, groups: tuple[int, ...], targets: Tensor, configs: Sequence[RegressionConfig]
    ) -> Regression:
        """Fit one metric after the other.

        Args:
            features: ``(n, q)``, around 0 and scaled such that typical graphs lie at a distance of about 1.
            groups: Number of each of the ``q`` features' group, from 0 on.
            targets: ``(n, m)`` scores, NaN where a trial has none.
            configs: ``m`` priors, of each metric.
        """
        points: Array = features.double().numpy()
        scores: Array = targets.double().numpy()
        columns = zip(scores.T, configs, strict=True)
        return cls(tuple(Column.fit(points, np.array(groups), column, config) for column, config in columns))

    def __call__(self, features: Tensor) -> Prediction:
        """Predict for ``features (b, q)``; differentiable in them."""
        means, deviations = zip(*(column(features) for column in self.columns), strict=True)
        mean = torch.stack(means, 1)
        noise = mean.new_tensor([column.noise for column in self.columns])
        return Prediction(mean, torch.stack(deviations, 1), noise.expand_as(mean))

    def given(self, features: Tensor) -> Regression:
        """The regression after measurements at ``features (p, q)`` that turned out as expected."""
        return Regression(tuple(column.given(features) for column in self.columns))


def _kernel(a: Tensor, b: Tensor, trend: float) -> Tensor:
    """``(len(a), len(b))``, differentiable in both."""
    inner = a @ b.T
    squared = (a.square().sum(1)[:, None] + b.square().sum(1)[None, :] - 2 * inner).clamp_min(0.0)
    return 2 * trend * inner + torch.exp(-0.5 * squared)


def _single(array: Array) -> Tensor:
    return torch.tensor(array, dtype=torch.float32)


def representative(targets: Array, most: int) -> NDArray[np.intp]:
    """Positions of at most so many trials, ascending: half of them the best ones, the others evenly from the rest."""
    n = len(targets)
    if n <= most:
        return np.arange(n)
    order = np.argsort(-targets, kind="stable")
    best, rest = order[: most // 2], order[most // 2 :]
    evenly = np.linspace(0, len(rest) - 1, most - most // 2).round().astype(np.intp)
    return np.sort(np.concatenate([best, rest[evenly]]))


def typical_distance(features: Tensor) -> float:
    """The median distance of two of these ``(n, q)`` points; 1 where they all coincide."""
    distances = torch.pdist(features)
    median = float(distances.median()) if len(distances) else 0.0
    return median if math.isfinite(median) and median > 0 else 1.0
