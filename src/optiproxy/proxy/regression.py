"""The proxy's last layer: Gaussian-process regression on the ensemble's features, refitted in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor


@dataclass(frozen=True)
class Prediction:
    """Attributes are ``(b, m)``: the expected score of each metric and its standard deviation."""

    mean: Tensor
    spread: Tensor


@dataclass(frozen=True, kw_only=True)
class RegressionConfig:
    """The settings among which each metric chooses by marginal likelihood.

    The kernel is a sum: a linear part, which carries a trend on to architectures unlike any seen, and a
    squared-exponential part, which bends it where trials say so.

    Attributes:
        lengths: Length scales of the squared-exponential part, relative to the typical distance of two graphs.
        trends: Variances of the linear part, relative to that of the squared-exponential part.
        noises: Variances of the observations, likewise.
    """

    lengths: tuple[float, ...] = (0.7, 1.0, 1.4)
    trends: tuple[float, ...] = (0.3, 1.0, 3.0)
    noises: tuple[float, ...] = (0.01, 0.05, 0.2)


@dataclass(frozen=True)
class Kernel:
    """``g`` kernels side by side, ``trend * 2 <x, x'> + exp(-|x - x'|^2 / (2 length^2))``.

    The factor 2 makes both parts equally large on average, because points whose typical distance is 1 have a mean squared
    norm of one half.

    Attributes:
        lengths: ``(g,)`` in the dtype in which the kernel is to be computed.
        trends: ``(g,)``.
    """

    lengths: Tensor
    trends: Tensor

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """``(g, len(a), len(b))``, differentiable in both."""
        inner = (a @ b.T).to(self.lengths.dtype)
        norms_a, norms_b = (x.square().sum(1).to(self.lengths.dtype) for x in (a, b))
        squared = (norms_a[:, None] + norms_b[None, :] - 2 * inner).clamp_min(0.0)
        return 2 * self.trends[:, None, None] * inner + torch.exp(squared / (-2 * self.lengths[:, None, None] ** 2))

    def variance(self, a: Tensor) -> Tensor:
        """``(g, len(a))``: the kernel of each point with itself."""
        return 1 + 2 * self.trends[:, None] * a.square().sum(1).to(self.trends.dtype)

    def chosen(self, settings: Tensor, dtype: torch.dtype) -> Kernel:
        """The kernels at these positions."""
        return Kernel(self.lengths[settings].to(dtype), self.trends[settings].to(dtype))


@dataclass(frozen=True)
class Regression:
    """A fitted regression for ``m`` metrics on ``n`` trials with ``q`` features (Rasmussen and Williams 2006, ch. 2).

    Attributes:
        features: ``(n, q)`` of the trials.
        kernel: ``m`` kernels, each metric's own.
        means: ``(m,)`` constant means.
        weights: ``(m, n)`` of each trial in the predicted mean.
        whitening: ``(m, n, n)`` inverse Cholesky factors of the kernel matrices.
        scales: ``(m,)`` variances of the function relative to its kernel.
    """

    features: Tensor
    kernel: Kernel
    means: Tensor
    weights: Tensor
    whitening: Tensor
    scales: Tensor

    @classmethod
    def fit(cls, features: Tensor, targets: Tensor, config: RegressionConfig) -> Regression:
        """Fit every metric under every setting at once and keep each metric's likeliest.

        Args:
            features: ``(n, q)``, around 0 and scaled such that typical graphs lie at a distance of 1.
            targets: ``(n, m)`` scores.
            config: Settings, ``g`` in all.
        """
        n, dtype = len(features), features.dtype
        # In double precision, because a kernel matrix of similar graphs is close to singular.
        settings = torch.tensor(list(product(config.lengths, config.trends, config.noises)), dtype=torch.float64)
        lengths, trends, noises = settings.T
        kernel, identity = Kernel(lengths, trends), torch.eye(n, dtype=torch.float64)
        factors = torch.linalg.cholesky(kernel(features, features) + noises[:, None, None] * identity)
        inverse = torch.linalg.solve_triangular(factors, identity.expand_as(factors), upper=False)
        ones, y = inverse.sum(2), inverse @ targets.double()  # (g, n), (g, n, m)
        means = (ones[:, :, None] * y).sum(1) / ones.square().sum(1)[:, None]  # generalised least squares
        residuals = y - ones[:, :, None] * means[:, None, :]
        scales = residuals.square().mean(1).clamp_min(1e-4)  # (g, m)
        logdet = factors.diagonal(dim1=1, dim2=2).log().sum(1)
        best = (-0.5 * n * scales.log() - logdet[:, None]).argmax(0)  # profile log-likelihood, up to a constant
        columns = torch.arange(targets.shape[1])
        whitening = inverse[best]
        weights = (whitening.transpose(1, 2) @ residuals[best, :, columns][:, :, None])[:, :, 0]
        return cls(
            features,
            kernel.chosen(best, dtype),
            means[best, columns].to(dtype),
            weights.to(dtype),
            whitening.to(dtype),
            scales[best, columns].to(dtype),
        )

    def __call__(self, features: Tensor) -> Prediction:
        """Predict for ``features (b, q)``; differentiable in them."""
        kernel = self.kernel(features, self.features)  # (m, b, n)
        mean = self.means[:, None] + (kernel @ self.weights[:, :, None])[:, :, 0]
        explained = (kernel @ self.whitening.transpose(1, 2)).square().sum(2)
        variance = self.scales[:, None] * (self.kernel.variance(features) - explained).clamp_min(1e-6)
        return Prediction(mean.T, variance.sqrt().T)


def typical_distance(features: Tensor) -> float:
    """The median distance of two of these ``(n, q)`` points; 1 where they all coincide."""
    distances = torch.pdist(features)
    median = float(distances.median()) if len(distances) else 0.0
    return median if math.isfinite(median) and median > 0 else 1.0
