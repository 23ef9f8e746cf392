"""The proxy's last layer: Gaussian-process regression on the ensemble's features, refitted in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

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

    Attributes:
        lengths: Length scales of the squared-exponential kernel, relative to the typical distance of two graphs.
        noises: Variance of the observations relative to that of the function.
    """

    lengths: tuple[float, ...] = (0.7, 1.0, 1.4, 2.0)
    noises: tuple[float, ...] = (0.01, 0.05, 0.2)


@dataclass(frozen=True)
class Regression:
    """A fitted regression for ``m`` metrics on ``n`` trials with ``q`` features (Rasmussen and Williams 2006, ch. 2).

    Attributes:
        features: ``(n, q)`` of the trials.
        lengths: ``(m,)`` chosen length scales.
        means: ``(m,)`` constant means.
        weights: ``(m, n)`` of each trial in the predicted mean.
        whitening: ``(m, n, n)`` inverse Cholesky factors of the kernel matrices.
        scales: ``(m,)`` function variances.
    """

    features: Tensor
    lengths: Tensor
    means: Tensor
    weights: Tensor
    whitening: Tensor
    scales: Tensor

    @classmethod
    def fit(cls, features: Tensor, targets: Tensor, config: RegressionConfig) -> Regression:
        """Fit every metric under every setting at once and keep each metric's likeliest.

        Args:
            features: ``(n, q)``, scaled such that typical graphs lie at a distance of 1.
            targets: ``(n, m)`` scores.
            config: Settings, ``g`` in all.
        """
        n = len(features)
        lengths, noises = (
            x.reshape(-1)
            for x in torch.meshgrid(
                features.new_tensor(config.lengths), features.new_tensor(config.noises), indexing="ij"
            )
        )
        # In double precision, because a kernel matrix of similar graphs is close to singular.
        squared = _squared_distances(features, features).double()
        kernels = torch.exp(-squared / (2 * lengths.double()[:, None, None] ** 2))
        kernels = kernels + noises.double()[:, None, None] * torch.eye(n, dtype=torch.float64)
        factors = torch.linalg.cholesky(kernels)
        inverse = torch.linalg.solve_triangular(
            factors, torch.eye(n, dtype=torch.float64).expand_as(factors), upper=False
        )
        ones, y = inverse.sum(2), inverse @ targets.double()  # (g, n), (g, n, m)
        means = (ones[:, :, None] * y).sum(1) / ones.square().sum(1)[:, None]  # generalised least squares
        residuals = y - ones[:, :, None] * means[:, None, :]
        scales = residuals.square().mean(1).clamp_min(1e-4)  # (g, m)
        logdet = factors.diagonal(dim1=1, dim2=2).log().sum(1)
        likelihood = -0.5 * n * scales.log() - logdet[:, None]
        best = likelihood.argmax(0)
        columns = torch.arange(targets.shape[1])
        chosen = inverse[best]
        weights = (chosen.transpose(1, 2) @ residuals[best, :, columns][:, :, None])[:, :, 0]
        dtype = features.dtype
        return cls(
            features,
            lengths[best],
            means[best, columns].to(dtype),
            weights.to(dtype),
            chosen.to(dtype),
            scales[best, columns].to(dtype),
        )

    def __call__(self, features: Tensor) -> Prediction:
        """Predict for ``features (b, q)``; differentiable in them."""
        squared = _squared_distances(features, self.features)
        kernel = torch.exp(-squared / (2 * self.lengths[:, None, None] ** 2))  # (m, b, n)
        mean = self.means[:, None] + (kernel @ self.weights[:, :, None])[:, :, 0]
        explained = (kernel @ self.whitening.transpose(1, 2)).square().sum(2)
        variance = self.scales[:, None] * (1 - explained).clamp_min(1e-6)
        return Prediction(mean.T, variance.sqrt().T)


def _squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """``(len(a), len(b))``; by the binomial formula, whose gradient is smooth where two points meet."""
    return (a.square().sum(1)[:, None] + b.square().sum(1)[None, :] - 2 * a @ b.T).clamp_min(0.0)


def typical_distance(features: Tensor) -> float:
    """The median distance of two of these ``(n, q)`` points; 1 where they all coincide."""
    distances = torch.pdist(features)
    median = float(distances.median()) if len(distances) else 0.0
    return median if math.isfinite(median) and median > 0 else 1.0
