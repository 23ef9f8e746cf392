from __future__ import annotations

import subprocess
import sys
import warnings
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import optuna
import pytest
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    MultiObjectiveSamplerTestCase,
    RelativeSamplerTestCase,
)

from optiproxy.baselines import RandomSearch
from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Objective
from optiproxy.optimizer import Proposal, Trial
from optiproxy.optimizer.optiproxy import OptiProxy
from optiproxy.sampler import AlgorithmSampler, OptiProxySampler, Parameters
from optiproxy.spaces import FlatSpace, Float, Int, NASBench201, Space

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optuna.samplers import BaseSampler

    from optiproxy.spaces import Architecture


class _Conformance(BasicSamplerTestCase, RelativeSamplerTestCase, MultiObjectiveSamplerTestCase):
    """Optuna's suites. `SingleOnlySamplerTestCase` does not apply: several objectives are served."""


@pytest.mark.filterwarnings("ignore:Every architecture of the space 'inferred' is known")  # they try spaces of three
class TestRandomConforms(_Conformance):
    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return lambda: AlgorithmSampler(RandomSearch, seed=0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Every architecture of the space 'inferred' is known")
class TestOptiProxyConforms(_Conformance):
    @pytest.fixture
    def sampler(self, light_parts) -> Callable[[], BaseSampler]:
        return lambda: OptiProxySampler(seed=0, algorithm=partial(OptiProxy, **light_parts))


def test_the_suites_run_unabridged():
    """No exception is made from Optuna's suites, so none can hide here."""
    for case in (TestRandomConforms, TestOptiProxyConforms):
        assert not [name for name in vars(case) if name.startswith("test_")]


@pytest.fixture
def flat() -> FlatSpace:
    return FlatSpace({"kernel": [3, 5, 7], "pool": ["max", "avg"], "skip": [True, False]})


def _score(values: dict[str, object]) -> float:
    return sum(len(str(value)) for value in values.values()) + values.get("kernel", 0)


def _objective(space: Space) -> Callable[[optuna.Trial], float]:
    return lambda trial: _score({d.name: trial.suggest_categorical(d.name, d.choices) for d in space.decisions})


def _asked(study: optuna.Study, space: Space) -> list[Architecture]:
    return [space.canonical(Parameters(space).decode(trial.params)) for trial in study.trials]


def test_visits_a_given_space_once_each_then_repeats_the_best(flat):
    study = optuna.create_study(direction="maximize", sampler=AlgorithmSampler(RandomSearch, flat, seed=0))
    study.optimize(_objective(flat), n_trials=flat.size)
    with pytest.warns(UserWarning, match="'flat' is known, so the best is proposed again") as said:
        study.optimize(_objective(flat), n_trials=3)
    asked = _asked(study, flat)
    assert len(set(asked[: flat.size])) == flat.size
    assert {_score(flat.values(architecture)) for architecture in asked[flat.size :]} == {study.best_value}
    assert len(said) == 1


def test_isomorphic_architectures_are_asked_once():
    space = NASBench201()
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, space, seed=0))
    study.optimize(_objective(space), n_trials=60)
    assert len(set(_asked(study, space))) == 60


def test_threads_never_ask_for_the_same_twice(flat):
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, flat, seed=0))
    study.optimize(_objective(flat), n_trials=flat.size, n_jobs=4)
    assert len(set(_asked(study, flat))) == flat.size


PROCESS = """
import sys, optuna
from optiproxy.baselines import RandomSearch
from optiproxy.sampler import AlgorithmSampler
from optiproxy.spaces import FlatSpace
optuna.logging.set_verbosity(optuna.logging.ERROR)
space = FlatSpace({"a": list(range(4)), "b": list(range(6))})
study = optuna.load_study(study_name="shared", storage=sys.argv[1], sampler=AlgorithmSampler(RandomSearch, space, seed=0))
study.optimize(lambda t: t.suggest_categorical("a", [*range(4)]) + t.suggest_categorical("b", [*range(6)]), n_trials=8)
"""


@pytest.mark.slow
def test_processes_of_the_same_seed_never_ask_for_the_same_twice(tmp_path):
    """They choose alike, so only the claims keep them apart; together they visit the whole space."""
    url = f"sqlite:///{tmp_path}/study.db"
    study = optuna.create_study(study_name="shared", storage=url)
    processes = [subprocess.Popen([sys.executable, "-c", PROCESS, url]) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    space = FlatSpace({"a": list(range(4)), "b": list(range(6))})
    assert sorted(_asked(study, space)) == sorted((a, b) for a in range(4) for b in range(6))


class _Everyone:
    """Always proposes the best of all that is left, as every other process would."""

    def __init__(self, space: Space, goal: Goal, *, seed: int) -> None:
        self._search = RandomSearch(space, goal, seed=seed)

    def observe(self, trials: Sequence[Trial]) -> None:
        self._search.observe(trials)

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        ahead = self.ahead
        proposals = self._search.propose(n, pending)
        if ahead is not None and proposals:
            ahead(proposals[0].architecture)
        return proposals

    ahead: Callable[[Architecture], None] | None = None


def test_whoever_sees_its_choice_claimed_meanwhile_chooses_again(flat):
    """Another process claims the same architecture between our look at the storage and our claim, twice in a row."""
    claimed: list[Architecture] = []
    other = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, flat, seed=1))
    storage = other._storage

    def ahead(architecture: Architecture) -> None:
        if len(claimed) < 2:
            claimed.append(architecture)
            rival = storage.create_new_trial(other._study_id)
            storage.set_trial_system_attr(rival, "optiproxy:architecture", flat.values(architecture))

    def factory(space: Space, goal: Goal, *, seed: int) -> _Everyone:
        algorithm = _Everyone(space, goal, seed=seed)
        algorithm.ahead = ahead
        return algorithm

    other.sampler = AlgorithmSampler(factory, flat, seed=1)
    trial = other.ask(dict(Parameters(flat).distributions))
    assert len(claimed) == 2
    assert Parameters(flat).decode(trial.params) not in claimed
    assert other.trials[0].system_attrs["optiproxy:architecture"] == trial.params


def test_a_trial_that_runs_elsewhere_is_pending(flat):
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, flat, seed=0))
    distributions = dict(Parameters(flat).distributions)
    asked = [study.ask(distributions) for _ in range(flat.size)]
    assert len({tuple(trial.params.values()) for trial in asked}) == flat.size


def test_loading_a_study_again_goes_on_as_if_nothing_had_happened(flat):
    def visits(*parts: int) -> list[Architecture]:
        storage = optuna.storages.InMemoryStorage()
        optuna.create_study(study_name="s", storage=storage)
        for n in parts:
            sampler = AlgorithmSampler(RandomSearch, flat, seed=3)
            study = optuna.load_study(study_name="s", storage=storage, sampler=sampler)
            study.optimize(_objective(flat), n_trials=n)
        return _asked(study, flat)

    assert visits(10) == visits(3, 5, 2)


class _Spy:
    """Random search that shows what it was told."""

    seen: tuple[Space, Goal, Sequence[Trial], Sequence[Architecture]]

    def __init__(self, space: Space, goal: Goal, *, seed: int) -> None:
        self._inner = RandomSearch(space, goal, seed=seed)
        self._space, self._goal = space, goal
        self._trials: Sequence[Trial] = ()

    def observe(self, trials: Sequence[Trial]) -> None:
        self._trials = trials
        self._inner.observe(trials)

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        type(self).seen = (self._space, self._goal, self._trials, pending)
        return [Proposal(p.architecture, {"objective_0": 0.5}) for p in self._inner.propose(n, pending)]


def test_infers_the_space_from_what_the_objective_suggests():
    def objective(trial: optuna.Trial) -> float:
        kernel = trial.suggest_int("kernel", 3, 7, step=2)
        pool = trial.suggest_categorical("pool", ["max", "avg"])
        trial.suggest_int("one", 4, 4)
        trial.suggest_categorical("single", ["only"])
        trial.suggest_int("huge", 0, 10**6)
        return trial.suggest_float("rate", 0, 1) + kernel + len(pool)

    study = optuna.create_study(sampler=AlgorithmSampler(_Spy, seed=0))
    study.optimize(objective, n_trials=6)
    space = _Spy.seen[0]
    assert {d.name: d.choices for d in space.decisions} == {
        "kernel": Int(3, 7, step=2),
        "pool": ("max", "avg"),
        "huge": Int(0, 10**6),
        "rate": Float(0.0, 1.0),
    }
    assert [d.name for d in space.decisions] == ["kernel", "pool", "huge", "rate"]
    assert study.trials[-1].system_attrs["optiproxy:predicted"] == {"objective_0": 0.5}


def test_reads_directions_constraints_failures_and_prunings(flat):
    study = optuna.create_study(direction="maximize", sampler=AlgorithmSampler(_Spy, flat, seed=0))
    distributions = dict(Parameters(flat).distributions)
    trials = [study.ask(distributions) for _ in range(6)]
    trials[0].set_constraint("latency", 0.5)
    study.tell(trials[0], 1.0)
    study.tell(trials[1], 2.0)
    study.tell(trials[2], state=optuna.trial.TrialState.FAIL)
    trials[3].report(0.25, 1)
    trials[3].report(0.75, 2)
    study.tell(trials[3], state=optuna.trial.TrialState.PRUNED)
    study.tell(trials[4], state=optuna.trial.TrialState.PRUNED)
    study.ask(distributions)
    _, goal, history, pending = _Spy.seen
    assert [str(part) for part in (*goal.objectives, *goal.limits)] == ["objective_0:max", "latency<=0"]
    told = {"latency": 0.5, "objective_0": 1.0}, {"objective_0": 2.0}, {}, {"objective_0": 0.75}, {}
    assert [trial.metrics for trial in history] == list(told)
    # What has not set the constraint keeps it, as with Optuna's own samplers; failures break the goal all the same.
    assert [goal.feasible(trial.metrics) for trial in history] == [False, True, False, True, False]
    assert pending == [Parameters(flat).decode(trials[5].params)]


def test_two_objectives_keep_their_directions(flat):
    study = optuna.create_study(directions=["minimize", "maximize"], sampler=AlgorithmSampler(_Spy, flat, seed=0))
    study.optimize(lambda t: (_objective(flat)(t), 1.0), n_trials=3)
    assert [str(objective) for objective in _Spy.seen[1].objectives] == ["objective_0:min", "objective_1:max"]
    assert _Spy.seen[2][0].metrics["objective_1"] == 1.0


def test_enqueued_and_added_trials_are_known(flat):
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, flat, seed=0))
    everything = [flat.values((a, b, c)) for a in range(3) for b in range(2) for c in range(2)]
    for values in everything[:6]:
        study.enqueue_trial(values)
    for values in everything[6:11]:
        study.add_trial(
            optuna.create_trial(params=values, distributions=dict(Parameters(flat).distributions), value=0.0)
        )
    study.optimize(_objective(flat), n_trials=7)
    assert Counter(_asked(study, flat)).most_common(1)[0][1] == 1
    assert study.trials[-1].params == everything[11]


def test_a_space_of_which_nothing_is_valid_is_named():
    class Nothing(FlatSpace):
        def is_valid(self, architecture: Architecture) -> bool:
            return False

    space = Nothing({"a": [1, 2]})
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, space, seed=0))
    with pytest.raises(UsageError, match="No combination of choices"):
        study.ask(dict(Parameters(space).distributions))


@pytest.mark.slow
def test_the_sampler_of_optiproxy_asks_for_what_the_algorithm_proposes(flat):
    """With the default configuration, which is that of the command line."""
    study = optuna.create_study(direction="maximize", sampler=OptiProxySampler(flat, seed=3))
    study.optimize(_objective(flat), n_trials=6)
    algorithm = OptiProxy(flat, Goal((Objective("objective_0"),)), seed=3)
    trials: list[Trial] = []
    for trial in study.trials:
        (proposal,) = algorithm.propose(1)
        assert Parameters(flat).decode(trial.params) == proposal.architecture
        assert trial.system_attrs.get("optiproxy:predicted", {}) == pytest.approx(proposal.predicted)
        intervals = trial.system_attrs.get("optiproxy:intervals", {})
        assert intervals == {name: pytest.approx([*bounds]) for name, bounds in proposal.intervals.items()}
        trials.append(Trial(proposal.architecture, {"objective_0": trial.value}))
        algorithm.observe(trials)
    assert proposal.predicted.keys() == proposal.intervals.keys() == {"objective_0"}


def test_independent_sampling_follows_the_seed():
    def run(seed: int) -> list[float]:
        study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, seed=seed))
        study.optimize(lambda t: t.suggest_float("x", 0, 1) + t.suggest_float("y", 0, 1), n_trials=4)
        return [value for trial in study.trials for value in trial.params.values()]

    assert run(0) == run(0) != run(1)
    assert len(set(run(0))) == 8


@pytest.mark.parametrize("given_space", [True, False], ids=["from the objective", "inferred"])
def test_ranges_with_steps_and_orders_of_magnitude_are_integers(given_space):
    def suggest(trial):
        # The last value of a range need not be one step away from its end.
        return trial.suggest_int("depth", 1, 8, step=3), trial.suggest_int("width", 3, 9, log=True)

    space = Space.from_optuna(suggest)
    assert {d.name: list(d.choices) for d in space.decisions} == {"depth": [1, 4, 7], "width": [3, 4, 5, 6, 7, 8, 9]}
    study = optuna.create_study(
        direction="maximize", sampler=AlgorithmSampler(RandomSearch, space if given_space else None, seed=0)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Optuna warns of the range that ends between two steps
        study.optimize(lambda trial: sum(suggest(trial)), n_trials=21)
    asked = [(trial.params["depth"], trial.params["width"]) for trial in study.trials]
    assert {type(number) for pair in asked for number in pair} == {int}
    # Each architecture once; the first trial, where nothing is inferred yet, is Optuna's own.
    assert len(set(asked)) == 21
    assert {trial.state for trial in study.trials} == {optuna.trial.TrialState.COMPLETE}
    assert study.trials[-1].distributions["width"].log
    assert study.best_params == {"depth": 7, "width": 9}


def test_another_sampler_continues_a_study_with_ranges():
    def suggest(trial):
        return trial.suggest_int("depth", 1, 7, step=3) + trial.suggest_int("width", 3, 9, log=True)

    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, Space.from_optuna(suggest), seed=0))
    study.optimize(suggest, n_trials=12)
    study.sampler = optuna.samplers.TPESampler(seed=0)
    study.optimize(suggest, n_trials=2)
    assert all(trial.params["depth"] in (1, 4, 7) for trial in study.trials)


@pytest.mark.slow
def test_a_space_from_an_objective_serves_the_same_objective(light_parts):
    """Integers are asked for as integers; what is not asked for in a trial is known all the same."""

    def suggest(trial):
        depth = trial.suggest_int("depth", 1, 5, step=2)
        return [trial.suggest_categorical(f"width{i}", [4, 8]) for i in range(depth)] + [
            trial.suggest_int("fixed", 3, 3)
        ]

    space = Space.from_optuna(suggest)
    study = optuna.create_study(
        direction="maximize", sampler=OptiProxySampler(space, seed=0, algorithm=partial(OptiProxy, **light_parts))
    )
    study.optimize(lambda trial: sum(suggest(trial)), n_trials=12)
    assert {trial.params["depth"] for trial in study.trials} <= {1, 3, 5}
    # Architectures that differ only in what was not asked for count as one.
    assert len({tuple(sorted(trial.params.items())) for trial in study.trials}) == 12
    assert all(len(trial.params) == trial.params["depth"] + 2 for trial in study.trials)


def test_the_config_of_the_version_before_still_works(light_parts):
    from optiproxy.optimizer.core import OptiProxyConfig

    config = OptiProxyConfig(proxy=light_parts["proxy"], ascent=light_parts["ascent"], starts=4, unlabelled=64)

    def proposed(sampler):
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.optimize(lambda trial: trial.suggest_int("x", 0, 4) + trial.suggest_int("y", 0, 4), n_trials=6)
        return [trial.params for trial in study.trials]

    with pytest.warns(DeprecationWarning, match="algorithm=partial"):
        old = OptiProxySampler(seed=0, config=config)
    assert proposed(old) == proposed(OptiProxySampler(seed=0, algorithm=partial(OptiProxy, **light_parts)))
    with pytest.raises(UsageError, match="got both"):
        OptiProxySampler(algorithm=OptiProxy, config=config)
