"""Any search algorithm as an Optuna sampler."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any, final
from zlib import crc32

import numpy as np
from optuna.samplers import BaseSampler, RandomSampler
from optuna.search_space import intersection_search_space
from optuna.trial import FrozenTrial, TrialState

from optiproxy.errors import UsageError
from optiproxy.optimizer import Algorithm, AlgorithmFactory, Proposal, Trial
from optiproxy.sampler.reading import ObjectivesAndConstraints, Reading
from optiproxy.storage.claims import ARCHITECTURE, PREDICTED, UNSEEN, annotate, architecture_of
from optiproxy.storage.parameters import Parameters, enumerable, inferred_space

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study

    from optiproxy.metrics import Goal
    from optiproxy.spaces import Architecture, Space


OnExhausted = Callable[["Space", np.random.Generator], "Architecture"]
"""Called when the algorithm knows no further architecture: returns one to repeat, or raises."""


def repeat(space: Space, rng: np.random.Generator) -> Architecture:
    """Any architecture once more: an Optuna sampler has to return something.

    Raises:
        UsageError: If the space has none.
    """
    for architecture in space.sample(rng, 1):
        return architecture
    raise UsageError(f"No combination of choices is a valid architecture of {space.name!r}. Loosen its rules.")


@final
class AlgorithmSampler(BaseSampler):
    """Proposes what an `Algorithm` proposes.

    What is proposed depends only on the seed, the finished trials and the running ones; `reseed_rng` therefore has
    nothing to do, and a study that is loaded again goes on as if it had not been interrupted. Trials that failed are
    known, infeasible, and not proposed again.

    Several threads or processes may share a study. Each proposal is claimed in the storage before it is returned, and
    whoever then sees another running trial with the same claim yields and chooses again. So no two running trials share
    an architecture. While a space has yet to be inferred nothing can be claimed.

    Args:
        factory: Builds the algorithm; called anew when the space, the goal or the past changes.
        space: Where to search; its decisions must be suggested with `suggest_categorical` and all their choices. If
            None, the space holds the categorical parameters, and the integers with few values, that all finished trials
            have in common; until one has finished, and for all other parameters, sampling is independent and random.
        seed: Of the algorithm and of independent sampling. If None, another one each time.
        reading: How to read goal and metrics from the study.
        on_exhausted: What to do when no architecture is left.
    """

    def __init__(
        self,
        factory: AlgorithmFactory,
        space: Space | None = None,
        *,
        seed: int | None = None,
        reading: Reading | None = None,
        on_exhausted: OnExhausted = repeat,
    ) -> None:
        self._seed = secrets.randbits(31) if seed is None else seed
        self._given = None if space is None else Parameters(space)
        self._reading = ObjectivesAndConstraints() if reading is None else reading
        self._on_exhausted = on_exhausted
        self._session = _Session(factory, self._seed)
        self._lock = threading.Lock()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:  # noqa: ARG002
        if self._given is not None:
            return {**self._given.distributions}
        common = intersection_search_space(study.get_trials(deepcopy=False), include_pruned=True)
        # Optuna fills in ranges of one value by itself.
        return enumerable({name: found for name, found in common.items() if not found.single()})

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        decisions = enumerable(search_space)
        values: dict[str, Any] = {
            name: self.sample_independent(study, trial, name, distribution)
            for name, distribution in search_space.items()
            if name not in decisions
        }
        if decisions:
            with self._lock:
                parameters = self._parameters(decisions)
                values |= parameters.encode(self._choose(study, trial, parameters))
        return values

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:  # noqa: ANN401 - Optuna's signature
        sampler = RandomSampler(seed=int(self._stream(trial, f"parameter {param_name}").integers(2**32)))
        return sampler.sample_independent(study, trial, param_name, param_distribution)

    def _stream(self, trial: FrozenTrial, name: str) -> np.random.Generator:
        return np.random.default_rng([self._seed, trial.number, crc32(name.encode())])

    def _parameters(self, decisions: dict[str, BaseDistribution]) -> Parameters:
        if self._given is not None and self._given.distributions.keys() == decisions.keys():
            return self._given
        known = self._session.parameters
        space = inferred_space(decisions)
        # The same object while nothing changes, so that the algorithm at work is kept.
        return known if known is not None and known.space.decisions == space.decisions else Parameters(space)

    def _choose(self, study: Study, trial: FrozenTrial, parameters: Parameters) -> Architecture:
        rng = self._stream(trial, "conflicts")
        yielded: list[Architecture] = []
        for attempt in count():
            trials = study.get_trials(deepcopy=False)
            algorithm = self._session.follow(study, trials, parameters, self._reading)
            running = _architectures([t for t in trials if t.state == TrialState.RUNNING], trial, parameters)
            # Two that yielded to each other see the same, so each takes one of several.
            proposals = algorithm.propose(1 + attempt, [*running, *yielded])
            if proposals:
                proposal = proposals[rng.integers(len(proposals))]
                known = {other.number for other in trials if other.state.is_finished()}
                if self._claim(study, trial, proposal, parameters, known):
                    return proposal.architecture
                yielded.append(proposal.architecture)
            elif yielded:
                # What was yielded may be free again: another that yielded too has withdrawn its claim.
                yielded.clear()
                time.sleep(rng.uniform(0.0, 0.01 * (1 + attempt)))
            else:
                break
        return self._on_exhausted(parameters.space, rng)

    def _claim(
        self, study: Study, trial: FrozenTrial, proposal: Proposal, parameters: Parameters, known: set[int]
    ) -> bool:
        """Claim, then look: of two that claim the same, the later one at least sees the other.

        Looks at all trials but the ``known``, which had finished before the choice: another that was running then, or
        has begun since, may have finished by now.
        """
        space = parameters.space
        annotate(study, trial, ARCHITECTURE, parameters.encode(proposal.architecture))
        others = [other for other in study.get_trials(deepcopy=False) if other.number not in known]
        key = space.canonical(proposal.architecture)
        if any(space.canonical(found) == key for found in _architectures(others, trial, parameters)):
            annotate(study, trial, ARCHITECTURE, None)
            return False
        if proposal.predicted:
            annotate(study, trial, PREDICTED, {name: float(value) for name, value in proposal.predicted.items()})
        return True


@final
class _Session:
    """The algorithm at work; built anew when what it was told is no longer how the story begins."""

    def __init__(self, factory: AlgorithmFactory, seed: int) -> None:
        self._factory = factory
        self._seed = seed
        self.parameters: Parameters | None = None
        self._goal: Goal | None = None
        self._algorithm: Algorithm | None = None
        self._told: list[Trial] = []
        self._read: dict[tuple[int, datetime], Trial | None] = {}

    def follow(
        self, study: Study, trials: Sequence[FrozenTrial], parameters: Parameters, reading: Reading
    ) -> Algorithm:
        """The algorithm for this space and goal, told of all finished trials."""
        if parameters is not self.parameters:
            self._read = {}
        finished = sorted(
            (_ended(trial), trial.number, trial)
            for trial in trials
            if trial.state.is_finished() and UNSEEN not in trial.system_attrs
        )
        goal = reading.goal(study, [trial for _, _, trial in finished])
        history: list[Trial] = []
        for ended, number, trial in finished:
            if (number, ended) not in self._read:
                architecture = architecture_of(trial, parameters)
                self._read[number, ended] = (
                    None if architecture is None else Trial(architecture, reading.metrics(trial))
                )
            read = self._read[number, ended]
            if read is not None:
                history.append(read)
        if (
            self._algorithm is None
            or parameters is not self.parameters
            or goal != self._goal
            or history[: len(self._told)] != self._told
        ):
            self._algorithm = self._factory(parameters.space, goal, seed=self._seed)
        self.parameters, self._goal, self._told = parameters, goal, history
        self._algorithm.observe(history)
        return self._algorithm


def _ended(trial: FrozenTrial) -> datetime:
    return trial.datetime_complete or datetime.min  # noqa: DTZ901 - Optuna's times are naive


def _architectures(trials: Sequence[FrozenTrial], this: FrozenTrial, parameters: Parameters) -> list[Architecture]:
    """What all but this trial evaluate, as far as it is known."""
    others = (trial for trial in trials if trial.number != this.number and UNSEEN not in trial.system_attrs)
    found = (architecture_of(trial, parameters) for trial in others)
    return [architecture for architecture in found if architecture is not None]
