"""Bayesian linear regression in closed form, which with kernel features is a Gaussian process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optiproxy.baselines.ranking import Array


@dataclass(frozen=True)
class BayesianLinear:
    """``y = <w, x> + noise`` with a normal prior of the weights (Rasmussen and Williams 2006, ch. 2).

    Attributes:
        features: ``(n, q)`` of the trials.
        weights: ``(n,)`` of each trial in the predicted mean.
        whitening: ``(n, n)`` inverse Cholesky factor of the covariance.
        scale: Variance of the weights.
        evidence: Logarithm of the likelihood of the targets, up to a constant.
    """

    features: Array
    weights: Array
    whitening: Array
    scale: float
    evidence: float

    @classmethod
    def fit(
        cls, features: Array, targets: Array, *, noises: Sequence[float] = (1e-3, 1e-2, 1e-1, 1.0)
    ) -> BayesianLinear:
        """The likeliest of the given noises; the variance of the weights is then the likeliest one in closed form.

        Args:
            features: ``(n, q)`` of length about 1.
            targets: ``(n,)`` around 0.
            noises: Variances of the observations, relative to that of the weights.
        """
        n = len(features)
        covariance = features @ features.T
        fits: list[BayesianLinear] = []
        for noise in noises:
            factor = np.linalg.cholesky(covariance + noise * np.eye(n))
            whitening: Array = np.linalg.inv(factor).astype(np.float64)
            residuals = whitening @ targets
            scale = max(float(residuals @ residuals) / n, 1e-12)
            evidence = -0.5 * n * np.log(scale) - float(np.log(factor.diagonal()).sum())
            fits.append(cls(features, whitening.T @ residuals, whitening, scale, float(evidence)))
        return max(fits, key=lambda fit: fit.evidence)

    def __call__(self, features: Array) -> tuple[Array, Array]:
        """Mean and standard deviation ``(b,)`` of the function, without noise, at ``(b, q)``."""
        covariance = features @ self.features.T
        explained = np.square(covariance @ self.whitening.T).sum(1)
        variance = self.scale * np.maximum(np.square(features).sum(1) - explained, 1e-9)
        return covariance @ self.weights, np.sqrt(variance)
