from __future__ import annotations

import numpy as np
import pytest
import torch

from optiproxy.proxy.encoder import EnsembleConfig, GraphEnsemble, PretrainingConfig, pretrain, structural_properties
from optiproxy.spaces import FlatSpace, NASBench201

ENSEMBLE = EnsembleConfig(members=2, width=16, layers=3)
CONFIG = PretrainingConfig(steps=250, batch=64, learning_rate=1e-2)
SPACE = NASBench201()


def cells(n, *, seed):
    return SPACE.encode(SPACE.one_hot(SPACE.sample(np.random.default_rng(seed), n)))


def pretrained(seed=0, config=CONFIG):
    return pretrain(cells(300, seed=0), ensemble=ENSEMBLE, config=config, seed=seed)


def unexplained(network):
    """Share of the properties' variance, on cells it has not seen, that is not linear in the features of one member.

    The properties are the numbers of live nodes of the four operations that can be live.
    """
    train, test = cells(300, seed=0), cells(300, seed=1)
    designs = [torch.cat([network(g)[0], torch.ones(300, 1)], 1).double() for g in (train, test)]
    properties = [structural_properties(g)[:, 1:5].double() for g in (train, test)]
    eye = 1e-3 * torch.eye(designs[0].shape[1], dtype=torch.float64)
    solution = torch.linalg.solve(designs[0].T @ designs[0] + eye, designs[0].T @ properties[0])
    error = (properties[1] - designs[1] @ solution).square().mean(0)
    return float((error / properties[1].var(0)).mean())


@pytest.mark.slow
def test_teaches_the_structure_of_unseen_cells():
    """They are closer to linear in the features than before."""
    untrained = GraphEnsemble(7, ENSEMBLE, torch.Generator().manual_seed(0))
    before, after = (unexplained(network.requires_grad_(requires_grad=False)) for network in (untrained, pretrained()))
    assert after < 0.8 * before


def test_is_a_function_of_the_arguments():
    brief = PretrainingConfig(steps=5, batch=16)
    one, same, other = (pretrained(seed, brief).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["embedding"], other["embedding"])


def test_a_step_has_no_more_nodes_than_allowed():
    v = cells(1, seed=0).operations.shape[1]
    few, limited, many = (
        pretrained(config=PretrainingConfig(steps=3, batch=batch, nodes=nodes)).state_dict()
        for batch, nodes in ((4, 512), (64, 4 * v + v - 1), (64, 512))
    )
    assert all(torch.equal(few[name], limited[name]) for name in few)
    assert not torch.equal(few["embedding"], many["embedding"])


def test_leaves_the_callers_random_stream_alone_and_freezes_what_it_returns():
    before = torch.get_rng_state()
    network = pretrained(config=PretrainingConfig(steps=2, batch=4))
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_a_space_whose_graphs_are_all_alike_teaches_nothing_and_harms_nothing():
    space = FlatSpace({"a": ["only"]})
    graphs = space.encode(space.one_hot([(0,)] * 8))
    network = pretrain(graphs, ensemble=ENSEMBLE, config=CONFIG, seed=0)
    assert network(graphs).isfinite().all()
