from __future__ import annotations

import pytest
import torch

from optiproxy.proxy.networks import Perceptron, Training, dropout, train


def _stream(seed=0):
    return torch.Generator().manual_seed(seed)


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
