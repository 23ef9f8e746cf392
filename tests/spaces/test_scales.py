"""Scales: positions, values and places agree, whatever they are of."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from optiproxy.errors import UsageError
from optiproxy.spaces import Float, Int, Ordered
from optiproxy.spaces.ranges import EXACT, scale_from

whole = st.integers(-EXACT, EXACT)
real = st.floats(-1e300, 1e300, allow_subnormal=False).map(lambda x: x + 0.0)


@st.composite
def ints(draw):
    low, high = sorted((draw(whole), draw(whole)))
    return Int(low, high, step=draw(st.integers(1, max(high - low, 1))))


@st.composite
def log_ints(draw):
    low, high = sorted((draw(st.integers(1, 10**6)), draw(st.integers(1, 10**6))))
    return Int(low, high, log=True)


@st.composite
def floats(draw):
    low, high = sorted((draw(real), draw(real)))
    assume(low == high or high - low > 1e-300)
    return Float(low, high)


@st.composite
def log_floats(draw):
    low, high = sorted((draw(st.floats(1e-300, 1e300)), draw(st.floats(1e-300, 1e300))))
    return Float(low, high, log=True)


@st.composite
def stepped_floats(draw):
    step = Decimal(draw(st.integers(1, 500))).scaleb(draw(st.integers(-6, 3)))
    low = step * draw(st.integers(-1000, 1000))
    return Float(float(low), float(low + step * draw(st.integers(1, 10_000))), step=float(step))


@st.composite
def orders(draw):
    return Ordered(draw(st.lists(st.text(max_size=3) | st.integers(), min_size=1, max_size=200, unique=True)))


scales = st.one_of(ints(), log_ints(), floats(), log_floats(), stepped_floats(), orders())

EXTREME = [
    Float(1e-300, 1e300, log=True),
    Float(-1e300, 1e300),
    Float(1e6, 1e6 + 1),
    Float(0.9999999, 1.0000001),
    Float(0.9999999, 1.0000001, log=True),
    Float(1.0, 1 + 2**-52),
    Float(1.0, 1 + 2**-52, log=True),
    Float(0, 3e-308),
    Float(3e-308, 4e-308, log=True),
    Float(0.1, 0.10005),
    Float(123.456, 789.1),
    Float(0, 1, step=1e-12),
    Float(0.5, 0.5),
    Int(-EXACT, EXACT),
    Int(1, 10**6, log=True),
    Int(7, 7, log=True),
    Int(0, 10, step=10),
    Ordered(["only"]),
]


def some(scale):
    """Positions from all over the scale, with both ends."""
    n = len(scale)
    return sorted({0, 1 % n, n // 7, n // 3, n // 2, max(n - 2, 0), n - 1})


def check(scale):
    positions = some(scale)
    units = [scale.unit(p) for p in positions]
    assert units[0] == 0
    assert units[-1] == (0 if len(scale) == 1 else 1)
    assert all(0 <= unit <= 1 for unit in units)
    assert all(a < b or q - p < 10 for p, q, a, b in zip(positions, positions[1:], units, units[1:], strict=False))
    assert units == sorted(units)
    for p, unit in zip(positions, units, strict=True):
        # What a float of many digits loses is one rung, or its last digits where there are more rungs than it has.
        assert abs(scale.at(unit) - p) <= max(1, 1e-12 * len(scale)), (scale, p)
        assert scale.position(scale[p]) == p
        assert scale[p] in scale
        assert scale[p - len(scale)] == scale[p]
    values = [scale[p] for p in positions]
    assert len(set(values)) == len(positions)
    if not isinstance(scale, Ordered):
        assert values == sorted(values)
        assert (values[0], values[-1]) == (scale.low, scale.high)
        assert all(type(value) is (int if isinstance(scale, Int) else float) for value in values)
        assert scale_from(repr(scale)) == scale
    # Beyond the ends is at the ends.
    assert (scale.at(-1.0), scale.at(0.0), scale.at(2.0)) == (0, 0, len(scale) - 1)


@given(scale=scales)
def test_positions_values_and_places_agree(scale):
    check(scale)


@pytest.mark.parametrize("scale", EXTREME, ids=repr)
def test_they_agree_in_extreme_ranges(scale):
    check(scale)


@given(scale=st.one_of(ints(), log_ints(), floats(), log_floats(), stepped_floats()), unit=st.floats(0, 1))
def test_the_value_at_a_place_is_the_nearest(scale, unit):
    position = scale.at(unit)
    assert 0 <= position < len(scale)
    near = [p for p in range(position - 2, position + 3) if 0 <= p < len(scale)]
    # Where values have equal shares of the scale instead, the nearest is at most one away.
    best = min(near, key=lambda p: abs(scale.unit(p) - unit))
    assert abs(best - position) <= 1 or math.isclose(scale.unit(best), scale.unit(position), abs_tol=1e-9)


@given(scale=stepped_floats())
def test_steps_are_exact_as_decimals(scale):
    for position in some(scale):
        exact = Decimal(repr(scale.low)) + position * Decimal(repr(scale.step))
        assert scale[position] == float(exact)
    assert list(Float(0, 1, step=0.1)) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert list(Float(0, 1, step=0.3)) == [0.0, 0.3, 0.6, 0.9]  # what is left above the last step is cut off
    assert 0.1 + 0.2 in Float(0, 1, step=0.1)
    assert 0.15 not in Float(0, 1, step=0.1)


@pytest.mark.parametrize("scale", [Int(0, 9), Float(0, 0.9, step=0.1), Ordered(list("abcdefghij"))], ids=repr)
def test_draws_among_equal_steps_are_uniform(scale):
    counts = np.bincount(scale.draw(np.random.default_rng(0), 10_000), minlength=10)
    # Four standard deviations of a binomial count with p = 0.1.
    assert np.abs(counts - 1000).max() < 4 * math.sqrt(10_000 * 0.1 * 0.9)


def test_an_order_is_of_some_values_and_knows_them():
    assert ["l" in Ordered(["s", "m"]), True in Ordered([1, 2])] == [False, False]
    with pytest.raises(ValueError, match="'l' is none of them"):
        Ordered(["s", "m"]).position("l")
    with pytest.raises(UsageError, match="An Ordered needs at least one choice, got none"):
        Ordered([])


def test_positions_beyond_the_last_are_no_positions():
    with pytest.raises(IndexError, match="Expected a position below 8, got 8"):
        Int(1, 8)[8]
    assert Int(1, 8)[2:5] == (3, 4, 5)
