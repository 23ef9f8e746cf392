"""The numbers of few digits: those that people write, and enough of them in any range."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from optiproxy.spaces.digits import DIGITS, FewDigits

bounds = st.tuples(st.floats(1e-300, 1e300), st.floats(1e-300, 1e300)).map(sorted)


@given(bounds=bounds, share=st.floats(0, 1))
def test_within_a_wide_range_they_have_five(bounds, share):
    low, high = bounds
    assume(high > 1.2 * low)
    few = FewDigits(low, high, log=True)
    position = few.nearest(low ** (1 - share) * high**share)
    assume(0 < position < len(few) - 1)
    assert len(Decimal(repr(few.value(position))).normalize().as_tuple().digits) <= DIGITS


@given(bounds=bounds, log=st.booleans(), share=st.floats(0, 1))
def test_positions_count_them_upwards(bounds, log, share):
    low, high = bounds
    assume(low == high or high - low > 1e-300)
    few = FewDigits(low, high, log=log)
    position = int(share * (len(few) - 1))
    assert (few.value(0), few.value(len(few) - 1)) == (low, high)
    assert few.nearest(few.value(position)) == position
    if position:
        assert few.value(position - 1) < few.value(position)


def test_what_people_write_is_among_them():
    rates = FewDigits(1e-4, 1e-1, log=True)
    assert len(rates) == 270_001
    for value in (0.0001, 0.0003, 0.001, 0.00125, 0.1):
        assert rates.value(rates.nearest(value)) == value
    assert [rates.value(1), rates.value(len(rates) // 2)] == [0.00010001, pytest.approx(0.005, rel=0.1)]
    assert rates.nearest(0.0012345678) == rates.nearest(0.0012346)
    assert [rates.nearest(1e-5), rates.nearest(1.0)] == [0, 270_000]  # beyond the ends is at the ends


def test_narrow_ranges_have_as_many_as_wide_ones():
    for low, high, log in ((0.9999999, 1.0000001, False), (0.9999999, 1.0000001, True), (1e6, 1e6 + 1, False)):
        assert len(FewDigits(low, high, log=log)) > 10_000


@pytest.mark.parametrize("log", [False, True])
def test_ends_may_have_nothing_between_them_and_be_the_same(log):
    high = 1 + 2**-52  # the next float
    few = FewDigits(1.0, high, log=log)
    assert [few.value(0), few.value(1)] == [1.0, high]
    assert len(few) == 2
    one = FewDigits(0.3, 0.3, log=log)
    assert [len(one), one.value(0), one.nearest(0.3)] == [1, 0.3, 0]
