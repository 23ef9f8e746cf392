from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.reporting.svg.scale import Axis, around, count, number, robust, tick_text

values = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.lists(values, min_size=1), st.integers(2, 10))
def test_an_axis_shows_all_values_and_has_a_few_even_ticks(shown, about):
    axis = around("x", shown)
    assert all(axis.shows(value) and 0 <= axis.position(value) <= 1 for value in shown)
    ticks = axis.ticks(about)
    assert 1 <= len(ticks) <= 3 * about + 1
    assert all(axis.low - 1e-6 * abs(axis.low) <= tick <= axis.high + 1e-6 * abs(axis.high) for tick in ticks)
    assert ticks == sorted(set(ticks))


@given(st.lists(values | st.sampled_from([math.nan, math.inf, -math.inf])), st.lists(values, max_size=3))
def test_a_robust_axis_is_never_empty_and_keeps_what_it_must(shown, keep):
    axis = robust("x", shown, keep=keep)
    assert axis.low < axis.high
    assert all(axis.shows(value) for value in keep)


def test_one_untrainable_network_does_not_flatten_the_others():
    axis = robust("accuracy", [90.0, 91.0, 91.5, 92.0, 92.2, 10.0])
    assert axis.low > 80
    assert axis.position(10.0) == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [(91.606667, "91.607"), (1234567.0, "1,234,567"), (0.000012, "1.2e-05"), (0.0, "0"), (math.nan, "–"), (None, "–")],
)
def test_numbers_as_people_read_them(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [
        (0.95, 0.01, "0.95"),
        (1.0, 0.5, "1.0"),
        (200000, 100000, "200k"),
        (2e6, 5e5, "2M"),
        (20, 10, "20"),
        (0.3, 0.1, "0.3"),
    ],
)
def test_ticks_have_the_decimals_that_their_distance_needs(value, step, text):
    assert tick_text(value, step) == text


def test_positions_are_held_at_the_ends():
    axis = Axis(label="x", low=0, high=2)
    assert [axis.position(x) for x in (-1, 0, 1, 2, 3)] == [0, 0, 0.5, 1, 1]


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0"), (15_625, "15,625"), (10**9, "1.0e9"), (26 * 10**29, "2.6e30"), (10**400, "1.0e400")]
)
def test_a_count_is_told_however_large(size, text):
    assert count(size) == text
