"""The axes of figures: which range they show."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.reporting.axes import finite, robust
from optiproxy.reporting.figures import Axis, Figure, Series

values = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.lists(values | st.sampled_from([math.nan, math.inf, -math.inf])), st.lists(values, max_size=3))
def test_a_robust_axis_is_never_empty_and_keeps_what_it_must(shown, keep):
    axis = robust("x", shown, keep=keep)
    assert axis.low < axis.high
    assert all(axis.low <= value <= axis.high for value in keep)


def test_one_untrainable_network_does_not_flatten_the_others():
    axis = robust("accuracy", [90.0, 91.0, 91.5, 92.0, 92.2, 10.0])
    assert axis.low > 80
    assert axis.low <= 90.0
    assert axis.high >= 92.2


def test_what_json_cannot_hold_is_none():
    assert finite([1.0, math.nan, -math.inf]) == (1.0, None, None)


def test_an_axis_says_its_unit():
    assert Axis(title="latency", unit="ms", low=0, high=1).text == "latency (ms)"
    assert Axis(title="accuracy", low=0, high=1).text == "accuracy"


def test_algorithms_are_drawn_in_colors_of_their_own_with_their_bands():
    pytest.importorskip("matplotlib")
    series = tuple(
        Series(name=name, x=(1.0, 2.0), y=(0.5, None), low=(0.4, None), high=(0.6, None))
        for name in ("random", "optiproxy")
    )
    axis = Axis(title="rank", low=0.0, high=3.0, descending=True)
    (axes,) = Figure(name="f", title="t", x=axis, y=axis, series=series).matplotlib().axes
    assert len({line.get_color() for line in axes.lines}) == len(axes.collections) == 2
    assert axes.get_ylim() == (3.0, 0.0)
