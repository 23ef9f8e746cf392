"""The DARTS space: which cells are the same network, the usual form, the graph."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.errors import UsageError
from optiproxy.proxy.encoder import structural_properties
from optiproxy.spaces.published.darts import (
    DARTS,
    OPERATIONS,
    PAIRS,
    ROW,
    Genotype,
    canonical_row,
    from_genotype,
    genotype,
    nodes_of,
    row_of,
)
from optiproxy.testing import SpaceConformance

SPACE = DARTS()

# The cells that the paper of DARTS found for CIFAR-10, second order (arXiv 1806.09055, figures 4 and 5).
PUBLISHED = Genotype(
    normal=(
        *(("sep_conv_3x3", 0), ("sep_conv_3x3", 1)),
        *(("sep_conv_3x3", 0), ("sep_conv_3x3", 1)),
        *(("sep_conv_3x3", 1), ("skip_connect", 0)),
        *(("skip_connect", 0), ("dil_conv_3x3", 2)),
    ),
    reduce=(
        *(("max_pool_3x3", 0), ("max_pool_3x3", 1)),
        *(("skip_connect", 2), ("max_pool_3x3", 1)),
        *(("max_pool_3x3", 0), ("skip_connect", 2)),
        *(("skip_connect", 2), ("max_pool_3x3", 1)),
    ),
)


def _rows(operations):
    """Rows of one cell; with few operations many nodes are alike."""
    operation = st.sampled_from(operations)
    positions = []
    for pairs in PAIRS.values():
        positions += [st.integers(0, len(pairs) - 1)] * (len(pairs) > 1) + [operation, operation]
    return st.tuples(*positions)


rows = st.one_of(_rows(range(7)), _rows((3,)), _rows((0, 2)))
architectures = st.builds(lambda normal, reduce: normal + reduce, rows, rows)


class TestDARTS(SpaceConformance):
    @pytest.fixture
    def space(self):
        return DARTS()


def test_the_space_has_the_published_size():
    """arXiv 1806.09055, section 3.2.1 without `none`: pairs of sources 1 x 3 x 6 x 10, eight operations, two cells."""
    assert SPACE.size == (3 * 6 * 10 * 7**8) ** 2
    assert [len(decision.choices) for decision in SPACE.decisions] == [7, 7, 3, 7, 7, 6, 7, 7, 10, 7, 7] * 2


@given(row=rows)
def test_the_canonical_form_is_the_first_of_all_numberings(row):
    """Against all 24 permutations of the intermediate nodes."""
    assert canonical_row(row) == min(_numberings(row))


@given(row=rows, data=st.data())
def test_isomorphic_cells_share_one_form(row, data):
    other = data.draw(st.sampled_from(sorted(_numberings(row))))
    assert canonical_row(other) == canonical_row(row)


@given(row=rows)
def test_isomorphic_cells_compute_the_same(row):
    """Against a meaning of its own: run the cell on numbers, each operation an arbitrary function."""
    assert _run(canonical_row(row)) == pytest.approx(_run(row), rel=1e-12)


def test_of_two_equal_nodes_either_may_be_the_source_of_a_third():
    """Nodes 2 and 3 are the same; node 4 takes one of them, node 5 one of them again or the other."""
    twins = ((0, 1, 3, 3), (0, 1, 3, 3))
    one, other = (*twins, (0, 2, 1, 2), (1, 2, 4, 5)), (*twins, (0, 3, 1, 2), (1, 3, 4, 5))
    mixed = (*twins, (0, 2, 1, 2), (1, 3, 4, 5))
    assert canonical_row(row_of(one)) == canonical_row(row_of(other)) != canonical_row(row_of(mixed))


def test_the_cells_are_no_alternatives():
    """Normal and reduction cell exchanged are another network."""
    architecture = from_genotype(PUBLISHED)
    exchanged = architecture[ROW:] + architecture[:ROW]
    assert SPACE.canonical(exchanged) != SPACE.canonical(architecture)
    assert not torch.equal(*(SPACE.encode(SPACE.one_hot([a])).operations for a in (architecture, exchanged)))


@given(architecture=architectures)
def test_the_usual_form_and_the_architecture_are_inverse(architecture):
    assert from_genotype(genotype(architecture)) == architecture
    assert row_of(nodes_of(architecture[:ROW])) == architecture[:ROW]


@given(architecture=architectures, data=st.data())
def test_the_edges_of_a_node_may_come_in_any_order(architecture, data):
    written = genotype(architecture)
    edges = list(written.normal)
    node = data.draw(st.integers(0, 3))
    edges[2 * node : 2 * node + 2] = reversed(edges[2 * node : 2 * node + 2])
    assert from_genotype(Genotype(tuple(edges), written.reduce)) == architecture


def test_the_published_cells_have_the_published_sources():
    values = SPACE.values(from_genotype(PUBLISHED))
    assert [values[f"normal_inputs_{node}"] for node in (3, 4, 5)] == ["0_1", "0_1", "0_2"]
    assert [values[f"reduce_inputs_{node}"] for node in (3, 4, 5)] == ["1_2", "0_2", "1_2"]
    assert (values["normal_op_4_low"], values["normal_op_4_high"]) == ("skip_connect", "sep_conv_3x3")


@pytest.mark.parametrize(
    ("position", "edge", "message"),
    [
        (0, ("sep_conv_7x7", 0), "Unknown operation 'sep_conv_7x7'. Did you mean 'sep_conv_5x5'?"),
        (0, ("none", 0), "Unknown operation 'none'"),
        (0, ("skip_connect", 1), "Expected node 2 of the reduce cell to have two different sources from 0 to 1, got 1"),
        (7, ("skip_connect", 5), "Expected node 5 of the reduce cell to have two different sources from 0 to 4, got 2"),
        (7, ("skip_connect", -1), "sources from 0 to 4, got -1 and 2"),
    ],
)
def test_edges_that_no_cell_has_are_refused(position, edge, message):
    edges = list(PUBLISHED.reduce)
    edges[position] = edge
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        from_genotype(Genotype(PUBLISHED.normal, tuple(edges)))


@pytest.mark.parametrize("edges", [(), PUBLISHED.normal[:7], PUBLISHED.normal * 2])
def test_cells_of_other_lengths_are_refused(edges):
    with pytest.raises(UsageError, match=f"Expected 8 edges in the normal cell, got {len(edges)}"):
        from_genotype(Genotype(edges, PUBLISHED.reduce))


def test_the_graph_of_the_published_cells():
    """Nodes 0 and 1 are the inputs, 2 + 2 j and 3 + 2 j the operations of the j-th node, 10 the output; then the same again."""
    graphs = SPACE.encode(SPACE.one_hot([from_genotype(PUBLISHED)]))
    assert graphs.adjacency.shape == (1, 22, 22)
    # normal: the lower sources are 0, 0, 0, 0, the higher ones 1, 1, 1, 2; node 2 is the operations 2 and 3.
    normal = [(0, 2), (0, 4), (0, 6), (0, 8), (1, 3), (1, 5), (1, 7), (2, 9), (3, 9)]
    # reduce: lower 0, 1, 0, 1, higher 1, 2, 2, 2.
    reduce = [(0, 2), (1, 3), (1, 4), (0, 6), (1, 8), *((op, to) for op in (2, 3) for to in (5, 7, 9))]
    outputs = [(op, 10) for op in range(2, 10)]
    expected = {*normal, *outputs} | {(11 + i, 11 + j) for i, j in [*reduce, *outputs]}
    assert {(i, j) for i, j in graphs.adjacency[0].nonzero().tolist()} == expected


@pytest.mark.slow
@given(architecture=architectures)
def test_the_graphs_of_a_network_differ_in_the_order_of_their_nodes_alone(architecture):
    forms = [architecture, SPACE.canonical(architecture)]
    properties = structural_properties(SPACE.encode(SPACE.one_hot(forms)))
    assert torch.allclose(properties[0], properties[1])


@pytest.mark.slow
@given(architecture=architectures)
def test_every_operation_is_live(architecture):
    """All intermediate nodes feed the output of their cell."""
    graphs = SPACE.encode(SPACE.one_hot([architecture]))
    live_per_feature = structural_properties(graphs)[0, : graphs.operations.shape[2]]
    assert torch.equal(live_per_feature, graphs.operations[0].sum(0))


def test_half_a_pair_of_sources_is_half_of_its_edges():
    one = from_genotype(PUBLISHED)
    position = [decision.name for decision in SPACE.decisions].index("normal_inputs_5")
    other = (*one[:position], 9, *one[position + 1 :])
    weights = SPACE.one_hot([one, other])
    exact = SPACE.encode(weights).adjacency
    assert not torch.equal(exact[0], exact[1])
    assert torch.allclose(SPACE.encode(weights.mean(0, keepdim=True)).adjacency[0], exact.mean(0))


def test_samples_show_every_choice():
    samples = np.array(SPACE.sample(np.random.default_rng(0), 300))
    for d, decision in enumerate(SPACE.decisions):
        assert set(samples[:, d].tolist()) == set(range(len(decision.choices)))


def _numberings(row):
    """The rows of the cell under every order of its intermediate nodes that has sources first."""
    nodes = nodes_of(row)
    found = set()
    for order in permutations(range(4)):
        number = {0: 0, 1: 1} | {2 + old: 2 + new for new, old in enumerate(order)}
        renumbered = []
        for new, old in enumerate(order):
            low, high, on_low, on_high = nodes[old]
            (a, x), (b, y) = sorted([(number[low], on_low), (number[high], on_high)])
            if b >= 2 + new:
                break
            renumbered.append((a, b, x, y))
        else:
            found.add(row_of(renumbered))
    return found


def _run(row):
    """The sorted values of the intermediate nodes for the inputs 0.7 and 0.3."""
    functions = [lambda x, k=k: (x + 0.1 * k) ** (1 + 0.1 * k) + 0.01 * k for k in range(len(OPERATIONS))]
    values = [0.7, 0.3]
    for low, high, on_low, on_high in nodes_of(row):
        values.append(functions[on_low](values[low]) + functions[on_high](values[high]))
    return sorted(values[2:])
