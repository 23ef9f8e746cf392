from __future__ import annotations

import pytest

from optiproxy.spaces.published.gpt import FAMILIES, gpt
from optiproxy.testing import SpaceConformance


class TestSmall(SpaceConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def space(cls):
        return gpt("s")


@pytest.mark.parametrize(("family", "most"), [("s", 12), ("m", 24), ("l", 36)])
def test_layers_beyond_the_chosen_number_do_not_matter(family, most):
    space = gpt(family)
    assert max(FAMILIES[family].layers) == most
    assert space.size == 3 * 3 * 2 * 9**most
    full = (1,) * len(space.decisions)
    for layers, count in enumerate(FAMILIES[family].layers):
        given = (1, layers, *full[2:])
        assert len(space.active(given)) == 3 + 2 * count
        assert space.canonical(given) == (*given[: 3 + 2 * count], *(0,) * (2 * (most - count)))


def test_the_graph_has_a_node_for_each_layer_that_is_there():
    space = gpt("s")
    for layers, count in enumerate((10, 11, 12)):
        graph = space.encode(space.one_hot([(0, layers, *(0,) * 25)]))
        # Width, layers and bias; input and output.
        assert int(graph.operations[0].any(1).sum()) == 5 + count
        assert int(graph.adjacency[0].sum()) == 4 + count
