from __future__ import annotations

import inspect
from itertools import permutations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optiproxy.errors import UsageError
from optiproxy.spaces.building.blocks import Place
from optiproxy.spaces.building.cells import CellBlock, Edge
from optiproxy.spaces.building.conditional import ConditionalSpace
from optiproxy.testing import SpaceConformance

CHECKS = [check for name, check in inspect.getmembers(SpaceConformance) if name.startswith("test_")]

blocks = st.builds(
    lambda operations, nodes, inputs: CellBlock("cell", list("abc")[:operations], nodes=nodes, inputs=inputs),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 3),
)


def rows(block):
    return st.tuples(*(st.integers(0, len(decision.choices) - 1) for decision in block.decisions))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_any_cell_conforms(check):
    @settings(max_examples=8)
    @given(block=blocks)
    def conforms(block):
        check(SpaceConformance(), ConditionalSpace([Place(block)], name="cell"))

    conforms()


@given(block=blocks, data=st.data())
def test_a_row_is_read_and_written(block, data):
    row = data.draw(rows(block))
    assert block.row(block.wiring(row)) == row
    for node, edges in enumerate(block.wiring(row), start=1):
        sources = [edge.source for edge in edges]
        assert sources == sorted(set(sources))
        assert max(sources) < node


@given(block=blocks, data=st.data())
def test_every_numbering_of_a_cell_has_one_canonical_form_and_it_is_the_first(block, data):
    wiring = block.wiring(data.draw(rows(block)))
    renumbered = set()
    for order in permutations(range(1, len(wiring) + 1)):
        number = {0: 0, **{node: k for k, node in enumerate(order, start=1)}}
        nodes = tuple(
            tuple(sorted(Edge(number[edge.source], edge.operation) for edge in wiring[node - 1])) for node in order
        )
        if all(edge.source < node for node, edges in enumerate(nodes, start=1) for edge in edges):
            renumbered.add(nodes)
    first = min(renumbered, key=lambda w: [([e.source for e in edges], [e.operation for e in edges]) for edges in w])
    assert {block.canonical(block.row(nodes)) for nodes in renumbered} == {block.row(first)}


def test_the_graph_has_the_operations_as_nodes():
    block = CellBlock("cell", ["conv", "pool"], nodes=3, inputs=1)
    #                   node 1: conv on input; node 2: pool on input; node 3: pool on node 1
    row = block.row(((Edge(0, 0),), (Edge(0, 1),), (Edge(1, 1),)))
    space = ConditionalSpace([Place(block)], name="cell")
    graphs = space.encode(space.one_hot([row]))
    # 0 the network's input, 1 the cell's, 2 to 4 the operations, 5 the cell's output, 6 the network's
    assert graphs.adjacency[0].nonzero().tolist() == [[0, 1], [1, 2], [1, 3], [2, 4], [3, 5], [4, 5], [5, 6]]
    assert (graphs.operations[0, 2] != graphs.operations[0, 3]).any()
    assert torch.equal(graphs.operations[0, 3], graphs.operations[0, 4])


@pytest.mark.parametrize("numbers", [{"nodes": 0, "inputs": 2}, {"nodes": 2, "inputs": 0}])
def test_an_empty_cell_is_refused(numbers):
    with pytest.raises(UsageError, match="at least 1 node with at least 1 input"):
        CellBlock("cell", ["conv"], **numbers)
