from __future__ import annotations

import pytest
import torch

from optiproxy.proxy.encoder import EnsembleConfig, GraphEnsemble
from optiproxy.spaces import GraphBatch, NASBench201

SPACE = NASBench201()
CONFIG = EnsembleConfig(members=3, width=6, layers=2)


@pytest.fixture
def network() -> GraphEnsemble:
    return GraphEnsemble(7, CONFIG, torch.Generator().manual_seed(0)).double()


@pytest.fixture
def weights():
    """Relaxed cells: every row a point inside the simplex."""
    logits = torch.randn(4, 6, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return logits.softmax(-1)


def test_features_have_the_announced_shape(network, weights):
    features = network(SPACE.encode(weights))
    assert features.shape == (3, 4, network.dimension)
    assert features.isfinite().all()


def test_a_graph_has_the_same_features_alone_and_in_any_batch(network, weights):
    together = network(SPACE.encode(weights))
    for i in range(len(weights)):
        torch.testing.assert_close(network(SPACE.encode(weights[i : i + 1]))[:, 0], together[:, i])
    torch.testing.assert_close(network(SPACE.encode(weights.flip(0))), together.flip(1))


def test_members_share_nothing(network, weights):
    """No member's features depend on another's parameters, and no two members are alike."""
    features = network(SPACE.encode(weights))
    assert not torch.allclose(features[0], features[1])
    for parameter in network.parameters():
        (gradient,) = torch.autograd.grad(features[1].square().sum(), parameter, retain_graph=True)
        assert gradient[1].abs().sum() > 0
        assert not gradient[[0, 2]].any()


def test_gradients_with_respect_to_the_architecture_are_exact(network, weights):
    def features(w):
        return network(SPACE.encode(w)).sum(0)[:, ::3]

    assert torch.autograd.gradcheck(features, weights[:2].requires_grad_())


def test_the_order_of_the_nodes_makes_no_difference_but_their_connections_do(network):
    """Two parallel nodes that swap their operations are the same graph; turned edges are another."""
    operations = torch.eye(7, dtype=torch.float64)[[0, 1, 2, 3]][None]
    adjacency = torch.zeros(1, 4, 4, dtype=torch.float64)
    adjacency[0, 0, [1, 2]] = adjacency[0, [1, 2], 3] = 1.0

    def features(operations, adjacency):
        return network(GraphBatch(operations, adjacency, inputs=(0,), outputs=(3,)))

    original = features(operations, adjacency)
    torch.testing.assert_close(features(operations[:, [0, 2, 1, 3]], adjacency), original)
    assert not torch.allclose(features(operations[:, [3, 1, 2, 0]], adjacency), original)
    assert not torch.allclose(features(operations, 0 * adjacency), original)


def test_the_generator_decides_the_weights(weights):
    one, same, other = (
        GraphEnsemble(7, CONFIG, torch.Generator().manual_seed(seed)).double()(SPACE.encode(weights))
        for seed in (5, 5, 6)
    )
    assert torch.equal(one, same)
    assert not torch.allclose(one, other)
