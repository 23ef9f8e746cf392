"""Scales: positions, values and places agree, whatever the range; what is no range is refused in one sentence."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from optiproxy.errors import UsageError
from optiproxy.spaces import Float, Int, Ordered
from optiproxy.spaces.scales import DIGITS, EXACT, scale_from

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


@given(scale=log_floats(), unit=st.floats(0, 1))
def test_a_float_within_a_wide_range_has_five_digits(scale, unit):
    assume(scale.high > 1.2 * scale.low)
    position = scale.at(unit)
    assume(0 < position < len(scale) - 1)
    assert len(Decimal(repr(scale[position])).normalize().as_tuple().digits) <= DIGITS


def test_what_people_write_is_among_the_values():
    rates = Float(1e-4, 1e-1, log=True)
    assert len(rates) == 270_001
    for value in (0.0001, 0.0003, 0.001, 0.00125, 0.1):
        assert rates[rates.position(value)] == value
    assert [rates[1], rates[len(rates) // 2]] == [0.00010001, pytest.approx(0.005, rel=0.1)]
    assert rates.position(0.0012345678) == rates.position(0.0012346)


def test_narrow_ranges_have_as_many_values_as_wide_ones():
    for scale in (Float(0.9999999, 1.0000001), Float(0.9999999, 1.0000001, log=True), Float(1e6, 1e6 + 1)):
        assert len(scale) > 10_000
    assert len(Float(1.0, 1 + 2**-52)) == 2  # there is no float between


@given(scale=stepped_floats())
def test_steps_are_exact_as_decimals(scale):
    for position in some(scale):
        exact = Decimal(repr(scale.low)) + position * Decimal(repr(scale.step))
        assert scale[position] == float(exact)
    assert list(Float(0, 1, step=0.1)) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert list(Float(0, 1, step=0.3)) == [0.0, 0.3, 0.6, 0.9]  # what is left above the last step is cut off
    assert 0.1 + 0.2 in Float(0, 1, step=0.1)
    assert 0.15 not in Float(0, 1, step=0.1)


def test_draws_on_a_logarithmic_scale_of_integers_are_uniform_on_it():
    scale, n = Int(1, 100, log=True), 20_000
    drawn = np.array(scale.draw(np.random.default_rng(0), n)) + 1
    for low, high in ((1, 1), (1, 3), (4, 12), (13, 40), (41, 100), (100, 100)):
        share = math.log((high + 0.5) / (low - 0.5)) / math.log(100.5 / 0.5)
        # Four standard deviations of a binomial share.
        assert abs(np.mean((drawn >= low) & (drawn <= high)) - share) < 4 * math.sqrt(share * (1 - share) / n)


@pytest.mark.parametrize("scale", [Int(0, 9), Float(0, 0.9, step=0.1), Ordered(list("abcdefghij"))], ids=repr)
def test_draws_among_equal_steps_are_uniform(scale):
    counts = np.bincount(scale.draw(np.random.default_rng(0), 10_000), minlength=10)
    # Four standard deviations of a binomial count with p = 0.1.
    assert np.abs(counts - 1000).max() < 4 * math.sqrt(10_000 * 0.1 * 0.9)


def test_scalars_of_numpy_and_torch_are_bounds_and_values():
    assert Int(np.int64(1), torch.tensor(5)) == Int(1, 5)
    assert repr(Float(np.float64(0.25), torch.tensor(1.0))) == "Float(0.25, 1.0)"
    assert Int(1.0, np.float32(5), step=np.int8(2)) == Int(1, 5, step=2)
    assert Int(1, 5).position(np.int64(3)) == Int(1, 5).position(3.0) == 2
    assert Float(0, 1).position(np.float64(0.5)) == Float(0, 1).position(torch.tensor(0.5))
    assert Float(-0.0, 0.0).low == 0
    assert str(Float(-0.0, 1.0)) == "Float(0.0, 1.0)"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Int(5, 1), r"^Expected low <= high, and both within 2\*\*53 from 0, got 5 and 1\.$"),
        (lambda: Int(0, 2**53 + 1), "got 0 and 9007199254740993"),
        (lambda: Int(1, 10**400), r"got 1 and 10000000000000000000…\.$"),
        (lambda: Int(0, 8, log=True), "A logarithmic scale begins at 1 or above and has no step, got low 0 and step 1"),
        (lambda: Int(-8, 8, log=True), "begins at 1 or above"),
        (lambda: Int(1, 8, step=2, log=True), "got low 1 and step 2"),
        (lambda: Int(1, 5, step=0), "Expected a step of 1 or more that fits between 1 and 5, got 0"),
        (lambda: Int(1, 5, step=-1), "got -1"),
        (lambda: Int(1, 5, step=5), "fits between 1 and 5, got 5"),
        (lambda: Int(1, 5, step=1.5), "Expected a whole number as step of an Int, got 1.5"),
        (lambda: Int(0.5, 5), "Expected a whole number as low of an Int, got 0.5"),
        (lambda: Int(1, math.nan), "as high of an Int, got nan"),
        (lambda: Int(1, math.inf), "as high of an Int, got inf"),
        (lambda: Int("1", 5), "as low of an Int, got '1'"),
        (lambda: Int(True, 5), "as low of an Int, got True"),
        (lambda: Int(None, 5), "as low of an Int, got None"),
        (lambda: Int(np.arange(2), 5), "as low of an Int, got array"),
        (lambda: Float(1, 0), "Expected low <= high, and a distance that a float can hold, got 1 and 0"),
        (lambda: Float(-1e308, 1e308), "a distance that a float can hold"),
        (lambda: Float(0, 1, log=True), "A logarithmic scale begins above 0 and has no step, got low 0"),
        (lambda: Float(-1, 1, log=True), "begins above 0"),
        (lambda: Float(1, 9, step=1, log=True), "got low 1 and step 1"),
        (lambda: Float(0, 1, step=0), "Expected a step above 0 that fits between 0 and 1, .* got 0"),
        (lambda: Float(0, 1, step=-0.1), "got -0.1"),
        (lambda: Float(0, 1, step=1.5), "got 1.5"),
        (lambda: Float(0, 1, step=1e-30), "at most 2.*53 times, got 1e-30"),
        (lambda: Float(0, 1, step=math.nan), "Expected a finite number as step of a Float, got nan"),
        (lambda: Float(math.nan, 1), "Expected a finite number as low of a Float, got nan"),
        (lambda: Float(0, math.inf), "as high of a Float, got inf"),
        (lambda: Float(0, 10**400), "as high of a Float, got 1000"),
        (lambda: Float("0", 1), "as low of a Float, got '0'"),
        (lambda: Float(False, 1), "as low of a Float, got False"),
        (lambda: Float([0], 1), r"as low of a Float, got \[0\]"),
        (lambda: Float(5e-324, 1), "Expected 0 or at least 2.3e-308 as low of a Float, got 5e-324"),
        (lambda: Ordered([]), "An Ordered needs at least one choice, got none"),
    ],
)
def test_what_is_no_range_is_refused_in_one_sentence(make, message):
    with pytest.raises(UsageError, match=message):
        make()


@pytest.mark.parametrize(
    ("scale", "value"),
    [
        (Int(1, 8), 0),
        (Int(1, 8), 9),
        (Int(1, 8), 2.5),
        (Int(1, 8), True),
        (Int(1, 8), "3"),
        (Int(1, 9, step=2), 4),
        (Float(0, 1), 1.1),
        (Float(0, 1), math.nan),
        (Float(0, 1), "0.5"),
        (Float(0, 1), True),
        (Float(0, 1), None),
        (Float(0, 1, step=0.25), 0.3),
        (Ordered(["s", "m"]), "l"),
        (Ordered([1, 2]), True),
    ],
)
def test_what_is_none_of_the_values_has_no_position(scale, value):
    assert value not in scale
    with pytest.raises(ValueError, match=r"is none of them|is no (whole )?number|is outside of them|is between them"):
        scale.position(value)


@pytest.mark.parametrize("text", ["int(1)", "Int", "Float(__import__('os').getpid(), 1)", "Ordered([1])", "1 + 1"])
def test_texts_that_are_no_range_are_not_read(text):
    with pytest.raises(ValueError, match=r"is no range|malformed"):
        scale_from(text)


def test_positions_beyond_the_last_are_no_positions():
    with pytest.raises(IndexError, match="Expected a position below 8, got 8"):
        Int(1, 8)[8]
    assert Int(1, 8)[2:5] == (3, 4, 5)
