from __future__ import annotations

import numpy as np
import pytest
import torch

from optiproxy.baselines.predictors.graph_networks import Convolutions, GraphPredictor, Isomorphism, in_parts
from optiproxy.baselines.predictors.networks import Perceptron, Training, dropout, take, train
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


def test_members_of_an_ensemble_are_perceptrons_of_their_own():
    network = Perceptron([3, 5, 2], members=4, generator=_stream())
    inputs = torch.randn(7, 3, generator=_stream(1))
    outputs = network(inputs)
    assert outputs.shape == (4, 7, 2)
    first, second = network.weights
    for e in range(4):
        assert torch.allclose(outputs[e], torch.relu(inputs @ first[e]) @ second[e], atol=1e-6)
    assert not torch.allclose(outputs[0], outputs[1])


def test_activations_neither_vanish_nor_explode_in_ten_layers():
    network = Perceptron([50, *[20] * 10, 1], members=5, generator=_stream())
    outputs = network(torch.randn(100, 50, generator=_stream(1)))
    assert 1e-3 < outputs.std() < 10


def test_training_fits_and_ends_with_a_rate_of_nearly_zero():
    inputs = torch.linspace(-1, 1, 32)[:, None]
    targets = (3 * inputs).sin()
    network = Perceptron([1, 16, 1], generator=_stream())
    training = Training(epochs=200, batch=8, learning_rate=0.02)
    train(
        network,
        lambda rows: (network(inputs[rows])[0] - targets[rows]).square().mean(),
        32,
        training=training,
        generator=_stream(),
    )
    assert (network(inputs)[0] - targets).square().mean() < 0.01


def test_training_meets_every_trial_once_per_epoch():
    met = []
    network = Perceptron([1, 1], generator=_stream())

    def loss(rows):
        met.append(rows)
        return network(torch.ones(1, 1)).sum()

    train(network, loss, 7, training=Training(epochs=3, batch=4, learning_rate=0.1), generator=_stream())
    assert [len(rows) for rows in met] == [4, 3] * 3
    for epoch in range(3):
        assert sorted(torch.cat(met[2 * epoch : 2 * epoch + 2]).tolist()) == list(range(7))


def test_dropout_keeps_the_mean_and_is_off_in_prediction():
    state = torch.ones(10_000)
    dropped = dropout(state, 0.25, _stream())
    assert dropped.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert abs(dropped.mean() - 1) < 0.02
    assert dropout(state, 0.25, None) is state


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
