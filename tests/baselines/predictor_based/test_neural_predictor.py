from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.baselines.predictor_based.neural_predictor import Doubling
from optiproxy.errors import UsageError


@given(st.integers(1, 30), st.integers(0, 500))
def test_a_round_begins_whenever_the_number_of_trials_has_doubled(initial, n):
    starts = [found.trials for found in Doubling(initial).rounds(n, [(0,)], 3)]
    assert starts == [initial * 2**k for k in range(10) if initial * 2**k <= n]


def test_refuses_empty_rounds():
    with pytest.raises(UsageError, match="at least 1"):
        Doubling(0)
