from __future__ import annotations

import ast
import inspect
import sys
from itertools import combinations, pairwise

import pytest
import torch

from optiproxy.spaces.published.nasbench201 import EDGES, OPERATIONS
from optiproxy.training.tasks import cell_network
from optiproxy.training.tasks.cell_network import Cell, CellNetwork

SHAPE = (4, 6, 8, 8)


def cell(*operations: str) -> Cell:
    torch.manual_seed(0)
    return Cell([(*edge, name) for edge, name in zip(EDGES, operations, strict=True)], channels=6).eval()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_of_the_space_keeps_the_shape_and_can_be_trained_through(name):
    with torch.random.fork_rng():
        network = CellNetwork([(*edge, name) for edge in EDGES], channels=4, cells=(1, 2), classes=10)
        logits = network(torch.rand(5, 1, 8, 8))
    logits.square().sum().backward()
    assert logits.shape == (5, 10)
    assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())
    assert all(p.grad is not None for p in network.head.parameters())


def test_an_operation_outside_the_space_is_refused():
    with pytest.raises(ValueError, match="conv_9x9"):
        cell("conv_9x9", *["none"] * 5)


def test_skips_alone_count_the_paths_from_input_to_output():
    x = torch.rand(SHAPE)
    torch.testing.assert_close(cell(*["skip_connect"] * 6)(x), 4 * x)


@pytest.mark.parametrize("kept", [set(), {(0, 3)}, {(0, 1), (1, 3)}, {(0, 1), (1, 2), (2, 3)}, {(0, 1), (2, 3)}])
def test_none_cuts_an_edge(kept):
    x = torch.rand(SHAPE)
    alive = any({*pairwise(path)} <= kept for path in [(0, 3), (0, 1, 3), (0, 1, 2, 3)])
    operations = ["skip_connect" if edge in kept else "none" for edge in EDGES]
    torch.testing.assert_close(cell(*operations)(x), x if alive else torch.zeros_like(x))


def test_edges_may_come_in_any_order():
    torch.manual_seed(0)
    edges = [(*edge, name) for edge, name in zip(EDGES, ("skip_connect", "avg_pool_3x3") * 3, strict=True)]
    x = torch.rand(SHAPE)
    torch.testing.assert_close(Cell(edges, channels=6)(x), Cell(edges[::-1], channels=6)(x))


def test_pooling_does_not_count_the_padding():
    ones = torch.ones(SHAPE)
    torch.testing.assert_close(cell("none", "none", "none", "avg_pool_3x3", "none", "none")(ones), ones)


def test_without_a_spatial_operation_in_the_cell_the_network_cannot_tell_permuted_blocks_apart():
    # Stem and reduction see no pattern: swapping pixels within a pooled block changes nothing.
    torch.manual_seed(0)
    edges = [(*edge, "nor_conv_1x1") for edge in EDGES]
    network = CellNetwork(edges, channels=4, cells=(1, 1), classes=10).eval()
    x = torch.rand(3, 1, 8, 8)
    swapped = x.reshape(3, 1, 4, 2, 4, 2).flip(3, 5).reshape(3, 1, 8, 8)
    torch.testing.assert_close(network(x), network(swapped))


def test_each_stage_halves_the_resolution_and_doubles_the_channels():
    network = CellNetwork([(0, 1, "skip_connect")], channels=4, cells=(1, 1, 1), classes=3)
    assert network.features(torch.rand(2, 1, 8, 8)).shape == (2, 16, 2, 2)


def test_nodes_need_not_be_four():
    for nodes in (2, 3, 5):
        edges = [(i, j, "skip_connect") for i, j in combinations(range(nodes), 2)]
        x = torch.rand(SHAPE)
        torch.testing.assert_close(Cell(edges, channels=6)(x), x * 2 ** (nodes - 2))


def test_the_file_needs_torch_alone():
    tree = ast.parse(inspect.getsource(cell_network))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= {"torch"} | sys.stdlib_module_names
