from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.baselines.predictor_based.bayesian_linear import BayesianLinear


def _data(n, q, *, noise, seed=0):
    rng = np.random.default_rng(seed)
    features, weights = rng.normal(size=(n, q)), rng.normal(size=q)
    return features, features @ weights + noise * rng.normal(size=n), weights


@given(st.integers(1, 12), st.integers(1, 6), st.integers(0, 1000))
def test_is_the_posterior_in_the_space_of_weights(n, q, seed):
    """The closed form over trials equals the one over weights (Rasmussen and Williams 2006, eq. 2.8)."""
    features, targets, _ = _data(n, q, noise=0.5, seed=seed)
    fitted = BayesianLinear.fit(features, targets, noises=(0.1,))
    at = np.random.default_rng(seed + 1).normal(size=(5, q))
    precision = features.T @ features / 0.1 + np.eye(q)
    mean = at @ np.linalg.solve(precision, features.T @ targets / 0.1)
    std = np.sqrt(fitted.scale * np.einsum("bq,bq->b", at, np.linalg.solve(precision, at.T).T))
    assert np.allclose(fitted(at)[0], mean, atol=1e-6)
    assert np.allclose(fitted(at)[1], std, atol=1e-4)


def test_finds_the_noise():
    chosen = []
    for noise in (0.03, 1.0):
        features, targets, _ = _data(200, 3, noise=noise)
        evidences = {x: BayesianLinear.fit(features, targets, noises=(x,)).evidence for x in (1e-3, 1e-2, 1e-1, 1.0)}
        chosen.append(max(evidences, key=evidences.get))
        assert BayesianLinear.fit(features, targets).evidence == max(evidences.values())
    assert chosen[0] < chosen[1]


def test_is_sure_of_what_it_has_seen_and_not_of_the_rest():
    features = np.eye(3)[:2]
    fitted = BayesianLinear.fit(features, np.array([1.0, -1.0]), noises=(1e-3,))
    mean, std = fitted(np.eye(3))
    assert np.allclose(mean, [1, -1, 0], atol=0.01)
    assert std[0] < 0.1 * std[2]


def test_constant_targets_are_no_trouble():
    fitted = BayesianLinear.fit(np.ones((4, 2)), np.zeros(4))
    mean, std = fitted(np.ones((1, 2)))
    assert mean[0] == 0
    assert np.isfinite(std).all()
