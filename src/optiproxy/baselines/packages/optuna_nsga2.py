"""Optuna's NSGA-II with its default population of 50 (Deb, Pratap, Agarwal and Meyarivan, IEEE TEC 2002).

The first 50 trials are random, so that in budgets up to that it is random search.
Trials enter the generations in the order in which they finished, whoever proposed them. A suggestion is a random child,
so it is asked up to 20 times for something new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from optiproxy.baselines.packages.optuna_study import OptunaSuggester
from optiproxy.baselines.packages.search import PackageSearch
from optiproxy.metrics import Goal
from optiproxy.spaces import Space

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial


def optuna_nsga2(space: Space, goal: Goal, *, seed: int) -> PackageSearch:
    """Optuna's genetic algorithm; see the module."""
    from optuna.samplers import NSGAIISampler

    suggester = OptunaSuggester(
        space, goal, sampler=lambda stream: NSGAIISampler(seed=stream), asks=20, tell=_into_its_generation
    )
    return PackageSearch(space, suggester, seed=seed)


def _into_its_generation(study: Study, trial: FrozenTrial) -> None:
    """Optuna writes the generation beside a trial when it samples it; of one that is told it has to be asked for."""
    from optuna.samplers import NSGAIISampler
    from optuna.trial import TrialState

    state, values = trial.state, trial.values
    trial.state, trial.values, trial.datetime_complete = TrialState.RUNNING, None, None
    study.add_trial(trial)
    added = study.get_trials(deepcopy=False)[-1]
    NSGAIISampler().get_trial_generation(study, added)
    study.tell(added.number, values if state == TrialState.COMPLETE else None, state=state)
