"""Queries as they are begun, while other processes begin theirs at the worst of moments."""

from __future__ import annotations

import optuna
import pytest
from optuna.trial import TrialState

from optiproxy.baselines import RandomSearch
from optiproxy.execution.evaluation import Evaluation
from optiproxy.execution.receipts import with_receipt
from optiproxy.metrics import Goal, Objective
from optiproxy.optimizer import Proposal
from optiproxy.spaces import FlatSpace
from optiproxy.storage.artifacts import Artifacts
from optiproxy.storage.liveness import Owner
from optiproxy.storage.log import QueryLog
from optiproxy.storage.parameters import Parameters
from optiproxy.storage.proposer import Proposer
from optiproxy.storage.record import Query
from optiproxy.storage.schema import (
    ARCHITECTURE,
    OWNER,
    SEEN,
    UNSEEN,
    finished_records,
    is_exhausted,
    metrics_of,
)
from optiproxy.storage.writing import begun

GOAL = Goal((Objective("score"),))
SPACE = FlatSpace({"a": [1, 2, 3], "b": ["x", "y"]})


class Ahead(RandomSearch):
    """Random search, in whose thinking time something happens."""

    happens = staticmethod(lambda architecture: None)

    def propose(self, n, pending=()):
        proposals = super().propose(n, pending)
        for proposal in proposals:
            type(self).happens(proposal.architecture)
        return proposals


@pytest.fixture(params=["memory", "sqlite"])
def study(request, tmp_path):
    storage = None if request.param == "memory" else f"sqlite:///{tmp_path}/study.db"
    sampler = optuna.samplers.RandomSampler()
    return optuna.create_study(storage=storage, direction="maximize", sampler=sampler)


def log_of(study, algorithm=RandomSearch, seed=0):
    return QueryLog(study, Proposer(algorithm, Parameters(SPACE), seed=seed, metrics=metrics_of), GOAL)


def rival(study, architecture):
    """Another process begins a query."""
    template = begun(Proposal(architecture), Parameters(SPACE), owner=Owner(), ask_seconds=0.0, fidelity=None)
    study._storage.create_new_trial(study._study_id, template)


@pytest.fixture
def ahead(monkeypatch):
    """The first ``times`` proposals are begun by another process while ours is still thinking."""

    def during(study, times, taken=lambda proposed: proposed):
        left = iter(range(times))

        def happens(proposed):
            if next(left, None) is not None:
                rival(study, taken(proposed))

        monkeypatch.setattr(Ahead, "happens", staticmethod(happens))
        return log_of(study, Ahead)

    return during


def reasons(study):
    return [trial.system_attrs.get(UNSEEN) for trial in study.get_trials()]


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 3, 5])
def test_who_finds_its_architecture_taken_meanwhile_asks_again(study, ahead, times):
    query = ahead(study, times).ask(budget=20)
    assert isinstance(query, Query)
    taken = [trial.params for trial in study.get_trials()[: 2 * times : 2]]
    assert SPACE.values(query.architecture) not in taken
    # A rival's trial, ours that gave way, and so on; the last is ours.
    assert reasons(study) == [None, "duplicate"] * times + [None]
    assert query.number == times


def test_a_space_whose_last_architectures_are_taken_meanwhile_is_exhausted(study, ahead):
    assert ahead(study, 6).ask(budget=20) == "exhausted"
    assert is_exhausted(study.trials)
    assert finished_records(study.trials, Parameters(SPACE)) == []


def test_the_last_query_of_a_budget_goes_to_who_came_first(study, ahead):
    log = ahead(study, 1, taken=lambda proposed: (proposed[0], 1 - proposed[1]))
    assert log.ask(budget=1) == "spent"
    assert reasons(study) == [None, "surplus"]


def test_a_duplicate_that_is_about_to_be_discarded_leaves_its_query_to_others(study):
    """Its process has written it and not looked yet; if it counted, the budget would end one query early."""
    rival(study, (0, 0))
    rival(study, (0, 0))
    log = log_of(study)
    query = log.ask(budget=2)
    assert isinstance(query, Query)
    assert query.number == 1
    assert log.ask(budget=2) == "spent"


def test_a_finished_repetition_counts(study):
    """Whoever made it: its training has been paid for."""
    for _ in range(2):
        rival(study, (0, 0))
        study.tell(study.get_trials()[-1].number, 1.0)
    assert log_of(study).ask(budget=2) == "spent"


class Counted:
    """A storage that counts the calls of its methods."""

    def __init__(self, storage):
        self.storage = storage
        self.calls = []

    def __getattr__(self, name):
        found = getattr(self.storage, name)
        if not callable(found):
            return found

        def call(*arguments, **options):
            self.calls.append(name)
            return found(*arguments, **options)

        return call


def test_a_query_is_one_write_between_two_reads(study, monkeypatch):
    log = log_of(study)
    log.tell(log.ask(budget=9), Evaluation(metrics={"score": 1.0}))
    counted = Counted(study._storage)
    monkeypatch.setattr(study, "_storage", counted)
    assert isinstance(log.ask(budget=9), Query)
    assert counted.calls == ["get_all_trials", "create_new_trial", "get_all_trials"]


def test_a_query_is_stored_whole(study):
    query = log_of(study).ask(budget=9, fidelity=5)
    (trial,) = study.get_trials()
    values = SPACE.values(query.architecture)
    assert (trial.state, trial.params, trial.system_attrs[ARCHITECTURE]) == (TrialState.RUNNING, values, values)
    assert trial.user_attrs == {"ask_seconds": query.ask_seconds, "fidelity": 5}
    assert trial.system_attrs[OWNER]["host"]


def test_each_promotion_is_begun_once(study):
    candidates = [((0, 0), {"latency": 1.0}), ((1, 1), {})]
    log, other = log_of(study), log_of(study)
    first = log.promote(candidates)
    assert (first.architecture, dict(first.known)) == ((0, 0), {"latency": 1.0})
    assert other.promote(candidates).architecture == (1, 1)
    assert log.promote(candidates) is None
    assert reasons(study) == ["promoted"] * 2


def test_trials_of_earlier_versions_are_read(study):
    """They began without parameters, and claimed what they were going to evaluate in an attribute."""
    storage = study._storage
    for architecture in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        trial = storage.create_new_trial(study._study_id)
        for key, value in {OWNER: Owner().to_json(), SEEN: 0.0, ARCHITECTURE: SPACE.values(architecture)}.items():
            storage.set_trial_system_attr(trial, key, value)
    (finished, *_) = study.get_trials()
    storage.set_trial_user_attr(finished._trial_id, "metrics", {"score": 2.0})
    study.tell(finished.number, 2.0)
    log = log_of(study)
    assert [record.metrics for record in log.records()] == [{"score": 2.0}]
    asked = {log.ask(budget=9).architecture for _ in range(2)}
    assert asked == {(2, 0), (2, 1)}
    assert log.ask(budget=9) == "exhausted"


def test_what_was_predicted_is_kept_with_its_interval(study):
    """The interval stands in an attribute of its own, so that studies without any read as they did."""
    proposals = [
        Proposal((0, 0), {"score": 1.0}, {"score": (0.5, 1.5)}), Proposal((0, 1), {"score": 2.0}), Proposal((1, 0)),
    ]  # fmt: skip
    for proposal in proposals:
        template = begun(proposal, Parameters(SPACE), owner=Owner(), ask_seconds=0.0, fidelity=None)
        study._storage.create_new_trial(study._study_id, template)
        study.tell(study.trials[-1].number, 1.0)
    kept = finished_records(study.trials, Parameters(SPACE))
    assert [(record.predicted, record.intervals) for record in kept] == [
        (proposal.predicted, proposal.intervals) for proposal in proposals
    ]
    assert "optiproxy:intervals" not in study.trials[1].system_attrs


def test_what_a_worker_has_written_down_is_stored_where_its_search_was_killed(study, tmp_path, monkeypatch):
    def log():
        proposer = Proposer(RandomSearch, Parameters(SPACE), seed=0, metrics=metrics_of)
        return QueryLog(study, proposer, GOAL, artifacts=Artifacts(tmp_path / "study-files" / "s"))

    killed = log()
    first, second = (killed.ask(budget=9) for _ in range(2))
    with_receipt(killed.endings.receipt(first.stored), lambda: Evaluation(metrics={"score": 3.0}))
    other = log()
    other.claims.recover()  # it lives
    assert [trial.state for trial in study.trials] == [TrialState.RUNNING] * 2
    monkeypatch.setattr("optiproxy.storage.claims.looked_at", lambda _: "gone")
    other.claims.recover()
    assert [(record.architecture, record.metrics) for record in other.records()] == [
        (first.architecture, {"score": 3.0})
    ]
    assert reasons(study) == [None, "interrupted"]
    assert study.trials[1].params == dict(Parameters(SPACE).encode(second.architecture))
    assert [*(tmp_path / "study-files" / "s").iterdir()] == []
    other.claims.release()
    assert not (tmp_path / "study-files").exists()
