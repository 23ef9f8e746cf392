from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.profiling.measuring import profile
from optiproxy.reporting.search.profile import duration, histogram, profile_as_json, profile_in_words
from optiproxy.spaces import Float, Int

CHOICES = {"width": [1, 2, 3, 4], "depth": [1, 2, 3], "pool": ["max", "avg"]}


def params(choices):
    return choices["width"] * choices["depth"]


def test_everything_is_told():
    found = profile(
        CHOICES, free={"params": params}, limits=["params<=4", "params>=2", "accuracy>=90"], budget=30, seconds=60
    )
    text = profile_in_words(found)
    assert "flat: 24 combinations of 3 decisions." in text
    assert "Valid: 24 of 24 combinations drawn, which is all." in text
    assert "Within the limits: 12 of 24 valid architectures measured, which is all." in text
    assert "  params<=4: 14 of 24 alone" in text
    assert "About 12 architectures to search." in text
    assert "Known only after a query: accuracy>=90." in text
    assert "params: 1 to 12, median 4" in text
    assert "30 queries take about 30.0 minutes, one at a time." in text
    assert "Caution: The budget of 30 is more than it takes" in text


def test_of_continuous_numbers_no_combinations_are_counted():
    space = {"rate": Float(1e-4, 0.1, log=True), "width": Int(8, 512), "pool": ["max", "avg"]}
    found = profile(space, free={"width": lambda values: values["width"]}, limits=["width<=100"], budget=40)
    text = profile_in_words(found)
    assert "flat: 3 decisions, 1 of them continuous.\n" in text
    assert "Within the limits: " in text
    assert "architectures to search" not in text
    told = profile_as_json(found)
    assert (told["decisions"], told["continuous"], told["architectures"]) == (3, 1, None)


def test_estimates_have_an_interval():
    found = profile({f"d{i}": [1, 2, 3, 4] for i in range(10)}, free={"d": lambda c: c["d0"]}, limits=["d<=2"])
    assert "valid architectures measured (" in profile_in_words(found)
    assert "with 95 % confidence)" in profile_in_words(found)


def test_programs_get_the_same():
    found = profile(CHOICES, free={"params": params, "none": lambda _: float("nan")}, limits=["params<=4"], budget=10)
    told = json.loads(json.dumps(profile_as_json(found), allow_nan=False))
    assert told["feasible"]["hits"] == 14
    assert (told["metrics"]["params"]["min"], told["metrics"]["params"]["max"]) == (1, 12)
    assert told["metrics"]["none"] is None
    assert sum(entry["count"] for entry in told["metrics"]["params"]["histogram"]) == told["measured"] == 24
    assert "none: could not be measured." in profile_in_words(found)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_a_histogram_counts_each_value_once_within_its_bounds(values):
    bins = histogram(values)
    assert sum(hits for *_, hits in bins) == len(values)
    assert bins[0][0] == min(values)
    assert bins[-1][1] == pytest.approx(max(values))
    assert all(low <= high for low, high, _ in bins)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.00123, "0.0012 seconds"), (90, "90 seconds"), (120, "2.0 minutes"), (7200, "2.0 hours"), (172800, "2.0 days")],
)
def test_a_duration_is_told_in_its_unit(seconds, text):
    assert duration(seconds) == text
