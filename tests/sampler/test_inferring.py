"""Branches and ranges are read off finished trials: exactly, once they have shown enough."""

from __future__ import annotations

import math
import warnings

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from optiproxy.baselines import RandomSearch
from optiproxy.errors import UsageError
from optiproxy.sampler import AlgorithmSampler, OptiProxySampler
from optiproxy.sampler.inferring import FIRST, STEADY, infer, is_settled, widened
from optiproxy.spaces import Float, Int, Space


def sampled(objective, n=60, seed=0):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    study.optimize(objective, n_trials=n)
    return study.trials


def machines(trial):
    """Branches within branches, with floats and integers in them."""
    model = trial.suggest_categorical("model", ["svm", "tree", "mlp"])
    if model == "svm":
        value = 3 - abs(math.log10(trial.suggest_float("C", 1e-3, 1e3, log=True)) - 1)
        if trial.suggest_categorical("kernel", ["linear", "rbf"]) == "rbf":
            value += 1 - abs(math.log10(trial.suggest_float("gamma", 1e-4, 1, log=True)) + 2)
        return value
    if model == "tree":
        return trial.suggest_int("leaves", 2, 64, log=True) / 40
    return sum(trial.suggest_int(f"units{i}", 8, 256) / 256 for i in range(trial.suggest_int("layers", 1, 4)))


def layers(trial):
    depth = trial.suggest_int("depth", 1, 5)
    chosen = [trial.suggest_categorical(f"width{i}", ["a", "b", "c", "d"]) for i in range(depth)]
    return depth + 0.4 * chosen.count("c") - 2 * (depth == 5)


def test_the_space_is_what_the_objective_suggests_but_for_single_values():
    def objective(trial):
        kernel = trial.suggest_int("kernel", 3, 7, step=2)
        pool = trial.suggest_categorical("pool", ["max", "avg"])
        trial.suggest_int("one", 4, 4)
        trial.suggest_categorical("single", ["only"])
        trial.suggest_int("huge", 0, 10**6)
        return trial.suggest_float("rate", 0, 1) + kernel + len(pool)

    assert [(d.name, d.choices) for d in infer(sampled(objective, 1)).space.decisions] == [
        ("kernel", Int(3, 7, step=2)),
        ("pool", ("max", "avg")),
        ("huge", Int(0, 10**6)),
        ("rate", Float(0.0, 1.0)),
    ]


def test_branches_within_branches_are_found():
    found = infer(sampled(machines))
    assert found.unexplained == ()
    assert found.conditions == {
        "model": {},
        "C": {"model": {0}},
        "kernel": {"model": {0}},
        "gamma": {"model": {0}, "kernel": {1}},
        "leaves": {"model": {1}},
        "layers": {"model": {2}},
        "units0": {"model": {2}},
        **{f"units{i}": {"model": {2}, "layers": set(range(i, 4))} for i in range(1, 4)},
    }
    assert set(found.distributions["gamma"]._asdict().items()) == {
        ("low", 1e-4), ("high", 1.0), ("log", True), ("step", None)
    }  # fmt: skip


@pytest.mark.parametrize("objective", [machines, layers])
def test_the_space_is_that_of_the_function_itself(objective):
    found, given = infer(sampled(objective)).space, Space.from_optuna(objective)
    assert {d.name: d.choices for d in found.decisions} == {d.name: d.choices for d in given.decisions}
    import numpy as np

    for architecture in given.sample(np.random.default_rng(0), 50):
        values = given.build(architecture)
        assert found.build(found.architecture(given.values(architecture))) == values


def test_several_choices_together():
    def objective(trial):
        a, b = (trial.suggest_categorical(name, [0, 1, 2]) for name in "ab")
        if a == 1 and b != 0:
            trial.suggest_float("c", 0, 1)
        return 0.0

    assert infer(sampled(objective)).conditions["c"] == {"a": {1}, "b": {1, 2}}


def test_between_two_numbers_the_nearer_one_decides():
    def objective(trial):
        if trial.suggest_int("depth", 1, 9) >= 5:
            trial.suggest_float("more", 0, 1)
        return 0.0

    study = optuna.create_study()
    for depth in (2, 7):
        study.enqueue_trial({"depth": depth})
    study.optimize(objective, n_trials=2)
    assert infer(study.trials).conditions["more"] == {"depth": {4, 5, 6, 7, 8}}  # positions of 5 to 9


@pytest.mark.parametrize("state", [TrialState.FAIL, TrialState.PRUNED])
def test_a_trial_that_ended_early_hides_no_parameter(state):
    """It lacks what it had not come to, although its choices are those of a trial that has it."""
    both = {"a": CategoricalDistribution(["x", "y"]), "b": IntDistribution(1, 3)}
    whole = create_trial(params={"a": "x", "b": 2}, distributions=both, value=0.0)
    part = create_trial(params={"a": "x"}, distributions={"a": both["a"]}, state=state)
    found = infer([whole, part])
    assert found.conditions == {"a": {}, "b": {}}
    assert found.unexplained == ()


def test_what_depends_on_no_choice_is_said_once_and_sampled_at_random(different):
    def objective(trial):
        lr = trial.suggest_float("lr", 0, 1)
        extra = trial.suggest_float("extra", 0, 1) if lr > 0.5 else 0.0
        return lr + extra + trial.suggest_int("n", 1, 3)

    assert infer(sampled(objective)).unexplained == ("extra",)
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, seed=0))
    with pytest.warns(UserWarning, match="Some trials suggest extra and some do not") as said:
        study.optimize(objective, n_trials=20)
    assert len(said) == 1
    assert different(study) == 20


def test_branches_are_settled_once_the_latest_trials_show_nothing_new():
    trials = sampled(layers, 40)
    settled = [is_settled(infer(trials[:n]), trials[:n]) for n in range(1, 40)]
    assert settled[0]  # nothing is known of branches yet
    assert False in settled
    assert all(settled[FIRST:])
    # Without branches an algorithm may begin at once.
    plain = sampled(lambda trial: trial.suggest_float("x", 0, 1), 5)
    assert all(is_settled(infer(plain[:n]), plain[:n]) for n in range(1, 6))


@pytest.mark.parametrize("objective", [machines, layers])
def test_conditional_trials_are_never_repeated(objective, different):
    """S3, where nothing is drawn by an algorithm that knows better than chance."""
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, seed=0))
    study.optimize(objective, n_trials=60)
    assert different(study) == 60


def test_few_combinations_in_branches_are_all_visited(different):
    def objective(trial):
        return sum(trial.suggest_categorical(f"w{i}", [1, 2]) for i in range(trial.suggest_int("depth", 1, 3)))

    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, seed=0))
    study.optimize(objective, n_trials=14)
    assert different(study) == 2 + 4 + 8


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_best_branch_is_found(seed, different):
    """S3: of 1,364 architectures the one best in 30 trials, none of them twice."""
    study = optuna.create_study(direction="maximize", sampler=OptiProxySampler(seed=seed))
    study.optimize(layers, n_trials=30)
    assert study.best_value == pytest.approx(5.6)
    assert different(study) == 30


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (IntDistribution(1, 5), IntDistribution(3, 9), IntDistribution(1, 9)),
        (IntDistribution(2, 8, step=2), IntDistribution(3, 9, step=3), IntDistribution(2, 9)),
        (IntDistribution(2, 8, step=2), IntDistribution(4, 12, step=4), IntDistribution(2, 12, step=2)),
        (IntDistribution(1, 5, log=True), IntDistribution(2, 64, log=True), IntDistribution(1, 64, log=True)),
        (FloatDistribution(0, 1), FloatDistribution(5, 6), FloatDistribution(0, 6)),
        (FloatDistribution(0, 1, step=0.1), FloatDistribution(0.5, 2, step=0.1), FloatDistribution(0, 2, step=0.1)),
        (FloatDistribution(0, 1, step=0.1), FloatDistribution(0.05, 2.05, step=0.1), FloatDistribution(0, 2.05)),
        (FloatDistribution(0, 1, step=0.1), FloatDistribution(0, 1, step=0.25), FloatDistribution(0, 1)),
    ],
)
def test_of_changing_ranges_the_widest_is_searched(one, other, both):
    assert widened("x", one, other) == widened("x", other, one) == both
    assert widened("x", one, one) == one


@pytest.mark.slow
def test_a_range_that_has_become_narrower_is_searched_without_duplicates():
    def objective(trial):
        narrow = trial.number >= 12
        rate = trial.suggest_float("rate", 0.0, 0.3 if narrow else 1.0)
        units = trial.suggest_int("units", 1, 8 if narrow else 64)
        return rate - (units - 20) ** 2 / 100

    study = optuna.create_study(direction="maximize", sampler=OptiProxySampler(seed=0))
    study.optimize(objective, n_trials=12 + STEADY)
    study.optimize(objective, n_trials=10)
    later = [(trial.params["rate"], trial.params["units"]) for trial in study.trials[12 + STEADY :]]
    # The range's own end is where this objective is best, and is tried once.
    assert len(set(later)) == 10
    assert np.mean([units == 8 for _, units in later]) >= 0.5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (IntDistribution(1, 5), FloatDistribution(1, 5)),
        (IntDistribution(1, 5), IntDistribution(1, 5, log=True)),
        (CategoricalDistribution([1, 2]), IntDistribution(1, 2)),
        (CategoricalDistribution([1, 2]), CategoricalDistribution([1, 2, 3])),
    ],
)
def test_two_kinds_under_one_name_are_refused(one, other):
    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, seed=0))
    study.add_trials([create_trial(params={"x": 1}, distributions={"x": kind}, value=0.0) for kind in (one, other)])
    with pytest.raises(
        UsageError, match=r"Parameter 'x' is suggested as .* and as .*\. Give one of the two another name"
    ):
        study.optimize(lambda trial: trial.suggest_int("x", 1, 5), n_trials=1)


@pytest.mark.parametrize("kind", ["int", "float", "step", "log"])
def test_a_proposal_is_fitted_into_the_range_of_its_trial(kind):
    """Every trial has another range; what is proposed for the widest ends at the nearest value of this one."""

    def objective(trial):
        low = 1 + 3 * (trial.number % 4)
        if kind == "int":
            return trial.suggest_int("x", low, low + 7, step=2)
        steps = {"float": {}, "step": {"step": 0.5}, "log": {"log": True}}[kind]
        return trial.suggest_float("x", low, low + 7, **steps)

    study = optuna.create_study(sampler=AlgorithmSampler(RandomSearch, seed=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Optuna warns of ranges that end between two steps
        study.optimize(objective, n_trials=24)
    assert {trial.state for trial in study.trials} == {TrialState.COMPLETE}
    for trial in study.trials:
        low = 1 + 3 * (trial.number % 4)
        assert low <= trial.params["x"] <= low + 7
    clipped = [t for t in study.trials[4:] if t.system_attrs["optiproxy:architecture"]["x"] != t.params["x"]]
    assert clipped
    assert any(trial.params["x"] == 1 + 3 * (trial.number % 4) for trial in clipped)
