from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal

from optiproxy.proxy.likelihood import Likelihood, LogNormal, RegressionConfig

FLAT = LogNormal(median=1.0, spread=1e6)
CONFIG = RegressionConfig()


def inner(features):
    return np.stack([np.outer(column, column) for column in features.T])


def trials(n, g=3, *, seed=0, useful=1):
    """Points, and targets that depend on the first features alone."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, g))
    return features, np.sin(2 * features[:, :useful]).sum(1)


@pytest.mark.parametrize("config", [CONFIG, RegressionConfig(relevance=FLAT, trend=FLAT, noise=FLAT)])
def test_the_gradient_is_that_of_the_value(config):
    features, targets = trials(20)
    likelihood = Likelihood(inner(features), targets, config)
    for seed in range(3):
        at = np.random.default_rng(seed).normal(size=5) - 1
        differences = approx_fprime(at, lambda x: likelihood(x)[0], 1e-6)
        np.testing.assert_allclose(likelihood(at)[1], differences, rtol=1e-3, atol=1e-3)


def test_differs_from_the_normal_density_by_a_constant():
    """The density with the likeliest variance; the mean with its flat prior is known here to be 0 by symmetry."""
    features, targets = trials(12)
    features, targets = np.concatenate([features, -features]), np.concatenate([targets, -targets])
    config = RegressionConfig(relevance=FLAT, trend=FLAT, noise=FLAT)
    likelihood = Likelihood(inner(features), targets, config)
    squared = np.square(features[:, None] - features[None]).transpose(2, 0, 1)
    constants = []
    for seed in range(4):
        at = np.random.default_rng(seed).normal(size=5) * 0.5
        relevance, trend, noise = np.exp(at[:3]), np.exp(at[3]), np.exp(at[4])
        kernel = 2 * trend * (features * relevance) @ features.T + np.exp(-0.5 * np.tensordot(relevance, squared, 1))
        kernel += noise * np.eye(len(targets))
        scale = targets @ np.linalg.solve(kernel, targets) / len(targets)
        density = multivariate_normal(np.zeros(len(targets)), scale * kernel).logpdf(targets)
        constants.append(likelihood(at)[0] + density)
    np.testing.assert_allclose(constants, constants[0], rtol=1e-6)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("frequency", [4, 6, 8])
def test_what_changes_over_short_distances_is_not_taken_for_noise(frequency, seed):
    features = np.random.default_rng(seed).uniform(-1.5, 1.5, (16, 1))
    found = Likelihood(inner(features), np.sin(frequency * features[:, 0]), CONFIG).most_probable()
    assert found.relevance[0] > 4
    assert found.noise < 0.01


def test_noise_is_still_found_where_there_is_some():
    features, targets = trials(60)
    noisy = targets + 0.5 * targets.std() * np.random.default_rng(1).normal(size=60)
    assert Likelihood(inner(features), noisy, CONFIG).most_probable().noise > 0.03


def test_what_is_useless_becomes_irrelevant():
    """Ten useless decisions beside one that counts: each of them counts for less than a tenth of it."""
    features, targets = trials(60, g=11)
    relevance = Likelihood(inner(features), targets, CONFIG).most_probable().relevance
    assert relevance[0] > 10 * relevance[1:].max()


@pytest.mark.parametrize(("noise", "low", "high"), [(0.0, 0.0, 0.01), (0.5, 0.05, 2.0)])
def test_the_amount_of_noise_is_learned(noise, low, high):
    features, targets = trials(80)
    noisy = targets + noise * np.random.default_rng(1).normal(size=len(targets))
    assert low <= Likelihood(inner(features), noisy, CONFIG).most_probable().noise <= high


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_trials_leave_what_was_believed(n):
    features, targets = trials(n)
    settings = Likelihood(inner(features), targets, CONFIG).most_probable()
    assert (np.abs(np.log(settings.relevance)) < 1.0).all()
    assert 0.003 < settings.noise < 0.03


@pytest.mark.parametrize("targets", [np.zeros(6), np.array([0.0, 0, 0, 0, 0, 1e6])])
def test_copes_with_equal_points_and_with_outliers(targets):
    settings = Likelihood(inner(np.zeros((6, 2))), targets, CONFIG).most_probable()
    assert np.isfinite([*settings.relevance, settings.trend, settings.noise]).all()
