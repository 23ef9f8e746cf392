from __future__ import annotations

import inspect

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optiproxy.errors import UsageError
from optiproxy.spaces import Decision, FlatSpace
from optiproxy.testing import SpaceConformance

choice = st.one_of(
    st.text(max_size=5),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
)
flat_spaces = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.lists(choice, min_size=1, max_size=6, unique_by=lambda value: (isinstance(value, bool), value)),
    min_size=1,
    max_size=6,
).map(FlatSpace)

CHECKS = [check for name, check in inspect.getmembers(SpaceConformance) if name.startswith("test_")]


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_any_mapping_of_choices_conforms(check):
    @settings(max_examples=15)
    @given(space=flat_spaces)
    def conforms(space):
        check(SpaceConformance(), space)

    conforms()


@given(space=flat_spaces, data=st.data())
def test_a_relaxed_graph_is_the_mixture_of_the_exact_ones(space, data):
    """Node features are linear in the weights, so half of each of two architectures is the mean of their graphs."""
    positions = [st.integers(0, len(decision.choices) - 1) for decision in space.decisions]
    first, second = data.draw(st.tuples(*positions)), data.draw(st.tuples(*positions))
    weights = space.one_hot([first, second])
    exact = space.encode(weights).operations
    mixed = space.encode(weights.mean(dim=0, keepdim=True)).operations
    assert torch.equal(mixed[0], exact.mean(dim=0))


def test_the_graph_is_a_chain_in_which_no_two_decisions_share_a_feature():
    space = FlatSpace({"kernel": [3, 5], "depth": [3, 5, 7]})
    graphs = space.encode(space.one_hot([(1, 2)]))
    #                      kernel  depth      input output
    assert graphs.operations[0].tolist() == [
        [0, 0, 0, 0, 0, 1, 0],
        [0, 1, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 1],
    ]
    assert graphs.adjacency[0].nonzero().tolist() == [[0, 1], [1, 2], [2, 3]]
    assert (graphs.inputs, graphs.outputs) == ((0,), (3,))


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({}, "at least one decision"),
        ({"a": []}, "'a' needs at least one choice"),
        ({"a": [1, 2, 1]}, "'a' lists a choice twice"),
    ],
)
def test_an_impossible_space_does_not_construct(choices, message):
    with pytest.raises(UsageError, match=message):
        FlatSpace(choices)


def test_true_and_one_are_two_choices():
    assert Decision("flag", (1, True, "1")).choices == (1, True, "1")
    space = FlatSpace({"flag": [1, True, "1"]})
    assert [space.architecture({"flag": value}) for value in (1, True, "1")] == [(0,), (1,), (2,)]


@pytest.mark.parametrize(
    ("pair", "written"),
    [((1e-4, 1e-1), r"Float\(0\.0001, 0\.1\)"), ((1, 8), r"Int\(1, 8\)"), ((0, 0.5), r"Float\(0, 0\.5\)")],
)
def test_a_pair_of_numbers_is_said_to_be_no_range(pair, written):
    with pytest.warns(UserWarning, match=f"Decision 'x' is taken between two numbers.*{written}"):
        space = FlatSpace({"x": pair})
    assert space.decisions[0].choices == pair


def test_other_tuples_and_lists_of_two_are_taken_as_they_are():
    space = FlatSpace({"x": [1e-4, 1e-1], "act": ("relu", "gelu"), "bias": (True, False), "size": ((3, 3), (5, 5))})
    assert len(space.decisions) == 4
