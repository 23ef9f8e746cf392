"""The proxy's last layer: Gaussian-process regression on the ensemble's features, refitted in closed form."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from optiproxy.proxy.contract import Prediction


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

    @property
    def settings(self) -> Iterator[tuple[float, float, float]]:
        """Every combination of length scale, trend and noise."""
        return product(self.lengths, self.trends, self.noises)


@dataclass(frozen=True)
class Kernel:
    """``trend * 2 <x, x'> + exp(-|x - x'|^2 / (2 length^2))``.

    The factor 2 makes both parts equally large on average, because points whose typical distance is 1 have a mean squared
    norm of one half.

    Attributes:
        length: Of the squared-exponential part.
        trend: Variance of the linear part.
    """

    length: float
    trend: float

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """``(len(a), len(b))``, differentiable in both."""
        return self.of(*inner_products(a, b))

    def of(self, inner: Tensor, squared: Tensor) -> Tensor:
        """The same from what `inner_products` gives, which all kernels share."""
        return 2 * self.trend * inner + torch.exp(squared / (-2 * self.length**2))

    def variance(self, a: Tensor) -> Tensor:
        """``(len(a),)``: the kernel of each point with itself."""
        return 1 + 2 * self.trend * a.square().sum(1)


def inner_products(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Inner products and squared distances, each ``(len(a), len(b))``."""
    inner = a @ b.T
    return inner, (a.square().sum(1)[:, None] + b.square().sum(1)[None, :] - 2 * inner).clamp_min(0.0)


@dataclass(frozen=True)
class _Solution:
    """One kernel matrix, factored, and what each of ``m`` metrics is under it.

    Attributes:
        whitening: ``(n, n)`` inverse Cholesky factor.
        means: ``(m,)`` constant means by generalised least squares.
        residuals: ``(n, m)`` whitened.
        scales: ``(m,)`` variances of the function relative to its kernel.
        likelihood: ``(m,)`` profile log-likelihood, up to a constant.
    """

    whitening: Tensor
    means: Tensor
    residuals: Tensor
    scales: Tensor
    likelihood: Tensor

    @classmethod
    def of(cls, kernel: Tensor, noise: float, targets: Tensor) -> _Solution:
        """Rasmussen and Williams, algorithm 2.1, with a constant mean whose prior is flat (their section 2.7)."""
        identity = torch.eye(len(kernel), dtype=kernel.dtype)
        factor = torch.linalg.cholesky(kernel + noise * identity)
        whitening = torch.linalg.solve_triangular(factor, identity, upper=False)
        ones, y = whitening.sum(1, keepdim=True), whitening @ targets
        # eq. 2.42 for a single constant basis function: the generalised least-squares estimate.
        means = (ones * y).sum(0) / ones.square().sum()
        residuals = y - ones * means
        # The scale that maximises the likelihood, so that the kernel's own variance needs no grid.
        scales = residuals.square().mean(0).clamp_min(1e-4)
        # eq. 2.30 at that scale, without its constant.
        likelihood = -0.5 * len(kernel) * scales.log() - factor.diagonal().log().sum()
        return cls(whitening, means, residuals, scales, likelihood)


@dataclass(frozen=True)
class Regression:
    """A fitted regression for ``m`` metrics on ``n`` trials with ``q`` features (Rasmussen and Williams 2006, ch. 2).

    Attributes:
        features: ``(n, q)`` of the trials.
        kernels: ``m`` kernels, each metric's own.
        means: ``(m,)`` constant means.
        weights: ``(m, n)`` of each trial in the predicted mean.
        whitening: ``(m, n, n)`` inverse Cholesky factors of the kernel matrices.
        scales: ``(m,)`` variances of the function relative to its kernel.
        noises: ``(m,)`` variances of the observations, likewise.
    """

    features: Tensor
    kernels: tuple[Kernel, ...]
    means: Tensor
    weights: Tensor
    whitening: Tensor
    scales: Tensor
    noises: Tensor

    @classmethod
    def fit(cls, features: Tensor, targets: Tensor, config: RegressionConfig) -> Regression:
        """Try one setting after the other, so that memory stays at a few kernel matrices, and keep each metric's likeliest.

        Args:
            features: ``(n, q)``, around 0 and scaled such that typical graphs lie at a distance of 1.
            targets: ``(n, m)`` scores.
            config: Settings.
        """
        # In double precision, because a kernel matrix of similar graphs is close to singular.
        products, y = inner_products(features.double(), features.double()), targets.double()
        settings = [(Kernel(length, trend), noise) for length, trend, noise in config.settings]
        likelihoods = [_Solution.of(kernel.of(*products), noise, y).likelihood for kernel, noise in settings]
        best = [settings[i] for i in torch.stack(likelihoods).argmax(0).tolist()]
        fits = [_Solution.of(kernel.of(*products), noise, y[:, [m]]) for m, (kernel, noise) in enumerate(best)]

        def stacked(parts: Iterable[Tensor]) -> Tensor:
            return torch.stack(list(parts)).to(features.dtype)

        return cls(
            features,
            tuple(kernel for kernel, _ in best),
            stacked(fit.means[0] for fit in fits),
            stacked(fit.whitening.T @ fit.residuals[:, 0] for fit in fits),
            stacked(fit.whitening for fit in fits),
            stacked(fit.scales[0] for fit in fits),
            torch.tensor([noise for _, noise in best], dtype=features.dtype),
        )

    def __call__(self, features: Tensor) -> Prediction:
        """Predict for ``features (b, q)``; differentiable in them."""
        products = inner_products(features, self.features)
        kernel = torch.stack([k.of(*products) for k in self.kernels])  # (m, b, n)
        prior = torch.stack([k.variance(features) for k in self.kernels])
        # eq. 2.25
        mean = self.means[:, None] + (kernel @ self.weights[:, :, None])[:, :, 0]
        explained = (kernel @ self.whitening.transpose(1, 2)).square().sum(2)
        # eq. 2.26, with the noise that a new measurement has too
        variance = self.scales[:, None] * ((prior - explained).clamp_min(0.0) + self.noises[:, None])
        return Prediction(mean.T, variance.sqrt().T)


def typical_distance(features: Tensor) -> float:
    """The median distance of two of these ``(n, q)`` points; 1 where they all coincide."""
    distances = torch.pdist(features)
    median = float(distances.median()) if len(distances) else 0.0
    return median if math.isfinite(median) and median > 0 else 1.0
