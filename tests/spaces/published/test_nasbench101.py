"""The space against meanings of its own: paths are searched, forms are tried one by one, and networks are counted."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.errors import UsageError
from optiproxy.spaces.published.nasbench101 import NETWORKS, NASBench101
from optiproxy.spaces.published.nasbench101_cells import EDGES, OPERATIONS, Cells, canonical_numbers, rows_of
from optiproxy.testing import SpaceConformance

SPACE = NASBench101()
CONV3, CONV1, POOL = range(3)
cells = st.tuples(*[st.integers(0, 1)] * 21, *[st.integers(0, 2)] * 5)
sparse_cells = st.tuples(st.sets(st.sampled_from(EDGES), max_size=11), st.tuples(*[st.integers(0, 2)] * 5)).map(
    lambda drawn: cell(drawn[0], drawn[1])
)


def cell(edges, operations=(CONV3,) * 5):
    assert set(edges) <= set(EDGES)
    return (*(int(edge in edges) for edge in EDGES), *operations)


def edges_of(architecture):
    return {edge for edge, there in zip(EDGES, architecture, strict=False) if there}


CHAIN = {(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)}


@pytest.mark.slow
class TestNASBench101(SpaceConformance):
    @pytest.fixture
    def space(self):
        return SPACE


@pytest.mark.slow
def test_there_are_as_many_networks_as_the_benchmark_counts():
    """Ying et al., section 2.2: 423,624 of at most seven nodes and nine edges; one of them has no operation at all."""
    counts = []
    for nodes in range(2, 8):
        numbers = np.concatenate(list(canonical_numbers(nodes)))
        counts.append(len(np.unique(numbers)))
        assert counts[-1] == len(numbers)
        some = rows_of(numbers[:: max(len(numbers) // 50, 1)])
        assert Cells.of(some).valid().all()
        assert (SPACE.canonical_rows(some) == some).all()
        assert {2 + live.bit_count() for live in Cells.of(some).live().tolist()} == {nodes}
    assert counts == [1, 6, 84, 2_441, 62_010, 359_082]
    assert sum(counts) == NETWORKS == 423_624


def test_small_networks_are_counted_by_going_through_all_cells():
    """All cells of at most four nodes: the other two stay without edges."""
    pairs = [(0, 1), (0, 2), (1, 2), (0, 6), (1, 6), (2, 6)]
    found = set()
    for there in product((0, 1), repeat=len(pairs)):
        for operations in product(range(3), repeat=2):
            architecture = cell({p for p, t in zip(pairs, there, strict=True) if t}, (*operations, 0, 0, 0))
            if SPACE.is_valid(architecture):
                found.add(SPACE.canonical(architecture))
    assert len(found) == 1 + 6 + 84


@given(architecture=st.one_of(cells, sparse_cells))
def test_validity_is_that_of_the_pruned_cell(architecture):
    live, edges = _pruned(architecture)
    assert SPACE.is_valid(architecture) == (0 in live and 6 in live and len(edges) <= 9)


def test_edges_that_lead_nowhere_do_not_count():
    """Eleven edges, five of them from or to nodes that are on no path: six are left."""
    architecture = cell({(0, 1), (1, 6), (0, 2), (2, 6), (0, 6), (1, 2)} | {(0, 3), (1, 3), (2, 3), (4, 5), (4, 6)})
    assert SPACE.is_valid(architecture)
    assert sum(SPACE.canonical(architecture)[:21]) == 6
    assert not SPACE.is_valid(cell(EDGES))
    assert not SPACE.is_valid(cell({(0, 1), (2, 6)}))
    assert not SPACE.is_valid(cell(()))
    assert SPACE.is_valid(cell({(0, 6)}))
    assert SPACE.is_valid(cell(CHAIN | {(0, 2), (0, 3), (0, 4)}))
    assert not SPACE.is_valid(cell(CHAIN | {(0, 2), (0, 3), (0, 4), (0, 5)}))


@given(architecture=sparse_cells)
def test_the_canonical_form_is_the_least_of_all_forms_of_the_pruned_cell(architecture):
    """Least as a number: the last edge of the row weighs most, then the operations count from node 1 on."""
    live, edges = _pruned(architecture)
    forms = []
    for order in permutations(range(1, 6)):
        place = dict(zip((0, *range(1, 6), 6), (0, *order, 6), strict=True))
        moved = {(place[i], place[j]) for i, j in edges}
        operations = [CONV3] * 5
        for node in live - {0, 6}:
            operations[place[node] - 1] = architecture[20 + node]
        if moved <= set(EDGES):
            forms.append(cell(moved, operations))
    least = min(forms, key=lambda form: (form[20::-1], form[21:]))
    assert SPACE.canonical(architecture) == least
    assert {SPACE.canonical(form) for form in forms} == {least}


@given(architecture=sparse_cells, operation=st.integers(0, 2))
def test_the_operation_of_a_dead_node_is_none_of_the_network(architecture, operation):
    live, _ = _pruned(architecture)
    for node in set(range(1, 6)) - live:
        changed = (*architecture[: 20 + node], operation, *architecture[21 + node :])
        assert SPACE.canonical(changed) == SPACE.canonical(architecture)
        graphs = SPACE.encode(SPACE.one_hot([architecture, changed]))
        assert torch.equal(graphs.operations[0], graphs.operations[1])
        assert torch.equal(graphs.adjacency[0], graphs.adjacency[1])


def test_operations_are_told_apart_where_they_count():
    """A chain of five nodes: each order of operations is a network of its own."""
    found = {SPACE.canonical(cell(CHAIN, operations)) for operations in product(range(3), repeat=5)}
    assert len(found) == 3**5


def test_many_together_are_as_one_by_one():
    architectures = SPACE.sample(np.random.default_rng(0), 100)
    shuffled = np.array([_shuffled(a, np.random.default_rng(i)) for i, a in enumerate(architectures)])
    together = SPACE.canonical_rows(shuffled)
    assert [tuple(row) for row in together.tolist()] == architectures
    assert [SPACE.canonical(tuple(row)) for row in shuffled.tolist()] == architectures
    assert SPACE.canonical_rows(shuffled[:0]).shape == (0, 26)
    shuffled[[7, 9], :21] = 0
    with pytest.raises(UsageError, match="architectures of nasbench101, but entry 7 is none"):
        SPACE.canonical_rows(shuffled)


@given(architecture=st.one_of(cells, sparse_cells))
def test_the_graph_is_the_pruned_cell(architecture):
    graphs = SPACE.encode(SPACE.one_hot([architecture]))
    live, edges = _pruned(architecture)
    assert {tuple(edge) for edge in graphs.adjacency[0].nonzero().tolist()} == edges
    operations = {node: OPERATIONS[architecture[20 + node]] for node in live - {0, 6}} | {0: "input", 6: "output"}
    expected = torch.zeros(7, 5)
    for node, operation in operations.items():
        expected[node, (*OPERATIONS, "input", "output").index(operation)] = 1
    assert torch.equal(graphs.operations[0], expected)
    assert graphs.inputs == (0,)
    assert graphs.outputs == (6,)


def test_a_node_is_there_as_surely_as_it_is_on_a_path():
    """Input to node 1 by a half, node 1 to the output by a quarter: the node by an eighth."""
    weights = SPACE.one_hot([cell({(0, 6)})])
    for edge, chance in (((0, 1), 0.5), ((1, 6), 0.25)):
        weights[0, EDGES.index(edge), :2] = torch.tensor([1 - chance, chance])
    graphs = SPACE.encode(weights)
    assert graphs.operations[0, 1].tolist() == [0.125, 0, 0, 0, 0]
    assert graphs.adjacency[0].nonzero().tolist() == [[0, 1], [0, 6], [1, 6]]
    assert graphs.adjacency[0, 0].tolist() == [0, 0.5 * 0.25, 0, 0, 0, 0, 1]
    assert graphs.adjacency[0, 1, 6] == 0.25 * 0.5


def test_samples_are_networks_and_each_is_as_likely():
    samples = SPACE.sample(np.random.default_rng(0), 4000)
    assert [SPACE.canonical(a) for a in samples[:200]] == samples[:200]
    assert all(SPACE.is_valid(a) for a in samples[:200])
    nodes = [2 + live.bit_count() for live in Cells.of(np.array(samples)).live().tolist()]
    assert nodes.count(7) / 4000 == pytest.approx(359_082 / 423_624, abs=0.02)
    assert nodes.count(6) / 4000 == pytest.approx(62_010 / 423_624, abs=0.02)
    # In canonical form the first node always follows the input; only the network without nodes has no such edge.
    for d, decision in list(enumerate(SPACE.decisions))[1:]:
        assert {a[d] for a in samples} == set(range(len(decision.choices)))


def test_neighbours_are_other_networks_nearest_first():
    for architecture in SPACE.sample(np.random.default_rng(0), 20):
        found = SPACE.neighbours(architecture)
        assert found == SPACE.neighbours(_shuffled(architecture, np.random.default_rng(0)))
        assert len(set(found)) == len(found) > 30
        assert architecture not in found
        assert all(SPACE.is_valid(a) and SPACE.canonical(a) == a for a in found)
        single = {
            SPACE.canonical((*architecture[:d], choice, *architecture[d + 1 :]))
            for d, decision in enumerate(SPACE.decisions)
            for choice in range(len(decision.choices))
            if SPACE.is_valid((*architecture[:d], choice, *architecture[d + 1 :]))
        } - {architecture}
        assert set(found[: len(single)]) == single


def test_neighbours_move_edges_and_bring_dead_nodes_to_life():
    full = cell(CHAIN | {(0, 2), (0, 3), (0, 4)})
    moved = cell(CHAIN | {(0, 2), (0, 3), (0, 5)})
    assert SPACE.canonical(moved) in SPACE.neighbours(full)
    short = cell({(0, 1), (1, 6)})
    longer = cell({(0, 1), (1, 6), (0, 2), (2, 6)})
    assert SPACE.canonical(longer) in SPACE.neighbours(short)


def test_drawn_cells_have_nine_edges_at_most():
    generator = torch.Generator().manual_seed(0)
    chances = torch.rand(8, 26, 3, generator=generator)
    chances[:, :21, 2] = 0
    chances /= chances.sum(-1, keepdim=True)
    drawn = SPACE.draw(chances, 10, torch.Generator().manual_seed(1))
    assert drawn == SPACE.draw(chances, 10, torch.Generator().manual_seed(1))
    assert len(drawn) == 8 + 80
    assert max(sum(a[:21]) for a in drawn) == 9
    assert np.mean([SPACE.is_valid(a) for a in drawn]) > 0.5
    for architecture, row in zip(drawn, chances, strict=False):
        likely = sorted((edge for edge in range(21) if row[edge, 1] > 0.5), key=lambda e: -row[e, 1])
        assert {e for e in range(21) if architecture[e]} == set(likely[:9])


def test_what_is_certain_is_drawn():
    architectures = SPACE.sample(np.random.default_rng(3), 5)
    drawn = SPACE.draw(SPACE.one_hot(architectures), 2, torch.Generator().manual_seed(0))
    assert drawn == architectures + [a for a in architectures for _ in range(2)]


def _pruned(architecture):
    """Live nodes and edges by searching for paths from either end."""
    edges = edges_of(architecture)
    reached, reaching = {0}, {6}
    for _ in range(6):
        reached |= {j for i, j in edges if i in reached}
        reaching |= {i for i, j in edges if j in reaching}
    live = reached & reaching
    return live, {(i, j) for i, j in edges if i in live and j in live}


def _shuffled(architecture, rng):
    """The same cell with its inner nodes in another order that every edge keeps to."""
    while True:
        order = [0, *(1 + rng.permutation(5)).tolist(), 6]
        edges = {(order[i], order[j]) for i, j in edges_of(architecture)}
        if edges <= set(EDGES):
            operations = [0] * 5
            for node in range(1, 6):
                operations[order[node] - 1] = architecture[20 + node]
            return cell(edges, operations)
