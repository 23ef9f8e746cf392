from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.comparison.stats.survival import hit_rate_interval, survival


def test_a_curve_by_hand():
    curve = survival([3, 2, None, 3], last=10)
    assert curve.queries.tolist() == [2, 3, 10]
    assert curve.share == pytest.approx([3 / 4, 1 / 4, 1 / 4])
    # Greenwood's variance of log(-log S) after the first event: 1 of 4 searches.
    spread = 1.959964 * math.sqrt(1 / (4 * 3)) / abs(math.log(3 / 4))
    assert curve.low[0] == pytest.approx((3 / 4) ** math.exp(spread), rel=1e-5)
    assert curve.high[0] == pytest.approx((3 / 4) ** math.exp(-spread), rel=1e-5)
    assert curve.median_time.median == 3


def test_a_search_that_meets_the_optimum_last_is_not_one_that_never_does():
    assert survival([10, 10], last=10).median_time.median == 10
    assert survival([None, None], last=10).median_time.median is None


def test_where_none_or_all_have_met_it_the_interval_is_still_one():
    nobody = survival([None, None, None], last=5)
    assert (nobody.share.tolist(), nobody.low.tolist(), nobody.high.tolist()) == ([1], [1], [1])
    everybody = survival([1, 1, 1], last=5)
    assert (everybody.share.tolist(), everybody.low.tolist(), everybody.high.tolist()) == ([0], [0], [1])
    assert everybody.median_time.median == 1
    assert everybody.median_time.high is None


def test_the_median_of_many_is_between_its_bounds():
    middle = survival([*range(1, 41)], last=60).median_time
    assert middle.median == 20
    assert middle.low < 20 < middle.high


@given(st.lists(st.none() | st.integers(1, 20), min_size=1, max_size=12))
def test_every_curve_falls_within_its_band(met):
    curve = survival(met, last=20)
    for row in (curve.low, curve.share, curve.high):
        assert np.isfinite(row).all()
        assert (np.diff(row) <= 1e-12).all()
        assert ((row >= 0) & (row <= 1)).all()
    assert (curve.low <= curve.share + 1e-12).all()
    assert (curve.share <= curve.high + 1e-12).all()


def test_the_interval_of_a_share_is_exact():
    # Nothing out of ten: the upper end is where ten misses have a chance of 2.5 %.
    assert hit_rate_interval([None] * 10) == pytest.approx((0, 1 - 0.025**0.1))
    assert hit_rate_interval([1] * 10) == pytest.approx((0.025**0.1, 1))
    assert hit_rate_interval([]) is None
