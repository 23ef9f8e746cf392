from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from optiproxy.reporting.axes import around, logarithmic
from optiproxy.reporting.figures import Axis
from optiproxy.reporting.svg.elements import LETTER, LINE, beside, position, shows, tick_label, ticks

values = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.lists(values, min_size=1), st.integers(2, 10))
@example(shown=[372340426.0], about=2)
def test_an_axis_shows_all_values_and_has_a_few_even_ticks(shown, about):
    axis = around("x", shown)
    assert all(shows(axis, value) and 0 <= position(axis, value) <= 1 for value in shown)
    found = [value for value, _ in ticks(axis, about)]
    assert 1 <= len(found) <= 3 * about + 1
    assert all(axis.low - 1e-6 * abs(axis.low) <= tick <= axis.high + 1e-6 * abs(axis.high) for tick in found)
    assert found == sorted(set(found))


def test_positions_are_held_at_the_ends():
    axis = Axis(title="x", low=0, high=2)
    assert [position(axis, x) for x in (-1, 0, 1, 2, 3)] == [0, 0, 0.5, 1, 1]
    assert [position(replace(axis, descending=True), x) for x in (-1, 0, 1, 2, 3)] == [1, 1, 0.5, 0, 0]


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
    assert tick_label(value, step) == text


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=8))
def test_a_logarithmic_axis_shows_all_values_in_their_order(values):
    axis = logarithmic("seconds", [*values, 0.0, math.inf])
    places = [position(axis, value) for value in sorted(values)]
    assert all(shows(axis, value) for value in values)
    assert places == sorted(places)
    assert all(0 <= place <= 1 for place in places)
    assert len(ticks(axis, 5)) <= 5
    assert (position(axis, 0.0), position(axis, math.inf)) == (0, 1)


@given(
    st.lists(st.tuples(st.floats(20, 380), st.floats(20, 380), st.text("abc", min_size=1, max_size=20)), max_size=15)
)
def test_names_cover_neither_each_other_nor_the_margin(found):
    places = beside([(x, y) for x, y, _ in found], [text for *_, text in found], left=10, right=390)
    boxes = [(p, LETTER * len(text)) for p, (_, _, text) in zip(places, found, strict=True) if p]
    for i, ((x, y), width) in enumerate(boxes):
        assert x >= 10
        assert x + width <= 390
        for (u, v), wide in boxes[:i]:
            assert x + width <= u or u + wide <= x or abs(y - v) >= LINE - 2
