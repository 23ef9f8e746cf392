from __future__ import annotations

import math

import pytest

from optiproxy.reporting.words import count, number, result_in_words, standing


@pytest.mark.parametrize(
    ("value", "text"),
    [(91.606667, "91.607"), (1234567.0, "1,234,567"), (0.000012, "1.2e-05"), (0.0, "0"), (math.nan, "–"), (None, "–")],
)
def test_numbers_as_people_read_them(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0"), (15_625, "15,625"), (10**9, "1.0e9"), (26 * 10**29, "2.6e30"), (10**400, "1.0e400")]
)
def test_a_count_is_told_however_large(size, text):
    assert count(size) == text


def test_the_command_line_tells_what_is_recommended_beside_a_lucky_best(lucky, result):
    told = result_in_words(lucky)
    assert "Best architecture, query #2:" in told
    assert f"Recommended: query #{lucky.recommended.number} (accuracy 85, test {70 + lucky.recommended.number})" in told
    assert "Recommended architecture: kernel = 5, width = " in told
    assert "ecommended" not in result_in_words(result([{"accuracy": 90.0}]))


def test_more_queries_than_asked_for_are_told_as_such(result):
    assert standing(result([{"accuracy": 1.0}] * 24, budget=30)) == "Finished: 24 of 30 queries spent."
    told = standing(result([{"accuracy": 1.0}] * 24, budget=10))
    assert told == "Finished: 24 queries (10 were asked for) spent."
