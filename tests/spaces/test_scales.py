from __future__ import annotations

import numpy as np
import pytest

from optiproxy.spaces import Float, Int, Ordered

SCALES = [
    Int(1, 8, log=True),
    Int(16, 1024, log=True),
    Int(1, 8),
    Int(0, 1000, step=7),
    Float(1e-4, 1e-1, log=True),
    Float(0.0, 1.0),
    Float(-3.0, 10.0),
    Float(0.0, 1.0, step=0.05),
    Ordered(["small", "medium", "large"]),
]


@pytest.mark.parametrize("scale", SCALES, ids=repr)
def test_the_nearest_value_to_the_place_of_a_value_is_the_value(scale):
    positions = np.linspace(0, len(scale) - 1, 2000).astype(int).tolist()
    assert [scale.at(scale.unit(position)) for position in positions] == positions
    assert (scale.unit(0), scale.unit(len(scale) - 1)) == (0.0, 1.0)
