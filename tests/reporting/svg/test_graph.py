from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.reporting.search.structure import structure
from optiproxy.reporting.svg.graph import _at_least_one_apart, draw, layered
from optiproxy.spaces import FlatSpace, NASBench201


@st.composite
def graphs(drawn):
    count = drawn(st.integers(1, 9))
    edges = drawn(st.lists(st.sampled_from([*combinations(range(count), 2), (0, 0)]), unique=True, max_size=20))
    return count, [edge for edge in edges if edge[0] < edge[1]]


@given(graphs())
def test_edges_run_forward_and_no_two_nodes_touch(graph):
    count, edges = graph
    layout = layered(count, edges)
    for (i, j), route in zip(edges, layout.routes, strict=True):
        assert (route[0], route[-1]) == (layout.places[i], layout.places[j])
        assert [place[0] for place in route] == list(range(int(route[0][0]), int(route[-1][0]) + 1))
        assert len(route) >= 2
    for (along, across), (other, beside) in combinations(layout.places, 2):
        assert along != other or abs(across - beside) > 1 - 1e-9
    assert min(across for _, across in layout.places) >= 0


@given(graphs())
def test_no_edge_runs_through_a_node(graph):
    count, edges = graph
    layout = layered(count, edges)
    for route in layout.routes:
        for bend in route[1:-1]:
            assert all(abs(bend[1] - across) > 1 - 1e-9 for along, across in layout.places if along == bend[0])


def test_a_chain_is_straight():
    layout = layered(5, [(i, i + 1) for i in range(4)])
    assert [across for _, across in layout.places] == [0] * 5


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=12))
def test_spreading_is_the_least_squares_solution(wanted):
    wanted = np.sort(np.array(wanted))
    found = _at_least_one_apart(wanted)
    assert (np.diff(found) >= 1 - 1e-9).all()
    rng = np.random.default_rng(0)
    cost = ((found - wanted) ** 2).sum()
    for _ in range(20):
        other = found + rng.normal(scale=0.3, size=len(wanted))
        other = np.sort(other)
        if (np.diff(other) >= 1).all():
            assert ((other - wanted) ** 2).sum() >= cost - 1e-9


def test_a_dead_cell_can_still_be_drawn():
    found = structure(NASBench201(), (0,) * 6)
    assert [node.label for node in found.nodes] == ["input", "output"]
    assert found.edges == ()
    assert "output" in draw(found, label="nothing flows")


@pytest.mark.parametrize("decisions", [1, 12])
def test_a_drawing_holds_every_node_once(decisions):
    space = FlatSpace({f"decision {i}": ["left", "right"] for i in range(decisions)})
    picture = draw(structure(space, (0,) * decisions), label="chain")
    assert picture.count("<rect") == decisions + 2
    assert picture.count('class="edge"') == decisions + 1
