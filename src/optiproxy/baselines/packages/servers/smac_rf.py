"""SMAC3 with its random forest: the facade for hyperparameter optimization, with its default settings.

Lindauer, Eggensperger, Feurer, Biedenkapp, Deng, Benjamins, Ruhkopf, Sass and Hutter, JMLR 2022 (arXiv 2109.09831). It
begins with a Sobol design of 10, as many random trials as the others begin with, where its share of a quarter of the trials
asks for a budget that nobody here knows. It trains the forest anew for each proposal instead of each eighth, which can only
help it, and goes through the maxima that its local search found, up to 30, for something new.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import joblib
from ConfigSpace import (
    CategoricalHyperparameter,
    Configuration,
    ConfigurationSpace,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)
from smac import HyperparameterOptimizationFacade as Facade
from smac import Scenario
from smac.main.exceptions import ConfigurationSpaceExhaustedException
from smac.runhistory import TrialInfo, TrialValue

ASKS = 30

# A forest starts four threads for each prediction, which take three quarters of the time of a proposal, and adds up its
# trees as they come, so that a proposal could differ from run to run in its last bits.
joblib.parallel_config("sequential")

DESIGN = 10

ON_PURPOSE, KNOWS_NO_BETTER = "Random Search", "Random Search (max retries"
"""The origin of a random draw among the maxima, and how that of one begins that follows when they are used up."""


def suggest(question: SimpleNamespace) -> Iterator[list[float]]:
    """Ask a facade that has been told everything."""
    names = [f"d{d}" for d in range(len(question.counts))]
    space = ConfigurationSpace(seed=question.step)
    space.add([_hyperparameter(*of) for of in zip(names, question.counts, question.levels, strict=True)])
    # The initial design is that of the search, so it goes by its seed; what is drawn later differs between proposals.
    scenario = Scenario(space, deterministic=True, seed=question.seed)
    here = Scenario(space, deterministic=True, seed=question.step)
    # A trial spends a place of the design, whatever was evaluated for it in the end.
    design = Facade.get_initial_design(scenario, n_configs=DESIGN).select_configurations()[len(question.trials) :]
    facade = Facade(
        scenario,
        initial_design=Facade.get_initial_design(scenario, n_configs=0, additional_configs=design),
        acquisition_maximizer=Facade.get_acquisition_maximizer(here),
        random_design=Facade.get_random_design(here),
        logging_level=False,
        overwrite=True,
    )
    for chosen, loss in zip(question.trials, question.loss, strict=True):
        configuration = Configuration(space, values=dict(zip(names, chosen, strict=True)))
        facade.tell(TrialInfo(configuration, seed=0), TrialValue(cost=loss), save=False)
    for attempt in range(ASKS):
        try:
            configuration = facade.ask().config
        except (ConfigurationSpaceExhaustedException, StopIteration):
            return
        if attempt and configuration.origin == ON_PURPOSE:
            continue  # what is asked for after the first proposal is another maximum
        if attempt and configuration.origin.startswith(KNOWS_NO_BETTER):
            return
        yield [configuration[name] for name in names]


def _hyperparameter(name: str, count: int | None, levels: list[float] | None) -> Any:  # noqa: ANN401 - of the package
    if count is None:
        return UniformFloatHyperparameter(name, 0.0, 1.0)
    if levels is not None:
        # How far the levels lie apart makes no difference to the splits of a tree.
        return UniformIntegerHyperparameter(name, 0, count - 1)
    return CategoricalHyperparameter(name, list(range(count)))
