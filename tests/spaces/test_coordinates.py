"""The decisions as a proxy is given them beside the graph: exact, alike for all kinds, and 0 where they do not matter."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from optiproxy.spaces import FlatSpace, Float, Int, NASBench201, Ordered, RestrictedSpace, Space

ALL_KINDS = {
    "act": ["relu", "gelu", "silu"],
    "bias": [True, False],
    "rate": Float(1e-4, 1e-1, log=True),
    "width": Int(1, 1000),
    "depth": Int(1, 4),
    "size": Ordered(["s", "m", "l"]),
    "batch": [16, 32, 64, 128],
}


def coordinates(space, values):
    """Decision name -> its coordinates, for one architecture."""
    graphs = space.graphs(space.one_hot([space.architecture(values)]))
    (row,) = graphs.decisions.tolist()
    names = [space.decisions[owner].name for owner in graphs.owners]
    return {name: [x for x, owner in zip(row, names, strict=True) if owner == name] for name in dict.fromkeys(names)}


def test_discrete_architectures_have_exact_coordinates():
    space = FlatSpace(ALL_KINDS)
    values = {"act": "gelu", "bias": True, "rate": 1e-1, "width": 1, "depth": 2, "size": "m", "batch": 32}
    half = 0.5**0.5
    assert coordinates(space, values) == {
        "act": pytest.approx([0, half, 0]),
        "bias": pytest.approx([half, 0]),
        "rate": [0.5],
        "width": [-0.5],
        "depth": pytest.approx([1 / 3 - 0.5, 0, half / 2, 0, 0]),
        "size": pytest.approx([0.0, 0, half / 2, 0]),
        "batch": pytest.approx([1 / 3 - 0.5, 0, half / 2, 0, 0]),
    }


def test_the_values_of_a_short_order_are_relevant_by_themselves():
    graphs = FlatSpace({"depth": Int(1, 3), "act": ["relu", "gelu"], "rate": Float(0, 1)}).graphs(torch.zeros(1, 3, 3))
    assert graphs.owners == (0, 0, 0, 0, 1, 1, 2)
    assert graphs.groups == (0, 1, 1, 1, 2, 2, 3)


@pytest.mark.parametrize("name", ALL_KINDS)
def test_two_categories_and_the_two_ends_of_a_scale_are_at_distance_one(name):
    space = FlatSpace(ALL_KINDS)
    d = [decision.name for decision in space.decisions].index(name)
    start = [0] * len(space.decisions)
    end = [*start]
    end[d] = len(space.decisions[d].choices) - 1
    rows = space.graphs(space.one_hot([tuple(start), tuple(end)])).decisions
    # The values of a short order count beside its place.
    assert float((rows[0] - rows[1]).norm()) in (pytest.approx(1), pytest.approx(1.25**0.5))


def test_between_two_architectures_coordinates_are_between():
    space = FlatSpace(ALL_KINDS)
    corners = space.one_hot(space.sample(np.random.default_rng(0), 2)).double().requires_grad_()
    middle = space.graphs(corners.mean(0, keepdim=True)).decisions
    assert torch.allclose(middle[0], space.graphs(corners).decisions.mean(0))
    assert torch.autograd.gradcheck(lambda weights: space.graphs(weights).decisions, (corners,))


def suggest(trial):
    if trial.suggest_categorical("optimizer", ["sgd", "adam"]) == "sgd":
        trial.suggest_float("momentum", 0.1, 0.9)
        trial.suggest_categorical("nesterov", ["yes", "no"])
    for layer in range(trial.suggest_int("layers", 1, 2)):
        trial.suggest_int(f"width{layer}", 1, 100)


def test_what_does_not_matter_is_zero_and_the_rest_is_not():
    space = Space.from_optuna(suggest)
    values = {"optimizer": "adam", "momentum": 0.9, "nesterov": "no", "layers": 1, "width0": 100, "width1": 100}
    found = coordinates(space, values)
    assert found["momentum"] == [0]
    assert found["nesterov"] == [0, 0]
    assert found["width1"] == [0]
    assert found["width0"] == [0.5]
    assert found["optimizer"] == pytest.approx([0, 0.5**0.5])
    found = coordinates(space, {**values, "optimizer": "sgd", "layers": 2})
    assert found["momentum"] == [0.5]
    assert found["nesterov"] == pytest.approx([0, 0.5**0.5])
    assert found["width1"] == [0.5]


def test_activity_is_the_share_of_what_makes_a_decision_matter():
    space = Space.from_optuna(suggest)
    weights = space.one_hot(space.sample(np.random.default_rng(0), 1)).double()
    names = [decision.name for decision in space.decisions]
    weights[0, names.index("optimizer")] = torch.tensor([0.25, 0.75])
    active = dict(zip(names, space.activity(weights)[0].tolist(), strict=True))
    assert active["momentum"] == active["nesterov"] == pytest.approx(0.25)
    assert active["optimizer"] == active["layers"] == active["width0"] == 1
    for architecture in space.sample(np.random.default_rng(1), 20):
        (activity,) = space.activity(space.one_hot([architecture])).tolist()
        assert {d for d, share in enumerate(activity) if share} == space.active(architecture)
        assert set(activity) <= {0, 1}


def test_isomorphic_architectures_share_their_coordinates():
    space = Space.from_optuna(suggest)
    for architecture in space.sample(np.random.default_rng(0), 20):
        rows = space.graphs(space.one_hot([architecture, space.canonical(architecture)])).decisions
        assert torch.equal(rows[0], rows[1])


@pytest.mark.parametrize("base", [NASBench201(), Space.from_optuna(suggest)], ids=["cells", "conditional"])
def test_a_wrapper_has_the_coordinates_of_its_base(base):
    weights = base.one_hot(base.sample(np.random.default_rng(0), 5))
    wrapped = RestrictedSpace(base, lambda _: True).graphs(weights)
    assert torch.equal(wrapped.decisions, base.graphs(weights).decisions)
    assert wrapped.owners == base.graphs(weights).owners
