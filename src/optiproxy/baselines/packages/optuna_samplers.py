"""Optuna's own samplers, with a parameter per decision: TPE in two variants, a Gaussian process, NSGA-II."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, final

from optiproxy.baselines.baseline import ConstrainedLoss
from optiproxy.baselines.packages.search import OpenDecisions, PackageSearch
from optiproxy.metrics import Goal
from optiproxy.optimizer.algorithm import Trial
from optiproxy.spaces import Architecture, Choice, Decision, Float, Int, Ordered, Space

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import FrozenTrial

Tell = Callable[["Study", "FrozenTrial"], None]
"""Adds a finished trial to a study."""


def optuna_tpe(space: Space, goal: Goal, *, seed: int) -> PackageSearch:
    """Return the tree-structured Parzen estimator as Optuna ships it: multivariate, with its default settings.

    Bergstra, Bardenet, Bengio and Kégl, NeurIPS 2011; settings: Watanabe, arXiv 2304.11127.
    """
    from optuna.samplers import TPESampler

    # Each suggestion is the best of 24 draws, so asking again may well bring another one.
    suggester = OptunaSuggester(space, goal, sampler=lambda stream: TPESampler(seed=stream), attempts=20)
    return PackageSearch(space, goal, seed=seed, suggester=suggester)


def optuna_tpe_univariate(space: Space, goal: Goal, *, seed: int) -> PackageSearch:
    """Return the tree-structured Parzen estimator with each decision modeled alone: the default before Optuna 5.

    Bergstra, Bardenet, Bengio and Kégl, NeurIPS 2011.
    """
    from optuna.samplers import TPESampler

    suggester = OptunaSuggester(
        space, goal, sampler=lambda stream: TPESampler(seed=stream, multivariate=False), attempts=20
    )
    return PackageSearch(space, goal, seed=seed, suggester=suggester)


def optuna_gp(space: Space, goal: Goal, *, seed: int) -> PackageSearch:
    """Return Optuna's Gaussian process: expected improvement, with limits times the probability of feasibility.

    Optuna's documentation of `GPSampler`; the logarithms of the acquisition functions are those of Ament, Daulton,
    Eriksson, Balandat and Bakshy, NeurIPS 2023 (arXiv 2310.20708).
    """
    from optuna.samplers import GPSampler

    # It maximizes its acquisition function, so asking again mostly brings the same, and each time it fits anew.
    suggester = OptunaSuggester(space, goal, sampler=lambda stream: GPSampler(seed=stream), attempts=3)
    return PackageSearch(space, goal, seed=seed, suggester=suggester)


def optuna_nsga2(space: Space, goal: Goal, *, seed: int) -> PackageSearch:
    """Return Optuna's NSGA-II with its default population of 50 (Deb, Pratap, Agarwal and Meyarivan, IEEE TEC 2002).

    The first 50 trials are random, so that in budgets up to that it is random search. Trials enter the generations in the
    order in which they finished, whoever proposed them.
    """
    from optuna.samplers import NSGAIISampler

    # A suggestion is a random child, so asking again brings another one.
    suggester = OptunaSuggester(
        space, goal, sampler=lambda stream: NSGAIISampler(seed=stream), attempts=20, tell=_tell_nsga2
    )
    return PackageSearch(space, goal, seed=seed, suggester=suggester)


def _tell(study: Study, trial: FrozenTrial) -> None:
    """Add a trial: all that a sampler without a memory of its own needs."""
    study.add_trial(trial)


def _tell_nsga2(study: Study, trial: FrozenTrial) -> None:
    """Add a trial to a study, and to the generation that is being filled.

    Optuna writes the generation beside a trial when it samples it; of one that is told it has to be asked for.
    """
    from optuna.samplers import NSGAIISampler
    from optuna.trial import TrialState

    state, values = trial.state, trial.values
    # The generation is asked of a running trial, which is then told as finished.
    trial.state, trial.values, trial.datetime_complete = TrialState.RUNNING, None, None
    study.add_trial(trial)
    added = study.get_trials(deepcopy=False)[-1]
    NSGAIISampler().get_trial_generation(study, added)
    study.tell(added.number, values if state == TrialState.COMPLETE else None, state=state)


@final
class OptunaSuggester:
    """A `Suggester`: asks a study in memory, with a new sampler each time, so that nothing is carried over but the trials.

    Objectives and limits become Optuna's own. A trial whose objectives were not all measured is told as failed, from
    which Optuna's samplers do not learn; a limit that was not measured counts as broken. Running trials are told too.

    Args:
        space: The space to search.
        goal: Objectives and limits.
        sampler: Builds the sampler from a seed.
        attempts: How often it is asked for one proposal.
        tell: How the study learns of a trial.
    """

    def __init__(
        self,
        space: Space,
        goal: Goal,
        *,
        sampler: Callable[[int], BaseSampler],
        attempts: int,
        tell: Tell = _tell,
    ) -> None:
        from optuna import create_study

        self._decisions = OpenDecisions(space)
        self._distributions = {
            str(d): _distribution(decision.choices) for d, decision in enumerate(self._decisions.decisions)
        }
        self._goal = goal
        self._sampler = sampler
        self._attempts = attempts
        self._tell = tell
        with _silence():
            self._study = create_study(directions=["minimize" for _ in goal.objectives])
        self._told = 0

    def suggest(
        self, trials: Sequence[Trial], pending: Sequence[Architecture], *, seed: int
    ) -> Generator[Architecture, None, None]:
        from optuna.trial import TrialState, create_trial

        # Where every decision has one choice there is a single architecture, for which nobody has to be asked.
        if not self._distributions:
            return
        study = self._study
        for trial in trials[self._told :]:
            self._tell(study, self._finished(trial))
        self._told = len(trials)
        first = len(study.get_trials(deepcopy=False))
        for architecture in pending:
            study.add_trial(
                create_trial(
                    state=TrialState.RUNNING, params=self._parameters(architecture), distributions=self._distributions
                )
            )
        try:
            for attempt in range(self._attempts):
                # Another seed for each attempt, or the same suggestion would come again. Optuna's generators take 32
                # bits.
                study.sampler = self._sampler((seed + attempt) % 2**31)
                with _silence():
                    asked = study.ask(self._distributions)
                # As a failed trial it is of no consequence for the next one.
                study.tell(asked, state=TrialState.FAIL)
                yield self._decisions.architecture(
                    [
                        _position(decision, asked.params[name])
                        for name, decision in zip(self._distributions, self._decisions.decisions, strict=True)
                    ]
                )
        finally:
            # What is pending now may be finished or pending at the next proposal, which then says so itself.
            for running in study.get_trials(deepcopy=False)[first : first + len(pending)]:
                study.tell(running.number, state=TrialState.FAIL)

    def _finished(self, trial: Trial) -> FrozenTrial:
        from optuna.trial import TrialState, create_trial

        loss = ConstrainedLoss.of(self._goal, trial.metrics)
        parameters = self._parameters(trial.architecture)
        if not loss.measured:
            return create_trial(state=TrialState.FAIL, params=parameters, distributions=self._distributions)
        return create_trial(
            values=loss.losses,
            params=parameters,
            distributions=self._distributions,
            constraints={str(limit): v for limit, v in zip(self._goal.limits, loss.violations, strict=True)},
        )

    def _parameters(self, architecture: Architecture) -> dict[str, Any]:
        chosen = zip(self._decisions.decisions, self._decisions.choices(architecture), strict=True)
        return dict(
            zip(self._distributions, (_value(decision, position) for decision, position in chosen), strict=True)
        )


# Optuna is told of a number as what it is, with its bounds, its step and its scale; of other choices by positions, which are
# categories where they have no order.


def _distribution(choices: Sequence[Choice]) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(choices, Int):
        return IntDistribution(choices.low, choices.high, step=choices.step, log=choices.log)
    if isinstance(choices, Float):
        return FloatDistribution(choices.low, choices.high, step=choices.step, log=choices.log)
    if isinstance(choices, Ordered):
        return IntDistribution(0, len(choices) - 1)
    return CategoricalDistribution(tuple(range(len(choices))))


def _value(decision: Decision, position: int) -> Any:  # noqa: ANN401 - a value of the distribution
    return decision.choices[position] if isinstance(decision.choices, Int | Float) else position


def _position(decision: Decision, value: Any) -> int:  # noqa: ANN401 - as above
    return decision.position(value) if isinstance(decision.choices, Int | Float) else value


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
