from __future__ import annotations

import numpy as np
import pytest
import torch

from optiproxy.spaces import FlatSpace, Float, GriddedSpace, Int, Space
from optiproxy.testing import SpaceConformance

FLAT = FlatSpace({"rate": Float(1e-4, 1.0, log=True), "activation": ["relu", "gelu", "silu"], "depth": Int(1, 8)})


def _suggest(trial):
    if trial.suggest_categorical("optimizer", ["sgd", "adam"]) == "adam":
        trial.suggest_float("decay", 0.0, 0.5)
    trial.suggest_int("width", 8, 512, log=True)


SPACES = {
    "flat": lambda: GriddedSpace(FLAT),
    "two levels": lambda: GriddedSpace(FLAT, levels=2),
    "conditional": lambda: GriddedSpace(Space.from_optuna(_suggest)),
    "restricted": lambda: GriddedSpace(FLAT.where(lambda values: values["rate"] > 0.01)),
    "nothing to lay on a grid": lambda: GriddedSpace(FlatSpace({"a": ["x", "y"], "b": Int(1, 3)})),
}


class TestConformance(SpaceConformance):
    @pytest.fixture(params=SPACES)
    def space(self, request):
        return SPACES[request.param]()

    def test_one_hot_weights_give_an_exact_graph(self, space):
        """That of the base, in which a level of the grid is a number between 0 and 1."""
        samples = space.sample(np.random.default_rng(0), 20)
        graphs = space.encode(space.one_hot(samples))
        whole = space.base.encode(space.base.one_hot([space.whole(architecture) for architecture in samples]))
        assert torch.allclose(graphs.operations, whole.operations, atol=1e-6)
        assert torch.equal(graphs.adjacency, whole.adjacency)


def test_levels_lie_at_equal_distances_on_the_scale_of_a_number():
    space = GriddedSpace(FLAT, levels=4)
    assert list(space.decisions[0].choices) == pytest.approx([10**-3.5, 10**-2.5, 10**-1.5, 10**-0.5], rel=1e-4)
    assert space.decisions[1:] == FLAT.decisions[1:]  # of few choices
    assert space.size == 4 * 3 * 8
    assert not space.points


def test_levels_that_rounding_makes_equal_are_one():
    space = GriddedSpace(FlatSpace({"width": Int(1, 65, log=True)}))
    numbers = list(space.decisions[0].choices)
    assert numbers == sorted(set(numbers))
    assert len(numbers) < 16


def test_every_architecture_of_the_grid_is_its_own_nearest_and_has_the_same_values_in_the_base():
    space = GriddedSpace(FLAT)
    for architecture in space.sample(np.random.default_rng(0), 200):
        whole = space.whole(architecture)
        assert space.nearest(whole) == architecture
        assert FLAT.values(whole) == space.values(architecture)


def test_the_nearest_level_is_at_most_half_a_distance_away():
    space = GriddedSpace(FLAT)
    scale = FLAT.points[0]
    for architecture in FLAT.sample(np.random.default_rng(0), 200):
        back = space.whole(space.nearest(architecture))
        assert back[1:] == architecture[1:]
        assert abs(scale.unit(back[0]) - scale.unit(architecture[0])) <= 0.5 / 16 + 1e-4


def test_a_mix_of_levels_is_their_mean_on_the_scale():
    space = GriddedSpace(FLAT)
    weights = space.one_hot([(0, 0, 0), (15, 0, 0)])
    low, middle, high = (
        space.encode(torch.stack([weights[0], weights.mean(0), weights[1]])).operations[:, 1, 0].tolist()
    )
    assert low < middle < high
    assert middle == pytest.approx((low + high) / 2)


def test_what_does_not_matter_is_the_same_on_the_grid():
    space = GriddedSpace(Space.from_optuna(_suggest))
    decay = [decision.name for decision in space.decisions].index("decay")
    architectures = [tuple(level if d == decay else 0 for d in range(3)) for level in range(16)]
    assert {space.canonical(architecture) for architecture in architectures} == {(0, 0, 0)}
    assert (space.activity(space.one_hot(architectures))[:, decay] == 0).all()


def test_it_is_another_space_than_its_base():
    assert GriddedSpace(FLAT).fingerprint != FLAT.fingerprint
