from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct

from optiproxy.proxy.likelihood import RegressionConfig, Settings
from optiproxy.proxy.regression import MOST_TRIALS, Column, Regression, representative, typical_distance

GROUPS = np.array([0, 0, 1])


def points(n, q=3, *, seed=0):
    return np.random.default_rng(seed).normal(size=(n, q))


def values(features):
    return np.sin(features).sum(1)


def solved(features, targets, *, relevance=(1.0, 1.0), trend=0.0, noise=0.01):
    return Column.solve(features, GROUPS, targets, Settings(np.array(relevance), trend, noise), 1e-4)


def predicted(column, features):
    return [part.double().numpy() for part in column(torch.tensor(features))]


@pytest.mark.parametrize(
    ("relevance", "noise", "trend"),
    [((1.5, 1.5), 0.01, 0.0), ((0.4, 2.0), 0.1, 0.3), ((0.1, 0.0), 0.5, 2.0), ((1.0, 0.3), 0.01, 50.0)],
)
def test_predicts_what_the_textbook_does(relevance, noise, trend):
    """Scikit-learn's regression of the residuals from our constant mean, with our variances of function and noise."""
    train, test = points(25), points(40, seed=1)
    column = solved(train, values(train), relevance=relevance, trend=trend, noise=noise)
    scaling = np.sqrt(relevance)[GROUPS]
    line = ConstantKernel(2 * trend + 1e-15, "fixed") * DotProduct(0.0, "fixed")
    reference = GaussianProcessRegressor(RBF(1.0) + line, alpha=noise, optimizer=None)
    reference.fit(train * scaling, (values(train) - column.mean) / column.variance**0.5)
    expected, spread = reference.predict(test * scaling, return_std=True)
    mean, deviation = predicted(column, test)
    np.testing.assert_allclose(mean, expected * column.variance**0.5 + column.mean, atol=2e-4)
    # Squared, because what single precision loses is a share of the variance before any trial.
    np.testing.assert_allclose(deviation**2, spread**2 * column.variance, rtol=1e-3, atol=1e-4 * (1 + trend))
    assert column.noise == pytest.approx((noise * column.variance) ** 0.5)


@pytest.mark.parametrize(("noise", "trend"), [(0.01, 0.0), (0.1, 0.3), (0.002, 2.0)])
def test_what_turns_out_as_expected_changes_the_certainty_alone(noise, trend):
    """The same as a fit to these points with the predicted values, but for the variance that such a fit would estimate."""
    train, pending, test = points(25), points(6, seed=2), points(40, seed=1)
    column = solved(train, values(train), trend=trend, noise=noise)
    expected, _ = predicted(column, pending)
    both = solved(np.vstack([train, pending]), np.concatenate([values(train), expected]), trend=trend, noise=noise)
    given = column.given(torch.tensor(pending))
    mean, deviation = predicted(given, test)
    np.testing.assert_allclose(mean, predicted(column, test)[0], atol=1e-5)
    np.testing.assert_allclose(
        deviation / column.variance**0.5, predicted(both, test)[1] / both.variance**0.5, rtol=0.02, atol=2e-3
    )
    assert (deviation <= predicted(column, test)[1] + 1e-6).all()


def test_what_runs_may_be_what_is_known_already_and_the_same_many_times():
    train = points(200)
    column = solved(train, values(train), noise=1e-8)
    mean, deviation = predicted(column.given(torch.tensor(np.repeat(train[:3], 30, 0))), points(40, seed=1))
    assert np.isfinite(mean).all()
    assert (deviation > 0).all()


def test_constant_mean_and_variance_are_the_likeliest():
    """They maximise the density of the targets: no other pair has a larger one."""
    train = points(20)
    targets = values(train) + 7.0
    column = solved(train, targets, trend=0.5, noise=0.1)
    squared = np.square(train[:, None] - train[None]).sum(2)
    kernel = torch.tensor(np.exp(-squared / 2) + train @ train.T + 0.1 * np.eye(20))

    def density(mean, scale):
        normal = torch.distributions.MultivariateNormal(mean * torch.ones(20).double(), scale * kernel)
        return normal.log_prob(torch.tensor(targets))

    others = [
        density(column.mean + a, column.variance * b)
        for a in (-0.3, 0, 0.3)
        for b in (0.8, 1, 1.25)
        if (a, b) != (0, 1)
    ]
    assert density(column.mean, column.variance) > max(others)


def test_each_metric_has_settings_of_its_own():
    features = torch.tensor(points(40))
    targets = torch.stack([features[:, 0].sin(), features[:, 2].sin()], 1)
    config = RegressionConfig()
    together = Regression.fit(features, (0, 1, 2), targets, [config] * targets.shape[1])
    first, second = (column.settings.relevance for column in together.columns)
    assert first[0] > 5 * first[2]
    assert second[2] > 5 * second[0]
    for m in range(2):
        alone = Regression.fit(features, (0, 1, 2), targets[:, [m]], [config])(features)
        torch.testing.assert_close(alone.mean[:, 0], together(features).mean[:, m])
        torch.testing.assert_close(alone.std[:, 0], together(features).std[:, m])


def test_goes_through_what_was_observed_without_noise():
    train = points(15)
    mean, deviation = predicted(solved(train, values(train), noise=1e-5), train)
    np.testing.assert_allclose(mean, values(train), atol=2e-3)
    assert deviation.max() < 0.02


def test_spread_grows_away_from_what_was_observed_to_that_of_the_function():
    train = points(15)
    column = solved(train, values(train))
    away = np.array([[1.0, 0.0, 0.0]]) * np.arange(4, 12)[:, None]
    mean, deviation = predicted(column, train[:1] + away)
    assert (np.diff(deviation) >= 0).all()
    np.testing.assert_allclose(deviation[-1], column.variance**0.5, rtol=1e-5)
    np.testing.assert_allclose(mean[-1], column.mean, rtol=1e-5)


def test_a_trend_goes_on_where_nothing_was_observed():
    train, away = points(15), 10 * points(8, seed=3)
    slope = np.array([1.0, -2.0, 0.5])
    errors = [
        np.abs(predicted(solved(train, train @ slope, trend=trend), away)[0] - away @ slope).mean()
        for trend in (3.0, 0.0)
    ]
    assert errors[0] < 0.1 * errors[1]


@pytest.mark.parametrize("trend", [0.0, 1.0])
def test_gradients_are_exact(trend):
    train = points(10)
    column = solved(train, values(train), trend=trend, noise=0.05)
    assert torch.autograd.gradcheck(column, torch.tensor(points(5, seed=2)).requires_grad_())


def test_gradients_are_finite_where_a_trial_was_made():
    train = points(10)
    at = torch.tensor(train, dtype=torch.float32).requires_grad_()
    mean, deviation = solved(train, values(train))(at)
    (gradient,) = torch.autograd.grad(mean.sum() + deviation.sum(), at)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_copes_with_trials_that_are_all_alike(n):
    regression = Regression.fit(torch.zeros(n, 3), (0, 0, 1), torch.full((n, 2), 1.5), [RegressionConfig()] * 2)
    prediction = regression(torch.randn(4, 3))
    torch.testing.assert_close(prediction.mean, torch.full((4, 2), 1.5))
    assert (prediction.std > 0).all()
    assert prediction.std.isfinite().all()


def test_of_many_trials_the_best_and_an_even_choice_of_the_others_are_kept():
    targets = np.random.default_rng(0).permutation(1000).astype(float)
    kept = representative(targets, 100)
    assert len(set(kept.tolist())) == 100
    assert set(np.argsort(-targets)[:50].tolist()) <= set(kept.tolist())
    others = np.sort(targets[kept])[:50]
    assert others[0] == 0
    assert np.diff(others).max() < 30
    assert representative(targets[:100], 100).tolist() == list(range(100))


def test_a_long_history_is_summarised():
    train = points(MOST_TRIALS + 200)
    column = solved(train, values(train))
    assert len(column.features) == MOST_TRIALS
    test = points(50, seed=1)
    assert np.corrcoef(predicted(column, test)[0], values(test))[0, 1] > 0.99


def test_typical_distance_is_the_median_of_all_pairs():
    assert typical_distance(torch.tensor([[0.0], [1.0], [4.0]])) == 3.0
    assert typical_distance(torch.zeros(5, 2)) == 1.0
    assert typical_distance(torch.zeros(1, 2)) == 1.0
