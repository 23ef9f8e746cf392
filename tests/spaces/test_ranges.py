"""Ranges of numbers: drawn evenly, given in any type, and what is no range is refused in one sentence."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from optiproxy.errors import UsageError
from optiproxy.spaces import Float, Int
from optiproxy.spaces.ranges import scale_from


def test_draws_on_a_logarithmic_scale_of_integers_are_uniform_on_it():
    scale, n = Int(1, 100, log=True), 20_000
    drawn = np.array(scale.draw(np.random.default_rng(0), n)) + 1
    for low, high in ((1, 1), (1, 3), (4, 12), (13, 40), (41, 100), (100, 100)):
        share = math.log((high + 0.5) / (low - 0.5)) / math.log(100.5 / 0.5)
        # Four standard deviations of a binomial share.
        assert abs(np.mean((drawn >= low) & (drawn <= high)) - share) < 4 * math.sqrt(share * (1 - share) / n)


def test_scalars_of_numpy_and_torch_are_bounds_and_values():
    assert Int(np.int64(1), torch.tensor(5)) == Int(1, 5)
    assert repr(Float(np.float64(0.25), torch.tensor(1.0))) == "Float(0.25, 1.0)"
    assert Int(1.0, np.float32(5), step=np.int8(2)) == Int(1, 5, step=2)
    assert Int(1, 5).position(np.int64(3)) == Int(1, 5).position(3.0) == 2
    assert Float(0, 1).position(np.float64(0.5)) == Float(0, 1).position(torch.tensor(0.5))
    assert Float(-0.0, 0.0).low == 0
    assert str(Float(-0.0, 1.0)) == "Float(0.0, 1.0)"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Int(5, 1), r"^Expected low <= high, and both within 2\*\*53 from 0, got 5 and 1\.$"),
        (lambda: Int(0, 2**53 + 1), "got 0 and 9007199254740993"),
        (lambda: Int(1, 10**400), r"got 1 and 10000000000000000000…\.$"),
        (lambda: Int(0, 8, log=True), "A logarithmic scale begins at 1 or above and has no step, got low 0 and step 1"),
        (lambda: Int(-8, 8, log=True), "begins at 1 or above"),
        (lambda: Int(1, 8, step=2, log=True), "got low 1 and step 2"),
        (lambda: Int(1, 5, step=0), "Expected a step of 1 or more that fits between 1 and 5, got 0"),
        (lambda: Int(1, 5, step=-1), "got -1"),
        (lambda: Int(1, 5, step=5), "fits between 1 and 5, got 5"),
        (lambda: Int(1, 5, step=1.5), "Expected a whole number as step of an Int, got 1.5"),
        (lambda: Int(0.5, 5), "Expected a whole number as low of an Int, got 0.5"),
        (lambda: Int(1, math.nan), "as high of an Int, got nan"),
        (lambda: Int(1, math.inf), "as high of an Int, got inf"),
        (lambda: Int("1", 5), "as low of an Int, got '1'"),
        (lambda: Int(True, 5), "as low of an Int, got True"),
        (lambda: Int(None, 5), "as low of an Int, got None"),
        (lambda: Int(np.arange(2), 5), "as low of an Int, got array"),
        (lambda: Float(1, 0), "Expected low <= high, and a distance that a float can hold, got 1 and 0"),
        (lambda: Float(-1e308, 1e308), "a distance that a float can hold"),
        (lambda: Float(0, 1, log=True), "A logarithmic scale begins above 0 and has no step, got low 0"),
        (lambda: Float(-1, 1, log=True), "begins above 0"),
        (lambda: Float(1, 9, step=1, log=True), "got low 1 and step 1"),
        (lambda: Float(0, 1, step=0), "Expected a step above 0 that fits between 0 and 1, .* got 0"),
        (lambda: Float(0, 1, step=-0.1), "got -0.1"),
        (lambda: Float(0, 1, step=1.5), "got 1.5"),
        (lambda: Float(0, 1, step=1e-30), "at most 2.*53 times, got 1e-30"),
        (lambda: Float(0, 1, step=math.nan), "Expected a finite number as step of a Float, got nan"),
        (lambda: Float(math.nan, 1), "Expected a finite number as low of a Float, got nan"),
        (lambda: Float(0, math.inf), "as high of a Float, got inf"),
        (lambda: Float(0, 10**400), "as high of a Float, got 1000"),
        (lambda: Float("0", 1), "as low of a Float, got '0'"),
        (lambda: Float(False, 1), "as low of a Float, got False"),
        (lambda: Float([0], 1), r"as low of a Float, got \[0\]"),
        (lambda: Float(5e-324, 1), "Expected 0 or at least 2.3e-308 as low of a Float, got 5e-324"),
    ],
)
def test_what_is_no_range_is_refused_in_one_sentence(make, message):
    with pytest.raises(UsageError, match=message):
        make()


@pytest.mark.parametrize(
    ("scale", "value"),
    [
        (Int(1, 8), 0),
        (Int(1, 8), 9),
        (Int(1, 8), 2.5),
        (Int(1, 8), True),
        (Int(1, 8), "3"),
        (Int(1, 9, step=2), 4),
        (Float(0, 1), 1.1),
        (Float(0, 1), math.nan),
        (Float(0, 1), "0.5"),
        (Float(0, 1), True),
        (Float(0, 1), None),
        (Float(0, 1, step=0.25), 0.3),
    ],
)
def test_what_is_none_of_the_values_has_no_position(scale, value):
    assert value not in scale
    with pytest.raises(ValueError, match=r"is none of them|is no (whole )?number|is outside of them|is between them"):
        scale.position(value)


@pytest.mark.parametrize("text", ["int(1)", "Int", "Float(__import__('os').getpid(), 1)", "Ordered([1])", "1 + 1"])
def test_texts_that_are_no_range_are_not_read(text):
    with pytest.raises(ValueError, match=r"is no range|malformed"):
        scale_from(text)
