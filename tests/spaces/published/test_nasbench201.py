from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.spaces.published.nasbench201 import EDGES, OPERATIONS, NASBench201

SPACE = NASBench201()
NONE, SKIP, CONV1, CONV3, POOL = range(5)
cells = st.tuples(*[st.integers(0, 4)] * 6)


@pytest.fixture(scope="module")
def everything():
    return list(product(range(5), repeat=6))


def test_operations_and_edges_are_those_of_the_official_architecture_string():
    """|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|...~0|...~1|...~2|: by target node, then by source."""
    assert OPERATIONS == ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    assert EDGES == ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
    assert SPACE.size == 15_625


def test_isomorphic_cells_are_joined_as_in_the_benchmark(everything):
    """NAS-Bench-201 (arXiv 2001.00326, section 2.1) counts 6,466 unique topologies."""
    classes = Counter(map(SPACE.canonical, everything))
    assert len(classes) == 6466
    assert sum(size == 1 for size in classes.values()) == 5116
    assert max(classes.values()) == 275


def test_the_canonical_form_is_the_first_of_its_class(everything):
    for architecture in everything:
        canonical = SPACE.canonical(architecture)
        assert canonical <= architecture
        assert SPACE.canonical(canonical) == canonical


@given(cell=cells)
def test_isomorphic_cells_compute_the_same(cell):
    """Against a meaning of its own: run both cells on numbers, each operation an arbitrary non-linear function."""
    assert _run(cell) == pytest.approx(_run(SPACE.canonical(cell)), rel=1e-12, abs=1e-12)


@given(cell=cells, first=st.integers(0, 4), second=st.integers(0, 4))
def test_operations_on_nothing_make_no_difference(cell, first, second):
    """Node 1 has one edge; where that is none, what follows node 1 is arbitrary."""
    _, to_2, _, to_3, _, last = cell
    plain = (NONE, to_2, NONE, to_3, NONE, last)
    assert SPACE.canonical((NONE, to_2, first, to_3, second, last)) == SPACE.canonical(plain)


def test_a_sum_does_not_depend_on_the_order_of_its_terms():
    """Node 1 passes the input on, so the edges 0->3 and 1->3 start from the same value."""
    assert SPACE.canonical((SKIP, CONV1, NONE, CONV3, POOL, CONV1)) == SPACE.canonical(
        (SKIP, CONV1, NONE, POOL, CONV3, CONV1)
    )


def test_the_graph_has_a_node_per_edge_of_the_cell():
    graphs = SPACE.encode(SPACE.one_hot([(CONV3,) * 6]))
    assert graphs.operations.shape == (1, 8, 7)
    assert graphs.operations[0, 1:-1, CONV3].tolist() == [1] * 6
    #   nodes: input 0, edges 0->1, 0->2, 1->2, 0->3, 1->3, 2->3 are 1 to 6, output 7
    followers = {0: [1, 2, 4], 1: [3, 5], 2: [6], 3: [6], 4: [7], 5: [7], 6: [7], 7: []}
    assert graphs.adjacency[0].nonzero().tolist() == [[i, j] for i, js in followers.items() for j in js]


@given(cell=cells)
def test_what_is_none_is_not_connected_and_everything_else_is(cell):
    full = SPACE.encode(SPACE.one_hot([(CONV3,) * 6])).adjacency[0]
    alive = torch.tensor([1.0, *(float(operation != NONE) for operation in cell), 1.0])
    expected = full * alive[:, None] * alive[None, :]
    assert torch.equal(SPACE.encode(SPACE.one_hot([cell])).adjacency[0], expected)


@given(cell=cells)
def test_half_of_none_halves_each_connection(cell):
    weights = SPACE.one_hot([cell])
    nothing = SPACE.one_hot([(NONE,) * 6])
    exact = SPACE.encode(weights).adjacency[0]
    half = SPACE.encode((weights + nothing) / 2).adjacency[0]
    inner = exact[1:-1, 1:-1] * 0.25
    assert torch.allclose(half[1:-1, 1:-1], inner)
    assert torch.allclose(half[0, 1:-1], exact[0, 1:-1] * 0.5)


def _run(cell):
    """The value at the output node for the input 0.7; no operation keeps zero, so that a dead path shows."""
    functions = {
        SKIP: lambda x: x,
        CONV1: lambda x: x**2 + 0.3,
        CONV3: lambda x: 2 * x**3 + 0.1,
        POOL: lambda x: x**0.5 + 0.2,
    }
    nodes = [0.7, None, None, None]
    for node in range(1, 4):
        terms = [
            functions[operation](nodes[source])
            for (source, target), operation in zip(EDGES, cell, strict=True)
            if target == node and operation != NONE and nodes[source] is not None
        ]
        nodes[node] = sum(terms) if terms else None
    return nodes[3] or 0.0
