from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.baselines.predictor_based.npenas import Isomorphism
from optiproxy.baselines.predictor_based.regression import BayesianLinear, GraphPredictor, fitted_by_squares, in_parts
from optiproxy.proxy.convolution import Convolutions
from optiproxy.proxy.networks import Perceptron, Training, take
from optiproxy.spaces import GraphBatch, NASBench201

SPACE = NASBench201()


def _stream(seed=0):
    return torch.Generator().manual_seed(seed)


def _graphs(n=12, seed=0):
    return SPACE.encode(SPACE.one_hot(SPACE.sample(np.random.default_rng(seed), n)))


def _encoders():
    features = _graphs(1).operations.shape[2]
    return [
        Convolutions(features, width=6, layers=2, rate=0.5, generator=_stream()),
        Isomorphism(features, width=6, layers=2, rate=0.5, generator=_stream()),
    ]


@pytest.mark.parametrize("encoder", _encoders(), ids=["convolutions", "isomorphism"])
def test_every_graph_of_a_batch_is_embedded_by_itself(encoder):
    graphs = _graphs()
    together = encoder(graphs)
    for i in range(len(graphs)):
        assert torch.allclose(encoder(take(graphs, torch.tensor([i])))[0], together[i], atol=1e-6)


@pytest.mark.parametrize("encoder", _encoders(), ids=["convolutions", "isomorphism"])
def test_the_order_of_the_nodes_makes_no_difference(encoder):
    graphs = _graphs()
    order = torch.randperm(8, generator=_stream())
    shuffled = GraphBatch(graphs.operations[:, order], graphs.adjacency[:, order][:, :, order], (), ())
    assert torch.allclose(encoder(shuffled), encoder(graphs), atol=1e-6)


@pytest.mark.parametrize("encoder", _encoders(), ids=["convolutions", "isomorphism"])
def test_wiring_matters(encoder):
    one_after_the_other, side_by_side = (3, 0, 3, 0, 0, 3), (3, 3, 0, 0, 3, 0)
    graphs = SPACE.encode(SPACE.one_hot([one_after_the_other, side_by_side]))
    first, second = encoder(graphs)
    assert not torch.allclose(first, second, atol=1e-4)


@pytest.mark.parametrize("encoder", _encoders(), ids=["convolutions", "isomorphism"])
def test_dropout_only_with_a_generator(encoder):
    graphs = _graphs()
    assert torch.equal(encoder(graphs), encoder(graphs))
    assert not torch.equal(encoder(graphs, _stream()), encoder(graphs))


def test_convolutions_look_both_ways():
    """A node's state depends on its successors as well: the input's, say, on what follows it."""
    encoder = Convolutions(7, width=6, layers=1, rate=0.0, generator=_stream())
    graphs = _graphs(1)
    backwards = GraphBatch(graphs.operations, graphs.adjacency.transpose(1, 2), (), ())
    assert not torch.allclose(encoder(graphs), encoder(backwards), atol=1e-4)


def test_predictions_in_parts_are_the_predictions():
    encoder = _encoders()[0]
    network = GraphPredictor(encoder, Perceptron([6, 4, 3], generator=_stream()))
    graphs = _graphs(600)
    assert np.allclose(in_parts(network, graphs), network(graphs).detach().numpy(), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("encoder", [Convolutions, Isomorphism])
def test_fits_by_squares_what_the_graphs_tell(encoder):
    """The number of convolutions, in whatever unit: the fit explains nine tenths of its variance."""
    architectures = SPACE.sample(np.random.default_rng(0), 40)
    counts = np.array([float(a.count(3)) for a in architectures])
    values = (counts - counts.mean()) / counts.std()
    graphs = SPACE.encode(SPACE.one_hot(architectures))
    states = encoder(graphs.operations.shape[2], width=16, layers=2, rate=0.0, generator=_stream())
    training = Training(epochs=100, batch=10, learning_rate=0.01)
    predict = fitted_by_squares(states, graphs, counts, sizes=[16, 8, 1], training=training, generator=_stream())
    assert np.square(predict(graphs) - values).mean() < 0.1


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
