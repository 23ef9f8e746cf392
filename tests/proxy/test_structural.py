from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from optiproxy.proxy import StructuralProxy
from optiproxy.proxy.encoder import EnsembleConfig, PretrainingConfig, structural_properties
from optiproxy.proxy.structural import structured
from optiproxy.spaces import FlatSpace, NASBench201, Space

SPACE = NASBench201()
PROXY = StructuralProxy(
    ensemble=EnsembleConfig(members=2, width=16), pretraining=PretrainingConfig(steps=60, learning_rate=1e-2)
)


def cells(n, *, seed):
    return SPACE.sample(np.random.default_rng(seed), n)


def graphs(architectures):
    return SPACE.encode(SPACE.one_hot(architectures))


def worth(architectures):
    """``(n, 1)``: convolutions that data passes on its way."""
    return structural_properties(graphs(architectures))[:, 2:4].sum(1, keepdim=True)


@pytest.fixture(scope="module")
def encoder():
    return PROXY.pretrain(graphs(cells(300, seed=0)), seed=0)


@pytest.fixture(scope="module")
def fit(encoder):
    """Architectures -> a predictor of their worth."""
    return lambda architectures: PROXY.fit(encoder, graphs(architectures), worth(architectures))


def test_few_trials_of_a_structural_property_order_unseen_cells(fit):
    train, test = cells(40, seed=1), cells(200, seed=2)
    predicted = fit(train)(graphs(test)).mean
    assert spearmanr(predicted[:, 0], worth(test)[:, 0]).statistic > 0.8


def test_is_surer_of_what_it_was_told(fit):
    train, test = cells(20, seed=1), cells(100, seed=2)
    predictor = fit(train)
    assert predictor(graphs(train)).std.mean() < 0.7 * predictor(graphs(test)).std.mean()


def test_is_surer_of_what_runs_and_expects_the_same(fit):
    train, running, test = cells(20, seed=1), cells(10, seed=3), cells(100, seed=2)
    predictor = fit(train)
    given = predictor.given(graphs(running))
    assert given(graphs(running)).std.mean() < 0.9 * predictor(graphs(running)).std.mean()
    torch.testing.assert_close(given(graphs(test)).mean, predictor(graphs(test)).mean, atol=1e-4, rtol=1e-4)


def test_a_fit_depends_on_its_arguments_alone_and_never_changes(fit):
    test = graphs(cells(10, seed=2))
    few, many = cells(5, seed=1), cells(30, seed=1)
    first = fit(few)
    before = first(test)
    other = fit(many)(test)
    assert torch.equal(first(test).mean, before.mean)
    assert torch.equal(fit(few)(test).mean, before.mean)
    assert torch.equal(fit(few)(test).std, before.std)
    assert not torch.allclose(other.mean, before.mean)


def test_mirror_images_are_predicted_alike(fit):
    """Two cells that differ in the order of their nodes only compute the same, though the benchmark counts them twice."""
    train = cells(20, seed=1)
    # Edges 0-1, 1-3 and 0-2, 2-3 are the two ways round; edge 1-2 is cut.
    one, mirrored = (2, 3, 0, 4, 1, 2), (3, 2, 0, 4, 2, 1)
    prediction = fit(train)(graphs([one, mirrored]))
    torch.testing.assert_close(prediction.mean[0], prediction.mean[1])
    torch.testing.assert_close(prediction.std[0], prediction.std[1])


def test_the_prediction_can_be_climbed(fit):
    """A step along the gradient with respect to relaxed cells raises the mean as much as the gradient says."""
    train = cells(20, seed=1)
    proxy = fit(train)
    weights = torch.randn(3, 6, 5, generator=torch.Generator().manual_seed(0)).softmax(-1).requires_grad_()
    mean = proxy(SPACE.encode(weights)).mean.sum()
    (gradient,) = torch.autograd.grad(mean, weights)
    step = 1e-2 * gradient / gradient.norm()
    with torch.no_grad():
        difference = proxy(SPACE.encode(weights + step)).mean.sum() - proxy(SPACE.encode(weights - step)).mean.sum()
    assert float(difference) == pytest.approx(float(2e-2 * gradient.norm()), rel=0.05)


def test_is_a_function_of_its_seed():
    proxy = StructuralProxy(ensemble=EnsembleConfig(members=2, width=8), pretraining=PretrainingConfig(steps=3))
    train, test = cells(10, seed=1), graphs(cells(5, seed=2))
    means = []
    for seed in (0, 0, 1):
        encoder = proxy.pretrain(graphs(cells(50, seed=0)), seed=seed)
        means.append(proxy.fit(encoder, graphs(train), worth(train))(test).mean)
    assert torch.equal(means[0], means[1])
    assert not torch.allclose(means[0], means[2])


def test_only_graphs_with_a_feature_at_two_nodes_have_a_structure_to_learn():
    def suggest(trial):
        for layer in range(trial.suggest_int("layers", 1, 3)):
            trial.suggest_float(f"dropout{layer}", 0.0, 0.5)

    flat = FlatSpace({"kernel": [3, 5, 9], "act": ["relu", "gelu"]})
    for space, wanted in ((NASBench201(), True), (flat, False), (Space.from_optuna(suggest), False)):
        found = space.graphs(space.one_hot(space.sample(np.random.default_rng(0), 50)))
        assert structured(found) is wanted
        kinds = 2 if wanted else 0  # the learned features and the counts
        assert max(PROXY.pretrain(found, seed=0).groups) == kinds + max(found.groups)
