"""What settings of a kernel the trials make likely: marginal likelihood and priors, with their gradient.

In numpy and not in torch: the matrices are so small that what automatic differentiation keeps account of would take most of
the time, and a search asks for this some thirty times a proposal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import (
    dpotrf,  # pyright: ignore[reportAttributeAccessIssue] - made at import
    dpotri,  # pyright: ignore[reportAttributeAccessIssue] - the same
)
from scipy.optimize import minimize

Array = NDArray[np.float64]


WIGGLY = 1.5
"""Logarithm of how much more relevant than expected everything is where the second search for settings begins.

Values that change over short distances look like noise from the medians of the priors, and the density has a peak for each."""


@dataclass(frozen=True, kw_only=True)
class LogNormal:
    """A prior of a positive number.

    Attributes:
        median: Its median.
        spread: Standard deviation of its logarithm.
    """

    median: float
    spread: float

    def penalty(self, logarithm: Array) -> tuple[float, Array]:
        """Negative log-density of logarithms, up to a constant, and its gradient."""
        away = (logarithm - np.log(self.median)) / self.spread
        return 0.5 * float(away @ away), away / self.spread


@dataclass(frozen=True, kw_only=True)
class RegressionConfig:
    """What is believed of a metric before any trial.

    The kernel is a sum: a linear part, which carries a trend on to architectures unlike any seen, and a
    squared-exponential part, which bends it where trials say so. Both see each group of features as large as it is
    relevant: the trials say how much each counts, and what is useless is shrunk until it does no harm (automatic
    relevance determination, Rasmussen and Williams 2006, section 5.1).

    Attributes:
        relevance: Of each group, the factor of its squared distance, relative to what the encoder makes of it.
        trend: Variance of the linear part, relative to that of the squared-exponential part.
        noise: Variance of the observations, likewise.
        trials: Largest number of trials that the settings are learned from; the best ones, and others evenly.
        iterations: Largest number of steps towards the most probable settings.
        least: Least variance of the function. Of equal values it would be 0, and the kernel worth nothing.
    """

    relevance: LogNormal = LogNormal(median=1.0, spread=1.0)
    trend: LogNormal = LogNormal(median=0.3, spread=1.0)
    noise: LogNormal = LogNormal(median=0.01, spread=0.75)
    trials: int = 100
    iterations: int = 40
    least: float = 1e-4


@dataclass(frozen=True)
class Settings:
    """Of one metric's kernel.

    Attributes:
        relevance: ``(g,)`` factor of the squared distance in each group of features.
        trend: Variance of the linear part.
        noise: Variance of the observations.
    """

    relevance: Array
    trend: float
    noise: float


@final
class Likelihood:
    """The negative log-posterior of the settings, given the targets of one metric.

    Args:
        inner: ``(g, n, n)`` inner products of the trials in each of ``g`` groups of features.
        targets: ``(n,)`` scores.
        config: Priors.
    """

    def __init__(self, inner: Array, targets: Array, config: RegressionConfig) -> None:
        self._inner = inner
        self._targets = targets
        self._config = config

    def most_probable(self) -> Settings:
        """Return the settings of the largest posterior density that is found (MAP)."""
        g, config = len(self._inner), self._config
        medians = np.log([*(config.relevance.median for _ in range(g)), config.trend.median, config.noise.median])
        # What lies beyond makes no difference to a prediction, and some to the condition of the matrix.
        bounds = [(start - 10, start + 6) for start in medians[:g]] + [(-6.0, 4.0), (-8.0, 2.0)]
        found = [
            minimize(self, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": config.iterations})
            for start in (medians, medians + np.array([WIGGLY] * g + [0.0, 0.0]))
        ]
        best: Array = np.exp(found[int(np.argmin([end.fun for end in found]))].x)
        return Settings(best[:g], float(best[g]), float(best[g + 1]))

    def __call__(self, logarithms: Array) -> tuple[float, Array]:
        """Value and gradient in the logarithms ``(g + 2,)`` of relevances, trend and noise."""
        g, n = len(self._inner), len(self._targets)
        relevance, trend, noise = np.exp(logarithms[:g]), np.exp(logarithms[g]), np.exp(logarithms[g + 1])
        linear = np.tensordot(relevance, self._inner, 1)
        bend = np.exp(-0.5 * np.tensordot(relevance, self._squared, 1))
        kernel = 2 * trend * linear + bend
        kernel.flat[:: n + 1] += noise
        inverse, log_determinant = _inverse(kernel)
        # A constant mean with a flat prior (Rasmussen and Williams, section 2.7), and the likeliest variance.
        weights = inverse.sum(1)
        residuals = self._targets - weights @ self._targets / weights.sum()
        solved = inverse @ residuals
        scale = max(float(residuals @ solved) / n, self._config.least)
        value = 0.5 * n * np.log(scale) + 0.5 * log_determinant
        # eq. 5.9, of the negative logarithm; the variance is at its maximum, and so moves nothing.
        slope = 0.5 * (inverse - np.outer(solved, solved) / scale)
        by_linear, by_bend = 2 * trend * slope, -0.5 * slope * bend
        gradient = np.empty(g + 2)
        gradient[:g] = relevance * (np.tensordot(self._inner, by_linear, 2) + np.tensordot(self._squared, by_bend, 2))
        gradient[g] = float((by_linear * linear).sum())
        gradient[g + 1] = noise * float(np.trace(slope))
        config = self._config
        for prior, part in (
            (config.relevance, slice(0, g)),
            (config.trend, slice(g, g + 1)),
            (config.noise, slice(g + 1, g + 2)),
        ):
            penalty, by_prior = prior.penalty(logarithms[part])
            value += penalty
            gradient[part] += by_prior
        return float(value), gradient

    @cached_property
    def _squared(self) -> Array:
        """``(g, n, n)`` squared distances."""
        norms = np.einsum("gii->gi", self._inner)
        return np.maximum(norms[:, :, None] + norms[:, None, :] - 2 * self._inner, 0.0)


def _inverse(kernel: Array) -> tuple[Array, float]:
    """Inverse and log-determinant of a positive definite matrix, by its Cholesky factor."""
    factor: Array
    inverse: Array
    factor, failed = dpotrf(kernel, lower=1, clean=1)
    if failed:
        raise np.linalg.LinAlgError("the kernel matrix is not positive definite")
    inverse, _ = dpotri(factor, lower=1)
    lower = np.tril(inverse, -1)
    return lower + lower.T + np.diag(np.diag(inverse)), 2 * float(np.log(np.diag(factor)).sum())
