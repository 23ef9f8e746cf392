from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.proxy.targets import ArcsinhSlack, Normalization, RankGaussian, Standard, tempered_ranks

# Quarters: ties are common, differences are never below what floats resolve.
QUARTERS = st.integers(-400, 400).map(lambda x: x / 4)
OBSERVED = arrays(np.float64, st.integers(1, 30), elements=QUARTERS)
WITH_MISSING = arrays(
    np.float64, st.integers(1, 30), elements=st.one_of(QUARTERS, st.sampled_from([math.nan, -math.inf, math.inf]))
)


@pytest.mark.parametrize("fit", [RankGaussian.fit, tempered_ranks])
@given(OBSERVED)
def test_scores_keep_the_order_and_the_ties(fit, observed):
    scores = fit(observed).score(observed)
    assert np.isfinite(scores).all()
    assert ((scores[:, None] < scores[None, :]) == (observed[:, None] < observed[None, :])).all()


@given(OBSERVED, st.floats(0.1, 10), st.floats(-5, 5))
def test_scores_depend_on_nothing_but_the_order(observed, factor, offset):
    curved = np.exp(observed / 50) * factor + offset
    np.testing.assert_allclose(RankGaussian.fit(curved).score(curved), RankGaussian.fit(observed).score(observed))


@given(OBSERVED)
def test_the_opposite_of_the_values_has_the_opposite_scores(observed):
    np.testing.assert_allclose(
        RankGaussian.fit(-observed).score(-observed), -RankGaussian.fit(observed).score(observed), atol=1e-12
    )


def test_many_different_values_score_like_a_normal_sample():
    scores = RankGaussian.fit(np.random.default_rng(0).exponential(size=1000) ** 3).score
    values = np.random.default_rng(0).exponential(size=1000) ** 3
    assert scores(values).mean() == pytest.approx(0, abs=1e-6)
    assert scores(values).std() == pytest.approx(1, abs=0.01)


def test_near_duplicates_at_the_top_do_not_spread_the_scores():
    """Thirty results that differ by noise: tempered, they lie closer together than ranks would have them."""
    observed = np.concatenate([np.linspace(50, 85, 20), 87 + 1e-3 * np.arange(30)])
    ranks, tempered = (fit(observed).score(observed)[-30:] for fit in (RankGaussian.fit, tempered_ranks))
    assert np.ptp(tempered) < 0.6 * np.ptp(ranks)


@pytest.mark.parametrize("fit", [RankGaussian.fit, tempered_ranks])
@given(WITH_MISSING)
def test_what_is_missing_is_as_bad_as_the_worst(fit, observed):
    scale = fit(observed)
    scores = scale.score(observed)
    missing = ~np.isfinite(observed)
    assert np.isfinite(scores).all()
    if missing.any():
        assert set(scores[missing]) == {scores.min()}


@pytest.mark.parametrize("fit", [RankGaussian.fit, tempered_ranks])
@given(OBSERVED)
def test_values_are_found_again_from_their_scores(fit, observed):
    scale = fit(observed)
    found = [scale.value(score) for score in scale.score(observed)]
    np.testing.assert_allclose(found, observed, atol=1e-9)


@pytest.mark.parametrize("fit", [RankGaussian.fit, tempered_ranks])
@given(OBSERVED, st.lists(st.floats(-10, 10), min_size=2, max_size=2))
def test_a_better_score_never_means_a_worse_value(fit, observed, scores):
    scale = fit(observed)
    low, high = sorted(scores)
    assert scale.value(low) <= scale.value(high) + 1e-9


@given(WITH_MISSING)
def test_margins_keep_order_and_sign_and_are_found_again(observed):
    scale = ArcsinhSlack.fit(observed)
    scores = scale.score(observed)
    measured = np.isfinite(observed)
    assert np.isfinite(scores).all()
    assert (np.sign(scores[measured]) == np.sign(observed[measured])).all()
    order = np.argsort(observed[measured], kind="stable")
    assert (np.diff(scores[measured][order]) >= 0).all()
    np.testing.assert_allclose([scale.value(x) for x in scores[measured]], observed[measured], rtol=1e-9, atol=1e-9)
    assert (scores[~measured] == scores.min()).all()


@given(OBSERVED, st.floats(0.01, 100))
def test_margins_do_not_depend_on_the_unit_of_the_metric(observed, factor):
    if observed.any():
        unit = np.median(np.abs(observed))
        if unit:
            np.testing.assert_allclose(
                ArcsinhSlack.fit(observed * factor).score(observed * factor), ArcsinhSlack.fit(observed).score(observed)
            )


def test_a_scale_of_nothing_says_nothing():
    scale = RankGaussian.fit(np.array([math.nan, -math.inf]))
    assert not scale.score(np.array([math.nan, 1.0])).any()
    assert math.isnan(scale.value(0.0))
    margin = ArcsinhSlack.fit(np.array([math.nan, -math.inf]))
    assert not margin.score(np.array([math.nan, 1.0])).any()
    assert math.isnan(margin.value(0.0))


GOAL = Goal((Objective("accuracy"), Objective("size", "min")), (Limit("latency", 4.0), Limit("recall", 0.5, ">=")))
METRICS = [
    {"accuracy": 90.0, "size": 3.0, "latency": 2.0, "recall": 0.4},
    {"accuracy": 80.0, "size": 1.0, "latency": 4.0, "recall": 0.5},
    {"accuracy": 95.0, "size": 2.0, "latency": 7.0, "recall": 0.9},
    {},
    {"accuracy": math.nan, "size": 2.5, "latency": 3.0},
]


def test_every_column_grows_with_what_is_wanted():
    scores = Normalization()(GOAL, METRICS).scores
    measured = scores[:3, :4]
    assert [list(np.argsort(-column)) for column in measured.T] == [[2, 0, 1], [1, 2, 0], [0, 1, 2], [2, 1, 0]]
    # What was not measured is unknown, and a last column says which trainings lack something.
    assert np.isnan(scores[3, :4]).all()
    assert np.isnan(scores[4]).tolist() == [True, False, False, True, False]
    assert scores[:, 4].tolist() == [1, 1, 1, -1, -1]


def test_without_failures_there_is_no_column_of_them():
    assert Normalization()(GOAL, METRICS[:3]).scores.shape == (3, 4)


def test_failures_may_count_as_the_worst():
    scores = Normalization(failures=False)(GOAL, METRICS).scores
    assert scores.shape == (5, 4)
    assert (scores[3] == scores.min(0)).all()
    assert (scores[4, [0, 3]] == scores.min(0)[[0, 3]]).all()


def test_a_failure_moves_no_score_of_the_others():
    with_failure = Normalization()(GOAL, METRICS[:4]).scores[:3, :4]
    np.testing.assert_array_equal(with_failure, Normalization()(GOAL, METRICS[:3]).scores)


def test_limits_are_kept_exactly_from_zero_on():
    targets = Normalization()(GOAL, METRICS)
    expected = [[limit.violation(metrics) <= 0 for limit in GOAL.limits] for metrics in METRICS]
    assert (targets.scores[:, 2:4] >= 0).tolist() == expected


def test_scores_are_told_in_the_units_of_the_metrics():
    targets = Normalization()(GOAL, METRICS)
    for row, metrics in zip(targets.scores[:3], METRICS, strict=False):
        assert targets.describe(GOAL, row.tolist()) == pytest.approx(metrics)


def test_a_metric_that_was_never_measured_is_not_predicted():
    targets = Normalization()(
        Goal((Objective("accuracy"),), (Limit("latency", 1.0),)), [{"accuracy": 1.0}, {"accuracy": 2.0}]
    )
    assert set(targets.describe(Goal((Objective("accuracy"),), (Limit("latency", 1.0),)), [0.0, 0.0])) == {"accuracy"}


def test_the_objective_is_described_where_it_is_limited_too():
    goal = Goal((Objective("size", "min"),), (Limit("size", 2.0),))
    targets = Normalization()(goal, [{"size": 1.0}, {"size": 3.0}])
    assert targets.describe(goal, targets.scores[0].tolist()) == pytest.approx({"size": 1.0})


@pytest.mark.parametrize("kept", [[], [-4.0, 8.0]])
def test_what_keeps_a_limit_without_a_measurement_is_well_inside(kept):
    """As far as the others typically are from the bound, or one unit where nobody has measured it."""
    goal = Goal((Objective("score"),), (Limit("mem", 0.0, optional=True),))
    metrics = [{"score": 1.0}, *({"score": 2.0, "mem": value} for value in kept)]
    targets = Normalization()(goal, metrics)
    slack = targets.scores[:, 1]
    assert slack[0] == pytest.approx(math.asinh(1.0))
    assert all((value < 0) == (score > 0) for value, score in zip(kept, slack[1:], strict=True))
    assert targets.describe(goal, [0.0, slack[0]])["mem"] == pytest.approx(-6.0 if kept else -1.0)


def test_intervals_hold_the_prediction_in_the_units_of_the_metrics():
    targets = Normalization()(GOAL, METRICS)
    mean, std = targets.scores[0].tolist(), [0.5] * targets.scores.shape[1]
    told, narrow, wide = (
        targets.describe(GOAL, mean),
        *(targets.intervals(GOAL, mean, std, level=level) for level in (0.5, 0.9)),
    )
    assert told.keys() == narrow.keys() == wide.keys()
    for name, value in told.items():
        assert wide[name][0] < narrow[name][0] < value < narrow[name][1] < wide[name][1]


def test_an_interval_is_as_wide_as_its_level_says():
    """Of a metric whose scores are its values: 1.645 standard deviations on either side, whichever way is better."""
    normalization = Normalization(objectives=Standard.fit)
    for direction in ("max", "min"):
        goal = Goal((Objective("loss", direction),))
        targets = normalization(goal, [{"loss": -1.0}, {"loss": 1.0}])
        (bounds,) = targets.intervals(goal, [0.0], [2.0], level=0.9).values()
        assert bounds == pytest.approx((-3.290, 3.290), abs=1e-3)


def test_without_uncertainty_there_is_no_interval():
    goal = Goal((Objective("accuracy"),))
    several, one = (Normalization()(goal, [{"accuracy": value} for value in values]) for values in ((1, 2), (1, 1)))
    assert several.intervals(goal, [0.0], [0.0], level=0.9) == {}
    assert one.intervals(goal, [0.0], [1.0], level=0.9) == {}
