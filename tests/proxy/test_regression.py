from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct

from optiproxy.proxy.regression import Regression, RegressionConfig, typical_distance


def points(n, q=3, *, seed=0):
    return torch.tensor(np.random.default_rng(seed).normal(size=(n, q)))


def values(features):
    return torch.stack([features.sin().sum(1), features[:, 0] * features[:, 1]], 1)


def fixed(length, noise, trend=0.0):
    return RegressionConfig(lengths=(length,), trends=(trend,), noises=(noise,))


@pytest.mark.parametrize(
    ("length", "noise", "trend"), [(0.8, 0.01, 0.0), (1.5, 0.1, 0.3), (3.0, 0.5, 2.0), (1.0, 0.01, 50.0)]
)
def test_predicts_what_the_textbook_does(length, noise, trend):
    """Scikit-learn's regression of the residuals from our constant mean, with our variances of function and noise."""
    train, test = points(25), points(40, seed=1)
    targets = values(train)
    regression = Regression.fit(train, targets, fixed(length, noise, trend))
    prediction = regression(test)
    line = ConstantKernel(2 * trend + 1e-15, "fixed") * DotProduct(0.0, "fixed")
    for column in range(2):
        mean, scale = float(regression.means[column]), float(regression.scales[column])
        reference = GaussianProcessRegressor(RBF(length) + line, alpha=noise, optimizer=None)
        reference.fit(train.numpy(), (targets[:, column] - mean).numpy() / scale**0.5)
        expected, spread = reference.predict(test.numpy(), return_std=True)
        np.testing.assert_allclose(prediction.mean[:, column], expected * scale**0.5 + mean, atol=1e-6)
        measured = np.sqrt(spread**2 + noise)
        np.testing.assert_allclose(prediction.std[:, column], measured * scale**0.5, rtol=1e-4, atol=1e-5)


def test_constant_mean_and_variance_are_the_likeliest():
    """They maximise the density of the targets: no other pair has a larger one."""
    train = points(20)
    targets = values(train)[:, :1] + 7.0
    regression = Regression.fit(train, targets, fixed(1.0, 0.1, 0.5))
    squared = (train[:, None] - train[None]).square().sum(2)
    kernel = torch.exp(-squared / 2) + train @ train.T + 0.1 * torch.eye(20)

    def density(mean, scale):
        normal = torch.distributions.MultivariateNormal(mean * torch.ones(20).double(), scale * kernel)
        return normal.log_prob(targets[:, 0])

    mean, scale = regression.means[0], regression.scales[0]
    others = [density(mean + a, scale * b) for a in (-0.3, 0, 0.3) for b in (0.8, 1, 1.25) if (a, b) != (0, 1)]
    assert density(mean, scale) > max(others)


def test_each_metric_chooses_the_setting_under_which_it_is_likeliest():
    features = torch.linspace(0, 10, 40, dtype=torch.float64)[:, None]
    noise = torch.tensor(np.random.default_rng(0).normal(size=40))
    targets = torch.stack([(features[:, 0] / 3).sin(), (3 * features[:, 0]).sin(), noise], 1)
    config = RegressionConfig(lengths=(0.4, 3.0), trends=(0.0, 0.1), noises=(1e-4, 1e-2))
    regression = Regression.fit(features, targets, config)
    assert [kernel.length for kernel in regression.kernels[:2]] == [3.0, 0.4]
    alone = [Regression.fit(features, targets[:, [m]], config) for m in range(3)]
    test = features + 0.1
    together = regression(test)
    for m in range(3):
        torch.testing.assert_close(alone[m](test).mean[:, 0], together.mean[:, m])
        torch.testing.assert_close(alone[m](test).std[:, 0], together.std[:, m])


def test_goes_through_what_was_observed_without_noise():
    train = points(15)
    prediction = Regression.fit(train, values(train), fixed(1.0, 1e-6))(train)
    torch.testing.assert_close(prediction.mean, values(train), atol=1e-3, rtol=0)
    assert prediction.std.max() < 0.01


def test_spread_grows_away_from_what_was_observed_to_that_of_function_and_noise():
    train = points(15)
    regression = Regression.fit(train, values(train), fixed(1.0, 0.01))
    away = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64) * torch.arange(4, 12)[:, None]
    prediction = regression(train[:1] + away)
    assert (prediction.std.diff(dim=0) >= 0).all()
    torch.testing.assert_close(prediction.std[-1], (1.01 * regression.scales).sqrt())
    torch.testing.assert_close(prediction.mean[-1], regression.means)


def test_a_trend_goes_on_where_nothing_was_observed():
    train = points(15)
    slope = torch.tensor([[1.0], [-2.0], [0.5]], dtype=torch.float64)
    away = 10 * points(8, seed=3)
    with_trend, without = (Regression.fit(train, train @ slope, fixed(1.0, 0.01, trend))(away) for trend in (3.0, 0.0))
    errors = [(prediction.mean - away @ slope).abs().mean() for prediction in (with_trend, without)]
    assert errors[0] < 0.1 * errors[1]


@pytest.mark.parametrize("trend", [0.0, 1.0])
def test_gradients_are_exact(trend):
    train = points(10)
    regression = Regression.fit(train, values(train), fixed(1.2, 0.05, trend))

    def predicted(features):
        prediction = regression(features)
        return torch.cat([prediction.mean, prediction.std], 1)

    assert torch.autograd.gradcheck(predicted, points(5, seed=2).requires_grad_())


def test_gradients_are_finite_where_a_trial_was_made():
    train = points(10).float()
    at = train.clone().requires_grad_()
    prediction = Regression.fit(train, values(train), RegressionConfig())(at)
    (gradient,) = torch.autograd.grad(prediction.mean.sum() + prediction.std.sum(), at)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_copes_with_trials_that_are_all_alike(n):
    features = torch.zeros(n, 3)
    prediction = Regression.fit(features, torch.full((n, 2), 1.5), RegressionConfig())(torch.randn(4, 3))
    torch.testing.assert_close(prediction.mean, torch.full((4, 2), 1.5))
    assert (prediction.std > 0).all()
    assert prediction.std.isfinite().all()


def test_typical_distance_is_the_median_of_all_pairs():
    assert typical_distance(torch.tensor([[0.0], [1.0], [4.0]])) == 3.0
    assert typical_distance(torch.zeros(5, 2)) == 1.0
    assert typical_distance(torch.zeros(1, 2)) == 1.0
