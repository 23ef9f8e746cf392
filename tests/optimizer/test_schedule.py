from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.errors import UsageError
from optiproxy.optimizer.schedule import Batches


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 200))
def test_a_round_begins_after_the_initial_trials_and_after_each_batch(initial, size, n):
    starts = [found.trials for found in Batches(initial, size).rounds(n, [(0,)], 3)]
    assert starts == [start for start in range(n + 1) if start >= initial and (start - initial) % size == 0]


@pytest.mark.parametrize("sizes", [(0, 1), (1, 0)])
def test_refuses_empty_rounds(sizes):
    with pytest.raises(UsageError, match="at least 1"):
        Batches(*sizes)
