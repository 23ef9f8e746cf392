"""OptiProxy as a sampler, by its own name."""

from __future__ import annotations

import pickle
from functools import partial

import optuna
import pytest

from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Objective
from optiproxy.optimizer import Trial
from optiproxy.optimizer.optiproxy import OptiProxy
from optiproxy.sampler import OptiProxySampler, Parameters
from optiproxy.spaces import FlatSpace, Float, Space


@pytest.mark.slow
def test_the_sampler_of_optiproxy_asks_for_what_the_algorithm_proposes(flat, scored):
    """With the default configuration, which is that of the command line."""
    study = optuna.create_study(direction="maximize", sampler=OptiProxySampler(flat, seed=3))
    study.optimize(scored(flat), n_trials=6)
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


@pytest.mark.parametrize("space", [None, FlatSpace({"x": Float(0, 1), "n": [1, 2, 3]})], ids=["inferred", "given"])
def test_a_sampler_goes_on_where_it_was_pickled(space, light_parts):
    """As Optuna's questions and answers advise, and Ray Tune does by itself."""

    def objective(trial):
        return trial.suggest_float("x", 0, 1) * trial.suggest_categorical("n", [1, 2, 3])

    def proposed(parts):
        sampler, study = (
            OptiProxySampler(space, seed=3, algorithm=partial(OptiProxy, **light_parts)),
            optuna.create_study(study_name="one"),
        )
        for n in parts:
            study.sampler = sampler = pickle.loads(pickle.dumps(sampler))
            study.optimize(objective, n_trials=n)
        return [trial.params for trial in study.trials]

    assert proposed([8]) == proposed([5, 3])
