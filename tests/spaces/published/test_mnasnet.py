from __future__ import annotations

import numpy as np
import pytest
import torch

from optiproxy.spaces.published.mnasnet import BLOCKS, mnasnet
from optiproxy.spaces.scales import Ordered
from optiproxy.testing import SpaceConformance


class TestMnasnet(SpaceConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def space(cls):
        return mnasnet()


def test_the_fifth_block_may_be_deeper():
    space = mnasnet()
    assert space.size == 3**7 * 2**7 * 3**6 * 4 * 2**7
    layers = {d.name: d.choices for d in space.decisions if d.name.endswith("_l")}
    assert layers.pop("block5_l") == Ordered((1, 2, 3, 4))
    assert set(layers.values()) == {Ordered((1, 2, 3))}
    assert len(layers) == BLOCKS - 1


def test_equal_choices_of_different_blocks_share_their_features():
    """Blocks differ in the one feature that marks them; two choices, wherever taken, in two features."""
    space = mnasnet()
    base = np.zeros(28, dtype=int)
    first, last = base.copy(), base.copy()
    first[0], last[24] = 2, 2  # the expansion of the first and of the last block
    graphs = space.encode(space.one_hot([tuple(row.tolist()) for row in (base, first, last)]))
    one, two = graphs.operations[1] - graphs.operations[0], graphs.operations[2] - graphs.operations[0]
    assert one[1].count_nonzero() == two[7].count_nonzero() == 2
    assert torch.equal(one[1], two[7])
    assert one.count_nonzero() == two.count_nonzero() == 2
    between = graphs.operations[0, 1:8]
    assert all((a != b).sum() == 2 for i, a in enumerate(between) for b in between[:i])
