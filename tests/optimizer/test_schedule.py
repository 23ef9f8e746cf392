from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.errors import UsageError
from optiproxy.optimizer.schedule import Batches, EveryTrial


def test_after_every_trial_a_round_depends_on_no_other():
    (found,) = EveryTrial().rounds(7, [(0, 1)], 3)
    assert (found.trials, found.pending, found.proposals) == (7, ((0, 1),), 3)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 100))
def test_batches_begin_after_the_random_trials_and_last_for_their_size(initial, size, trials):
    found = [round_.trials for round_ in Batches(initial, size).rounds(trials, [(0,)], 2)]
    assert found == [n for n in range(trials + 1) if n >= initial and (n - initial) % size == 0]


def test_a_batch_is_the_same_whatever_runs_meanwhile():
    batches = Batches(4, 4)
    assert batches.rounds(9, [(1,), (2,)], 5) == batches.rounds(11, [], 1)


@pytest.mark.parametrize(("initial", "size"), [(0, 1), (1, 0)])
def test_nothing_to_learn_from_is_refused(initial, size):
    with pytest.raises(UsageError, match="at least 1"):
        Batches(initial, size)
