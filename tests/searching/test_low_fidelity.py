"""Searches that spend their budget at a lower fidelity and then promote the best."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import cloudpickle
import numpy as np
import optuna
import pytest

from optiproxy import registry
from optiproxy.errors import StudyError, UsageError
from optiproxy.metrics import Goal, Limit, Metric, Objective
from optiproxy.searching.load import load
from optiproxy.searching.run import run
from optiproxy.searching.settings import SearchSettings
from optiproxy.spaces import FlatSpace
from optiproxy.tables import TableTask
from optiproxy.task.task import Source

# Else each worker would import what the tests import.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Short(TableTask):
    """36 networks of which cheap trainings tell the order, but for one that they overrate; the test split disagrees."""

    def __init__(self, **arguments):
        space = FlatSpace({"a": [*range(6)], "b": [*range(6)]})
        cells = np.array([[a, b] for a in range(6) for b in range(6)])
        short = cells.sum(1) + 0.1 * cells[:, 0]
        full = 10.0 + short
        short[7], full[7] = 99.0, 1.0
        super().__init__(
            "short",
            space,
            metrics=(
                Metric(name="accuracy", direction="max"),
                Metric(name="test", direction="max", reported_only=True),
                Metric(name="latency", direction="min", free=True),
            ),
            goal=Goal((Objective("accuracy"),)),
            source=Source("made-up", "36 values"),
            architectures=cells,
            columns={
                "accuracy": np.stack([short, full], axis=1),
                "test": np.stack([-short, -full], axis=1),
                "latency": cells[:, 1].astype(float),
            },
            fidelities=(12, 200),
            **arguments,
        )
        self.asked = []

    def evaluate(self, architecture, *, seed=0, fidelity=None):
        self.asked.append((architecture, fidelity))
        return super().evaluate(architecture, seed=seed, fidelity=fidelity)


def _story(result):
    return [(r.number, r.architecture, r.state, r.reason, dict(r.metrics), r.fidelity) for r in result.records]


def _run(task=None, *, goal=None, **arguments):
    settings = {"algorithm": "random", "budget": 20, "fidelity": 12, "promote": 4, **arguments}
    return run(task or Short(), SearchSettings(**settings), goal=goal)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/study.db"


@pytest.fixture
def known(monkeypatch):
    """The registry, with a task of ours in it."""
    monkeypatch.setattr(registry, "known_task", lambda name, fingerprint: Short())


def test_the_budget_goes_to_the_lower_fidelity_and_the_best_again_to_the_full_one():
    task = Short()
    result = _run(task)
    assert Counter(fidelity for _, fidelity in task.asked) == {12: 20, None: 4}
    low, full = result.records[:20], result.records[20:]
    assert {record.fidelity for record in low} == {12}
    assert full == result.full
    best = sorted(low, key=lambda record: -record.metrics["accuracy"])[:4]
    assert [record.architecture for record in full] == [record.architecture for record in best]
    assert [record.number for record in result.records] == list(range(24))
    assert result.epochs == 20 * 12 + 4 * 200
    assert result.stopped == "budget"


def test_the_answer_is_the_best_in_full_not_the_one_that_cheap_trainings_overrate():
    result = _run(budget=36)
    assert result.full[0].architecture == (1, 1)
    assert result.full[0].metrics["accuracy"] == 1.0
    assert result.best.architecture == (5, 5)
    assert result.best.metrics["accuracy"] == result.optimum == pytest.approx(20.5)
    assert result.front == (result.best,)


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["random", "regularized-evolution"])
def test_a_larger_budget_goes_on_from_the_lower_fidelity_alone(url, algorithm):
    for budget in (1, 13, 20):
        parts = _run(algorithm=algorithm, budget=budget, storage=url)
    whole = _run(algorithm=algorithm)
    assert [r.architecture for r in parts.records if r.fidelity] == [
        r.architecture for r in whole.records if r.fidelity
    ]
    # All of the last best have been evaluated in full; those that were among the best earlier count, too.
    assert {r.architecture for r in whole.full} <= {r.architecture for r in parts.full}
    assert len(parts.full) <= 1 + 4 + 4
    assert parts.best.metrics["accuracy"] >= whole.best.metrics["accuracy"]


@pytest.mark.slow
def test_more_promotions_go_on_too(url):
    _run(promote=2, storage=url)
    again = _run(promote=5, storage=url)
    assert _story(again) == _story(_run(promote=5))
    assert len(_run(promote=3, storage=url).full) == 5


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 7, 20, 21, 22, 24])
def test_an_interrupted_search_ends_like_any_other(url, at, known):
    task = Short()
    evaluate, calls = task.evaluate, []

    def interrupted(architecture, **arguments):
        calls.append(architecture)
        if len(calls) == at:
            raise KeyboardInterrupt
        return evaluate(architecture, **arguments)

    task.evaluate = interrupted
    first = _run(task, storage=url)
    assert (first.stopped, len(first.records)) == ("interrupted", at - 1)
    assert load(url).stopped == "interrupted"
    assert first.has_best == (at > 21)
    again = _run(storage=url)
    assert _story(again) == _story(_run())
    assert (again.stopped, load(url).stopped) == ("budget", "budget")


@pytest.mark.slow
def test_a_finished_search_is_answered_from_its_study(url, known):
    first = _run(storage=url)
    task = Short()
    again = _run(task, storage=url)
    assert task.asked == []
    assert again.records == first.records
    loaded = load(url)
    assert loaded.records == first.records
    assert (loaded.protocol, loaded.protocol.full, loaded.optimum) == (first.protocol, 200, first.optimum)
    assert loaded.best == first.best


@pytest.mark.slow
def test_a_failed_promotion_is_spent_and_no_other_takes_its_place(url):
    class Failing(Short):
        def evaluate(self, architecture, *, seed=0, fidelity=None):
            if fidelity is None and architecture == (1, 1):
                raise MemoryError("too large")
            return super().evaluate(architecture, seed=seed, fidelity=fidelity)

    result = _run(Failing(), budget=36, storage=url)
    first, *others = result.full
    assert (first.architecture, first.state, first.reason) == ((1, 1), "failed", "MemoryError: too large")
    assert [r.architecture for r in others] == [r.architecture for r in _run(budget=36).full[1:]]
    assert result.epochs == 36 * 12 + 4 * 200
    assert _run(Failing(), budget=36, storage=url).records == result.records


def test_a_space_that_runs_out_is_promoted_all_the_same():
    result = _run(budget=99)
    assert (result.stopped, len(result.records)) == ("exhausted", 40)
    assert result.best.architecture == (5, 5)


def test_fewer_feasible_ones_than_promotions_are_all_promoted():
    goal = Goal((Objective("accuracy"),), (Limit("accuracy", 10.0, ">="),))
    result = _run(goal=goal, budget=36, promote=10)
    low = [record for record in result.records if record.fidelity and record.metrics["accuracy"] >= 10]
    assert 0 < len(low) < 10
    assert {record.architecture for record in result.full} == {record.architecture for record in low}


def test_nothing_feasible_promotes_nothing():
    goal = Goal((Objective("accuracy"),), (Limit("accuracy", 1000.0, ">="),))
    result = _run(goal=goal)
    assert (result.has_best, result.full, len(result.records)) == (False, (), 20)


@pytest.mark.parametrize("queried", [(), ("latency",)])
def test_limits_hold_under_both_protocols(queried):
    goal = Goal((Objective("accuracy"),), (Limit("latency", 2.0),))
    result = _run(Short(queried=queried), goal=goal, budget=18, promote=3)
    kept = [record.metrics["latency"] <= 2 for record in result.records]
    assert all(kept) == (not queried)
    assert all(record.metrics["latency"] <= 2 for record in result.full)
    assert len(result.full) == 3


@pytest.mark.slow
def test_a_free_metric_holds_as_it_was_measured_before_the_first_query(url):
    """A latency that is measured anew may be a little larger; that must not make an admitted architecture infeasible."""

    class Noisy(Short):
        measured = 0

        def free_metrics(self, architecture):
            Noisy.measured += 1
            return {"latency": 2.0 + 1e-3 * (Noisy.measured > 200)}

        def evaluate(self, architecture, *, seed=0, fidelity=None):
            return {**super().evaluate(architecture, seed=seed, fidelity=fidelity), "latency": 2.001}

    goal = Goal((Objective("accuracy"),), (Limit("latency", 2.0),))
    _run(Noisy(), goal=goal, promote=1, storage=url)
    Noisy.measured = 1000
    result = _run(Noisy(), goal=goal, promote=4, storage=url)
    assert [record.metrics["latency"] for record in result.full] == [2.0] * 4


def test_several_objectives_give_a_front_in_full():
    goal = Goal((Objective("accuracy"), Objective("latency", "min")))
    result = _run(goal=goal, budget=36, promote=8)
    assert {record.fidelity for record in result.front} == {None}
    assert len(result.front) > 1


def test_a_task_says_itself_where_it_is_searched():
    result = run(Short(search_fidelity=12), SearchSettings(algorithm="random", budget=20))
    assert (len(result.records), len(result.full), result.protocol.promote) == (30, 10, 10)
    in_full = run(Short(search_fidelity=12), SearchSettings(algorithm="random", budget=20, fidelity=200))
    assert (len(in_full.records), in_full.full) == (20, in_full.records)
    assert in_full.epochs == 20 * 200


def test_a_full_search_is_told_the_full_fidelity():
    task = Short()
    run(task, SearchSettings(algorithm="random", budget=3))
    assert {fidelity for _, fidelity in task.asked} == {None}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ({}, {"fidelity": 200, "promote": 0}, "fidelity 12, not full"),
        ({"fidelity": 200, "promote": 0}, {}, "fidelity full, not 12"),
        ({"free": ("latency",)}, {}, "free metrics latency, not none"),
        ({}, {"free": ("latency",)}, "free metrics none, not latency"),
    ],
)
def test_a_study_under_another_protocol_is_not_resumed(url, first, second, told):
    goal = Goal((Objective("accuracy"),), (Limit("latency", 3.0),))
    made = _run(Short(queried=("latency",)), goal=goal, storage=url, study="s", **first)
    with pytest.raises(StudyError, match=told):
        _run(Short(queried=("latency",)), goal=goal, storage=url, study="s", **second)
    assert _run(Short(queried=("latency",)), goal=goal, storage=url, study="s", **first).records == made.records


@pytest.mark.slow
def test_optuna_sees_the_fidelity_of_each_trial(url):
    _run(storage=url)
    trials = optuna.load_study(study_name=None, storage=url).get_trials()
    assert [trial.user_attrs.get("fidelity") for trial in trials] == [12] * 20 + [None] * 4
    assert all(set(trial.params) == {"a", "b"} for trial in trials)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_real_processes_are_told_the_fidelity(workers):
    task = Short()
    task.isolated = True
    result = _run(task, budget=6, promote=2, workers=workers)
    assert Counter(record.fidelity for record in result.records) == {12: 6, None: 2}
    assert [record.fidelity for record in result.records[6:]] == [None, None]
    assert not [record for record in result.records if record.reason]


def test_the_same_task_without_fidelities_refuses_one():
    task = Short()
    task.fidelities = ()
    with pytest.raises(UsageError, match="one fidelity only"):
        _run(task)


SCRIPT = """
import sys, time
sys.path.insert(0, sys.argv[1])
from test_low_fidelity import Short
from optiproxy.searching.run import run
from optiproxy.searching.settings import SearchSettings

class Slow(Short):
    def evaluate(self, architecture, *, seed=0, fidelity=None):
        time.sleep(0.02)
        return super().evaluate(architecture, seed=seed, fidelity=fidelity)

settings = SearchSettings(algorithm="random", budget=20, fidelity=12, promote=4, storage=sys.argv[2], study="s")
result = run(Slow(), settings)
print(len(result.full))
"""


@pytest.mark.slow
def test_two_processes_share_both_budgets_exactly(tmp_path, url):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(Path(__file__).parent), url]
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(100) for process in processes] == [0, 0]
    result = _run(storage=url, study="s")
    low = [record for record in result.records if record.fidelity]
    assert (len(low), len({record.architecture for record in low})) == (20, 20)
    assert len(result.full) == 4
    best = sorted(low, key=lambda record: -record.metrics["accuracy"])[:4]
    assert {record.architecture for record in result.full} == {record.architecture for record in best}


class Failing(Short):
    """The full trainings of the first run fail, but for one."""

    def evaluate(self, architecture, *, seed=0, fidelity=None):
        if fidelity is None and self.failing:
            self.failing -= 1
            raise OSError("the disk was away")
        return super().evaluate(architecture, seed=seed, fidelity=fidelity)


@pytest.mark.slow
def test_promotions_that_have_failed_are_tried_again_when_asked_for(url):
    task = Failing()
    task.failing = 3
    first = _run(task, storage=url)
    assert [record.state for record in first.records[-4:]] == ["failed"] * 3 + ["complete"]
    assert _story(_run(task, storage=url)) == _story(first)
    again, usual = _run(task, storage=url, retry_failed=True), _run()
    # In their places, and as if nothing had failed.
    assert sorted(_story(again)) == sorted(_story(usual))
    assert _story(_run(task, storage=url, retry_failed=True)) == _story(again)


@pytest.mark.slow
def test_a_retry_that_was_cut_off_leaves_the_failed_query_to_be_tried_again(url):
    task = Failing()
    task.failing = 1
    _run(task, storage=url)

    class Interrupted(Short):
        def evaluate(self, architecture, *, seed=0, fidelity=None):
            raise KeyboardInterrupt

    stopped = _run(Interrupted(), storage=url, retry_failed=True)
    assert (len(stopped.records), [r.state for r in stopped.records].count("failed")) == (24, 1)
    assert sorted(_story(_run(task, storage=url, retry_failed=True))) == sorted(_story(_run()))
