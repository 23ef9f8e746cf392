from __future__ import annotations

import inspect
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optiproxy.errors import UsageError
from optiproxy.spaces.building.blocks import OneDecision, Place, holds
from optiproxy.spaces.building.cells import CellBlock
from optiproxy.spaces.building.conditional import ConditionalSpace
from optiproxy.spaces.space import Decision
from optiproxy.testing import SpaceConformance

CHECKS = [check for name, check in inspect.getmembers(SpaceConformance) if name.startswith("test_")]


@st.composite
def conditional_spaces(draw):
    """Up to seven places of up to five decisions; each may depend on any choices of earlier ones."""
    counts = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    names = [f"d{i}" for i in range(len(counts))]
    places = []
    for i in [*range(len(counts)), *draw(st.lists(st.integers(0, len(counts) - 1), max_size=2))]:
        parents = draw(st.lists(st.integers(0, max(i - 1, 0)), max_size=2 if i else 0, unique=True))
        when = {
            names[parent]: frozenset(draw(st.sets(st.integers(0, counts[parent] - 1), min_size=1)))
            for parent in parents
        }
        places.append(Place(OneDecision(Decision(names[i], tuple(range(counts[i])))), when))
    return ConditionalSpace(places, name="random")


def architectures(space):
    return st.tuples(*(st.integers(0, len(decision.choices) - 1) for decision in space.decisions))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_any_conditions_conform(check):
    @settings(max_examples=10)
    @given(space=conditional_spaces())
    def conforms(space):
        check(SpaceConformance(), space)

    conforms()


@given(space=conditional_spaces(), data=st.data())
def test_the_graph_of_an_architecture_is_the_chain_of_the_places_that_it_reaches(space, data):
    architecture = data.draw(architectures(space))
    graphs = space.encode(space.one_hot([architecture]))
    reached = [i for i, (_, _, when) in enumerate(space._parts, start=1) if holds(when, architecture)]
    chain = [0, *reached, len(space._parts) + 1]
    assert graphs.adjacency[0].nonzero().tolist() == [list(edge) for edge in pairwise(chain)]
    assert graphs.operations[0].sum(1).nonzero().flatten().tolist() == chain


@given(space=conditional_spaces(), data=st.data())
def test_what_is_not_reached_makes_no_difference(space, data):
    architecture = data.draw(architectures(space))
    canonical = space.canonical(architecture)
    active = space.active(canonical)
    assert all(choice == 0 for d, choice in enumerate(canonical) if d not in active)
    changed = data.draw(architectures(space))
    other = tuple(canonical[d] if d in active else changed[d] for d in range(len(canonical)))
    assert space.canonical(other) == canonical
    assert space.build(canonical) == {d.name: canonical[i] for i, d in enumerate(space.decisions) if i in active}


def test_a_block_used_twice_on_the_same_way_is_one_node():
    kernel, depth = (OneDecision(Decision(name, (1, 2))) for name in ("kernel", "depth"))
    space = ConditionalSpace(
        [Place(kernel), Place(depth), Place(kernel), Place(kernel, {"depth": frozenset({1})})], name="shared"
    )
    assert space.encode(space.one_hot([(0, 0)])).operations.shape[1] == 4


def test_a_block_used_on_two_ways_is_active_on_either():
    route = OneDecision(Decision("route", ("a", "b", "c")))
    kernel = OneDecision(Decision("kernel", (3, 5)))
    places = [Place(route), *(Place(kernel, {"route": frozenset({k})}) for k in (0, 1))]
    space = ConditionalSpace(places, name="two")
    assert [space.canonical((k, 1)) for k in range(3)] == [(0, 1), (1, 1), (2, 0)]


def test_a_cell_inside_of_a_choice_is_wired_only_where_it_is_chosen():
    kind = OneDecision(Decision("kind", ("cell", "none")))
    cell = CellBlock("cell", ["conv", "pool"], nodes=2, inputs=2)
    space = ConditionalSpace([Place(kind), Place(cell, {"kind": frozenset({0})})], name="maybe")
    without = space.encode(space.one_hot([(1, 1, 1, 1)]))
    assert without.adjacency[0].nonzero().tolist() == [[0, 1], [1, without.adjacency.shape[1] - 1]]
    assert space.canonical((1, 1, 1, 1)) == (1, 0, 0, 0)
    gradients = torch.autograd.functional.jacobian(
        lambda weights: space.encode(weights).adjacency.sum(), torch.full((1, 4, 2), 0.5)
    )
    assert gradients[0, 0].abs().sum() > 0


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ([], "at least one decision"),
        (
            [Place(OneDecision(Decision("a", (1, 2)))), Place(OneDecision(Decision("a", (1, 3))))],
            r"Two decisions are named 'a', one with the choices \[1, 2\] and one with \[1, 3\]",
        ),
        (
            [Place(OneDecision(Decision("a", (1, 0)))), Place(OneDecision(Decision("a", (True, False))))],
            "Two decisions are named 'a'",
        ),
        ([Place(OneDecision(Decision("a", (1, 2))), {"b": frozenset({0})})], "the decision 'b', which is not part"),
    ],
)
def test_an_impossible_space_does_not_construct(places, message):
    with pytest.raises(UsageError, match=message):
        ConditionalSpace(places, name="wrong")
