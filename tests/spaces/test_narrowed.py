"""A space of which a part is left: nothing else is drawn, near or listed, and what was is learned from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from optiproxy.metrics import Goal, Objective
from optiproxy.optimizer.records import Problem
from optiproxy.optimizer.seen import Seen
from optiproxy.spaces import FlatSpace, Float, Int, NarrowedSpace, NASBench201, PoolSpace, Space, narrowed


def branches(trial):
    if trial.suggest_categorical("model", ["mlp", "tree"]) == "mlp":
        for i in range(trial.suggest_int("layers", 1, 3)):
            trial.suggest_categorical(f"width{i}", [8, 16])
    trial.suggest_float("rate", 0.0, 1.0)


FLAT = FlatSpace({"width": [4, 6, 9], "heads": [1, 2, 3], "act": ["relu", "gelu"]})
MIXED = FlatSpace({"c": ["x", "y", "z"], "lr": Float(1e-4, 1e-1, log=True), "w": Int(8, 512, log=True), "n": Int(1, 4)})
SPACES = {
    "flat": (FLAT, {1: 2}),
    "rule": (FLAT.where(lambda values: values["width"] % values["heads"] == 0), {1: 1}),
    "mixed": (MIXED, {1: 1234, 3: 2}),
    "conditional": (Space.from_optuna(branches), {0: 0, 2: 1}),
    "isomorphic": (NASBench201(), {0: 3, 4: 0}),
    "pool": (PoolSpace(FLAT, [(0, 0, 0), (0, 1, 1), (1, 1, 0), (2, 2, 1), (2, 1, 0)]), {1: 1}),
}


@pytest.fixture(params=SPACES)
def case(request):
    base, fixed = SPACES[request.param]
    return base, narrowed.fixed(base, fixed), fixed


def has(architecture, fixed):
    return all(architecture[d] == choice for d, choice in fixed.items())


def test_all_that_is_drawn_has_the_choices(case):
    base, space, fixed = case
    drawn = space.sample(np.random.default_rng(0), 40)
    assert len(drawn) == 40
    assert all(has(architecture, fixed) and base.is_valid(architecture) for architecture in drawn)
    assert len(set(drawn)) > 1
    relaxed = space.one_hot(base.sample(np.random.default_rng(1), 3))
    assert all(has(architecture, fixed) for architecture in space.draw(relaxed, 5, torch.Generator().manual_seed(0)))


def test_neighbours_have_the_choices_and_lead_to_them(case):
    base, space, fixed = case
    for architecture in base.sample(np.random.default_rng(2), 20):
        near = space.neighbours(architecture)
        assert all(has(other, fixed) for other in near)
        assert architecture not in near
        # The best so far may have other choices; what differs in these alone is the first to try.
        placed = tuple(fixed.get(d, choice) for d, choice in enumerate(architecture))
        assert has(architecture, fixed) or near[0] == placed


def test_canonical_forms_are_those_of_the_base_with_the_choices_where_these_do_not_matter(case):
    base, space, fixed = case
    for architecture in base.sample(np.random.default_rng(3), 40):
        canonical = space.canonical(architecture)
        assert base.canonical(canonical) == base.canonical(architecture)
        assert space.canonical(canonical) == canonical
        assert space.is_valid(architecture) == has(architecture, fixed)


def test_a_decision_that_does_not_matter_may_have_any_choice():
    base = SPACES["conditional"][0]
    space = narrowed.fixed(base, {4: 1})
    assert base.decisions[4].name == "width2"
    shallow = base.architecture({"model": "mlp", "layers": 1, "width0": 8, "width1": 8, "width2": 8, "rate": 0.5})
    assert space.canonical(shallow)[4] == 1
    assert space.is_valid(space.canonical(shallow))


@pytest.mark.parametrize("name", ["flat", "rule", "pool", "isomorphic"])
def test_a_space_is_gone_through_completely(name):
    """What is left of few combinations is found to the last one, however large the base."""
    base, fixed = SPACES[name]
    space = narrowed.fixed(base, fixed)
    want = {base.canonical(a) for a in base.everything() if has(a, fixed) and base.is_valid(a)}
    found = Seen(space).draw(np.random.default_rng(0), len(want) + 1)
    assert {base.canonical(architecture) for architecture in found} == want
    assert space.size <= base.size


def test_with_all_numbers_fixed_the_categories_are_gone_through():
    space = narrowed.fixed(MIXED, {1: 77, 2: 3})
    assert space.size == 12
    assert len(Seen(space).draw(np.random.default_rng(0), 100)) == 12
    assert len(list(space.everything())) == 12


def test_a_relaxed_architecture_keeps_what_is_fixed_and_learns_from_what_is_not(case):
    base, space, fixed = case
    layout = Problem(space, Goal((Objective("score"),)), 0).layout
    relaxed = layout.softmax(torch.randn(5, *layout.mask.shape, generator=torch.Generator().manual_seed(0)))
    (exact,) = base.one_hot([tuple(fixed.get(d, 0) for d in range(len(base.decisions)))])
    free = [d for d in range(len(base.decisions)) if d not in fixed]
    assert torch.equal(relaxed[:, list(fixed)], exact[list(fixed)].expand(5, -1, -1))
    unrestricted = Problem(base, Goal((Objective("score"),)), 0).layout
    again = unrestricted.softmax(torch.randn(5, *layout.mask.shape, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(relaxed[:, free], again[:, free])
    # Trials with other choices are encoded as what they are.
    drawn = space.one_hot(base.sample(np.random.default_rng(4), 6))
    assert torch.equal(space.graphs(drawn).operations, base.graphs(drawn).operations)


def test_ranges_are_drawn_from_evenly_and_kept():
    space = NarrowedSpace(MIXED, {1: (0, MIXED.decisions[1].position(1e-3)), 3: (1, 2)})
    assert not space.fixed
    drawn = [space.objects(architecture) for architecture in space.sample(np.random.default_rng(0), 400)]
    assert all(1e-4 <= found["lr"] <= 1e-3 and found["n"] in (2, 3) for found in drawn)
    places = np.log10([found["lr"] for found in drawn]) + 4
    assert abs(places.mean() - 0.5) < 0.06
    assert abs((places < 0.1).mean() - 0.1) < 0.05
    outside = MIXED.architecture({"c": "y", "lr": 0.05, "w": 64, "n": 4})
    assert not space.is_valid(outside)
    near = [space.objects(other) for other in space.neighbours(outside)]
    assert near[0] == {"c": "y", "lr": 1e-3, "w": 64, "n": 3}
    assert all(found["lr"] <= 1e-3 and found["n"] in (2, 3) for found in near)


def test_few_choices_in_ranges_are_gone_through():
    space = NarrowedSpace(FLAT, {0: (1, 2), 1: (0, 1)})
    assert space.size == len(list(space.everything())) == 8
    assert len(Seen(space).draw(np.random.default_rng(0), 20)) == 8
