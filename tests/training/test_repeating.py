from __future__ import annotations

import itertools
import math
import pickle
import warnings
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.errors import UsageError
from optiproxy.task.values import WrongValueError
from optiproxy.training.repeating import FEWEST, Precision, Repeated, SpreadWarning, relative_spread, repeated

VALUES = st.floats(1e-3, 1e3)


@given(st.integers(6, 400))
def test_the_interval_holds_the_median_19_times_of_20(n):
    """Which ranks it lies between is seen from its width on 0, 1, ..., n - 1; how often that covers, from the binomial."""
    middle = (n - 1) / 2
    half = relative_spread([float(i) for i in range(n)]) * middle
    left_out = round(middle - half)
    missed = 2 * sum(math.comb(n, k) for k in range(left_out + 1)) / 2**n
    assert missed <= 0.05
    # Nor is it much wider than it has to be.
    assert half <= NormalDist().inv_cdf(0.975) * math.sqrt(n) / 2 + 2


@given(st.lists(VALUES, min_size=2, max_size=40), st.floats(0.1, 10))
def test_the_spread_has_no_unit_and_no_order(values, factor):
    spread = relative_spread(values)
    assert spread >= 0
    assert relative_spread([factor * value for value in values[::-1]]) == pytest.approx(spread, abs=1e-9)


def test_a_single_value_says_nothing_of_its_spread():
    assert relative_spread([1.0]) == math.inf
    assert relative_spread([0.0, 0.0]) == 0.0
    assert relative_spread([-1.0, 1.0]) == math.inf


@given(st.lists(VALUES, min_size=1, max_size=30), st.integers(1, 4))
def test_nine_of_ten_readings_are_never_below_the_median(values, size):
    readings = itertools.cycle(values)
    found = repeated(lambda: next(readings), size=size, tolerance=1e9, seconds=60)
    assert found.p90 >= found.median - 1e-9
    assert found.count == size * FEWEST
    assert found.settled
    assert (found.value("median"), found.value("p90")) == (found.median, found.p90)


def test_it_ends_as_soon_as_the_blocks_agree():
    assert repeated(lambda: 3.0, tolerance=0.05, seconds=60).count == FEWEST


def test_what_drifts_is_read_until_the_time_is_over_and_called_spread():
    """Neighbours agree, and single readings would give a narrow interval; the blocks do not."""
    readings = (1.0 if block % 2 else 3.0 for block in itertools.count() for _ in range(100))
    found = repeated(lambda: next(readings), size=100, tolerance=0.05, seconds=0.05)
    assert not found.settled
    assert found.spread > 0.3
    assert found.count > 100 * FEWEST


def test_the_chosen_value_is_the_one_that_counts():
    readings = itertools.cycle([1.0] * 8 + [5.0] * 2)
    assert Repeated(lambda _: next(readings), tolerance=10, seconds=9)("built") == 1.0
    assert Repeated(lambda _: next(readings), tolerance=10, seconds=9, judged_by="p90")("built") > 1.0


def test_a_spread_above_the_tolerance_is_said_once_with_its_size():
    readings = itertools.cycle([1.0, 3.0])

    def energy(built):
        return next(readings)

    measure = Repeated(energy, seconds=0.01)
    with pytest.warns(
        SpreadWarning, match=r"energy = .* readings in 0\.01 s, which spread by ±(33|50|100) % and not ±5 %"
    ):
        measure(None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measure(None)
        # Nor does a copy in another process say it again.
        pickle.loads(pickle.dumps(Precision())).judged(repeated(lambda: 1.0, tolerance=1, seconds=1), "energy")


def test_a_single_block_is_said_to_be_one():
    with pytest.warns(SpreadWarning, match="from 1 readings in 1e-09 s, too few to tell"):
        Repeated(lambda _: 2.0, seconds=1e-9)(None)


@pytest.mark.parametrize("returned", [math.nan, math.inf, "7", None])
def test_what_is_no_finite_number_is_no_reading(returned):
    with pytest.raises(WrongValueError, match=r"Expected a (finite )?number for"):
        Repeated(lambda _: returned)(None)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"tolerance": 0}, "tolerance of more than 0, got 0"),
        ({"tolerance": math.nan}, "tolerance of more than 0, got nan"),
        ({"seconds": -1}, "more than 0 seconds for a measurement, got -1"),
        ({"judged_by": "mean"}, "judged_by='median' or judged_by='p90', got 'mean'"),
    ],
)
def test_settings_that_make_no_sense_are_refused_at_once(arguments, told):
    with pytest.raises(UsageError, match=told):
        Precision(**arguments)
    with pytest.raises(UsageError, match=told):
        Repeated(lambda _: 1.0, **arguments)
