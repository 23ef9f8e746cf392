from __future__ import annotations

import pickle

import pytest

from optiproxy.errors import UsageError
from optiproxy.searching.run import run
from optiproxy.searching.settings import SearchSettings
from optiproxy.training.tasks.digits import DigitsTask
from optiproxy.training.tasks.latency_limited import LatencyLimited, digits_latency

pytestmark = pytest.mark.slow

SKIPS = (1,) * 6
CONVOLUTIONS = (3,) * 6


class BriefDigits(DigitsTask):
    """The real task with short trainings."""

    fidelities = (1, 2)


@pytest.fixture(scope="module")
def task():
    return LatencyLimited(BriefDigits(), CONVOLUTIONS, share=0.5)


def test_the_reference_takes_about_as_long_as_itself(task):
    assert task.free_metrics(task.reference)["relative_latency"] == pytest.approx(1.0, abs=0.3)


def test_a_cell_without_convolutions_is_fast_enough_and_the_reference_is_not(task):
    metrics = task.evaluate(SKIPS)
    assert task.goal.feasible(metrics)
    assert not task.goal.feasible({**metrics, **task.free_metrics(CONVOLUTIONS)})


def test_pickling_keeps_what_was_measured(task):
    measured = task.free_metrics(SKIPS)
    assert pickle.loads(pickle.dumps(task)).free_metrics(SKIPS) == measured


def test_trainings_are_those_of_the_task_itself(task):
    limited, plain = task.evaluate(SKIPS, seed=1), BriefDigits().evaluate(SKIPS, seed=1)
    assert limited["val_accuracy"] == plain["val_accuracy"]


def test_the_limit_is_a_constant_so_that_a_study_may_be_continued_elsewhere():
    assert digits_latency().goal == digits_latency().goal


def test_no_infeasible_cell_is_trained(task):
    result = run(task, SearchSettings(algorithm="random", budget=4))
    assert all(record.metrics["relative_latency"] <= 0.5 for record in result.records)


def test_what_the_task_refuses_is_refused(task):
    with pytest.raises(UsageError, match="got 7"):
        task.evaluate(SKIPS, fidelity=7)
