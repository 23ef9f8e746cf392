"""Optuna's own samplers as suggesters."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, final

from optiproxy.baselines.packages.decisions import OpenDecisions
from optiproxy.baselines.packages.outcomes import Outcome
from optiproxy.metrics import Goal
from optiproxy.optimizer.algorithm import Trial
from optiproxy.spaces import Architecture, Space

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import FrozenTrial

Tell = Callable[["Study", "FrozenTrial"], None]
"""Adds a finished trial to a study."""


def add(study: Study, trial: FrozenTrial) -> None:
    """Tell the study and nobody else: all that a sampler without a memory of its own needs."""
    study.add_trial(trial)


@final
class OptunaSuggester:
    """Asks a study in memory, with a new sampler each time, so that nothing is carried over but the trials.

    Objectives and limits become Optuna's own. A trial whose objectives were not all measured is told as failed, from
    which Optuna's samplers do not learn; a limit that was not measured counts as broken. Running trials are told too.

    Args:
        space: Where to search.
        goal: What for.
        sampler: Builds the sampler from a seed.
        asks: How often it is asked for one proposal.
        tell: How the study learns of a trial.
    """

    def __init__(
        self, space: Space, goal: Goal, *, sampler: Callable[[int], BaseSampler], asks: int, tell: Tell = add
    ) -> None:
        from optuna import create_study
        from optuna.distributions import CategoricalDistribution

        self._decisions = OpenDecisions(space)
        self._distributions: dict[str, BaseDistribution] = {
            str(d): CategoricalDistribution(tuple(range(count))) for d, count in enumerate(self._decisions.counts)
        }
        self._goal = goal
        self._sampler = sampler
        self._asks = asks
        self._tell = tell
        with _silence():
            self._study = create_study(directions=["minimize" for _ in goal.objectives])
        self._told = 0

    def observe(self, trials: Sequence[Trial]) -> None:
        for trial in trials[self._told :]:
            self._tell(self._study, self._finished(trial))
        self._told = len(trials)

    def suggest(self, pending: Sequence[Architecture], *, seed: int) -> Generator[Architecture, None, None]:
        from optuna.trial import TrialState, create_trial

        if not self._distributions:
            return
        study = self._study
        first = len(study.get_trials(deepcopy=False))
        for architecture in pending:
            study.add_trial(
                create_trial(
                    state=TrialState.RUNNING, params=self._parameters(architecture), distributions=self._distributions
                )
            )
        try:
            for attempt in range(self._asks):
                study.sampler = self._sampler((seed + attempt) % 2**31)
                with _silence():
                    asked = study.ask(self._distributions)
                # As a failed trial it is of no consequence for the next one.
                study.tell(asked, state=TrialState.FAIL)
                yield self._decisions.architecture([asked.params[name] for name in self._distributions])
        finally:
            for running in study.get_trials(deepcopy=False)[first : first + len(pending)]:
                study.tell(running.number, state=TrialState.FAIL)

    def _finished(self, trial: Trial) -> FrozenTrial:
        from optuna.trial import TrialState, create_trial

        outcome = Outcome.of(self._goal, trial.metrics)
        parameters = self._parameters(trial.architecture)
        if not outcome.measured:
            return create_trial(state=TrialState.FAIL, params=parameters, distributions=self._distributions)
        return create_trial(
            values=outcome.losses,
            params=parameters,
            distributions=self._distributions,
            constraints={str(limit): v for limit, v in zip(self._goal.limits, outcome.violations, strict=True)},
        )

    def _parameters(self, architecture: Architecture) -> dict[str, int]:
        return dict(zip(self._distributions, self._decisions.chosen(architecture), strict=True))


@contextmanager
def _silence() -> Generator[None, None, None]:
    """Keep to errors: what Optuna says of a study that nobody else sees would only disturb."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(level, optuna.logging.ERROR))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
