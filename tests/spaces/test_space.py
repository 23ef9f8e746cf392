"""What the base class gives to every space."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from optiproxy.errors import UsageError
from optiproxy.spaces import FlatSpace, Float, Int, RestrictedSpace, narrowed

SPACE = FlatSpace({"kernel": [3, 5, 7], "pool": ["max", "avg"]}, name="example")


def test_size_counts_combinations_and_widest_the_choices():
    assert SPACE.size == 6
    assert SPACE.widest == 3


@pytest.mark.parametrize(
    ("choices", "continuous", "enumerable"),
    [
        ({"a": ["x", "y"], "b": Int(1, 5)}, 0, True),
        ({"a": ["x", "y"], "b": Int(1, 50)}, 0, True),
        ({"a": ["x", "y"], "b": Int(1, 51)}, 0, False),  # 102 combinations
        ({"a": Float(0.0, 1.0, step=0.01)}, 0, False),  # 101
        ({"a": Float(0.0, 0.99, step=0.01)}, 0, True),
        ({"a": Float(1.0, 1.007, log=True)}, 1, False),  # 71 of 5 digits, which nobody would count
        ({"a": Float(0.0, 1.0), "b": Float(1e-4, 1.0, log=True), "c": ["x"]}, 2, False),
    ],
)
def test_a_space_is_gone_through_where_it_is_small_and_not_continuous(choices, continuous, enumerable):
    space = FlatSpace(choices)
    wrapped = RestrictedSpace(space, lambda _: True)
    assert space.continuous == wrapped.continuous == continuous
    assert space.enumerable(100) is wrapped.enumerable(100) is enumerable


def test_sampling_draws_every_choice_alike():
    samples = np.array(SPACE.sample(np.random.default_rng(0), 6000))
    counts = np.bincount(samples[:, 0] * 2 + samples[:, 1], minlength=6)
    # Six standard deviations of a binomial count with p = 1/6.
    assert np.abs(counts - 1000).max() < 6 * np.sqrt(6000 * 1 / 6 * 5 / 6)


def test_sampling_meets_rare_validity_and_gives_up_where_there_is_none():
    wide = FlatSpace({"a": range(20), "b": range(20)})
    rare = RestrictedSpace(wide, lambda architecture: architecture == (3, 4))
    assert rare.sample(np.random.default_rng(0), 40) == [(3, 4)] * len(rare.sample(np.random.default_rng(0), 40))
    assert len(rare.sample(np.random.default_rng(0), 40)) > 0
    assert RestrictedSpace(wide, lambda _: False).sample(np.random.default_rng(0), 3) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kernel": 3}, "got none for pool"),
        ({"kernel": 3, "pool": "max", "pol": 1}, "Unknown decision 'pol'. Did you mean 'pool'?"),
        ({"kernel": 4, "pool": "max"}, r"takes one of \[3, 5, 7\], got 4"),
        ({"kernel": "3", "pool": "max"}, "got '3'"),
    ],
)
def test_values_that_do_not_fit_are_refused(values, message):
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        SPACE.architecture(values)


def test_numbers_may_come_back_in_another_type():
    """JSON and databases return 3.0 for 3 and numpy scalars for numbers."""
    assert SPACE.architecture({"kernel": 3.0, "pool": "max"}) == (0, 0)
    assert SPACE.architecture({"kernel": np.int64(7), "pool": "avg"}) == (2, 1)


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: s.where(lambda v: True), lambda s: narrowed.fixed(s, {0: 2})])
def test_every_space_builds_from_names_what_it_builds_from_positions(wrap):
    space = wrap(SPACE)
    assert space.build({"kernel": 7, "pool": "avg"}) == space.build((2, 1)) == {"kernel": 7, "pool": "avg"}
    with pytest.raises(UsageError, match="takes one of"):
        space.build({"kernel": 8, "pool": "avg"})


def test_the_fingerprint_tells_spaces_apart_by_name_decisions_choices_and_order():
    others = [
        FlatSpace({"kernel": [3, 5, 7], "pool": ["max", "avg"]}, name="other"),
        FlatSpace({"pool": ["max", "avg"], "kernel": [3, 5, 7]}, name="example"),
        FlatSpace({"kernel": [3, 7, 5], "pool": ["max", "avg"]}, name="example"),
        FlatSpace({"kernel": [3, 5, "7"], "pool": ["max", "avg"]}, name="example"),
        FlatSpace({"kernel": [3, 5], "pool": ["max", "avg"]}, name="example"),
    ]
    assert len({SPACE.fingerprint, *(other.fingerprint for other in others)}) == 6


def test_the_fingerprint_stays_between_processes_and_versions():
    """Studies on disk hold it: a change here would orphan them all."""
    assert SPACE.fingerprint == "4d3ff93f119f052c"
    program = (
        "from optiproxy.spaces import FlatSpace;"
        "print(FlatSpace({'kernel': [3, 5, 7], 'pool': ['max', 'avg']}, name='example').fingerprint)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == SPACE.fingerprint
