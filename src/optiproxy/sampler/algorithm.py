"""Any search algorithm as an Optuna sampler."""

from __future__ import annotations

import secrets
import threading
import time
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, final
from zlib import crc32

import numpy as np
from optuna.samplers import BaseSampler, RandomSampler

from optiproxy.baselines.baseline import RandomSearch
from optiproxy.errors import UsageError
from optiproxy.sampler.inferring import Inferred, infer, is_settled
from optiproxy.sampler.reading import fitted, fixed_values, goal_of, metrics_of, other_trials
from optiproxy.storage.parameters import Parameters
from optiproxy.storage.proposer import Proposer
from optiproxy.storage.schema import ARCHITECTURE, UNSEEN, annotate
from optiproxy.storage.writing import predicted_notes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from optiproxy.optimizer import AlgorithmFactory, Proposal
    from optiproxy.spaces import Architecture, Space


@final
class AlgorithmSampler(BaseSampler):
    """Proposes what an `Algorithm` proposes.

    What is proposed depends only on the seed, the finished trials and the running ones; `reseed_rng` therefore has
    nothing to do, and a study that is loaded again goes on as if it had not been interrupted. Trials that failed are
    known, infeasible, and not proposed again.

    Several threads or processes may share a study. Each proposal is claimed in the storage before it is returned, and
    whoever then sees another running trial with the same claim yields and chooses again. So no two running trials share
    an architecture. While a space has yet to be inferred nothing can be claimed. Once everything is known, the best is
    proposed again, with a warning: a sampler has to return something.

    Parameters that are fixed, by `Study.enqueue_trial` or a `PartialFixedSampler`, stay as they are; the others are
    proposed to go with them.

    A pickled sampler holds how it was made, and learns from the trials again what it has learned from them before.

    Args:
        factory: Builds the algorithm; called anew when the space, the goal, what is fixed or the past changes.
        space: Where to search; its decisions must be suggested under their names, with all their `Decision.objects`. If None, the
            space is what finished trials show: all parameters that they have suggested, in their widest ranges, each
            where the choices before it lead to it (see `infer`). Until one has finished, and for what is suggested for the
            first time, sampling is independent and random.
        seed: Of the algorithm and of independent sampling. If None, another one each time.
    """

    def __init__(
        self,
        factory: AlgorithmFactory,
        space: Space | None = None,
        *,
        seed: int | None = None,
    ) -> None:
        self._seed = secrets.randbits(31) if seed is None else seed
        self._given = None if space is None else Parameters(space, objects=True)
        self._factory = factory
        self._proposer = None if self._given is None else self._propose_by(factory, self._given)
        self._made_for: tuple[Inferred, bool] | None = None
        self._lock = threading.Lock()
        self._said: set[str] = set()

    def __reduce__(self) -> tuple[Any, ...]:
        space = None if self._given is None else self._given.space
        return partial(type(self), seed=self._seed), (self._factory, space)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        if self._given is not None:
            return {**self._given.distributions}
        return {**infer(other_trials(study, trial)).distributions}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        # With `n_jobs` several threads ask at once; an algorithm is not made for that.
        with self._lock:
            proposer = self._proposer_for(other_trials(study, trial)) if search_space else None
            values = {} if proposer is None else self._choose(study, trial, proposer)
        return {name: value for name, value in values.items() if name in search_space}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:  # noqa: ANN401 - Optuna's signature
        claim = trial.system_attrs.get(ARCHITECTURE)
        # What was proposed for the widest range may be outside of the one of this trial.
        near = fitted(claim[param_name], param_distribution) if claim and param_name in claim else None
        if near is not None:
            return near
        sampler = RandomSampler(seed=int(self._stream(trial, f"parameter {param_name}").integers(2**32)))
        return sampler.sample_independent(study, trial, param_name, param_distribution)

    def _stream(self, trial: FrozenTrial, name: str) -> np.random.Generator:
        return np.random.default_rng([self._seed, trial.number, crc32(name.encode())])

    def _proposer_for(self, trials: Sequence[FrozenTrial]) -> Proposer | None:
        """The one at work while the space stays the same, so that its algorithm is kept; None while there is none."""
        if self._given is not None:
            return self._proposer
        inferred = infer(trials)
        if inferred.unexplained:
            self._warn(
                f"Some trials suggest {', '.join(inferred.unexplained)} and some do not, and no choice among categories or "
                "few integers before it says which. It is sampled at random."
            )
        if not inferred.distributions:
            return None
        made_for = inferred, is_settled(inferred, trials)
        if self._made_for != made_for:
            self._made_for = made_for
            self._proposer = self._propose_by(
                self._factory if made_for[1] else RandomSearch, Parameters(inferred.space, objects=True)
            )
        return self._proposer

    def _propose_by(self, factory: AlgorithmFactory, parameters: Parameters) -> Proposer:
        return Proposer(factory, parameters, seed=self._seed, metrics=metrics_of)

    def _choose(self, study: Study, trial: FrozenTrial, proposer: Proposer) -> dict[str, Any]:
        """The values that a trial is to have, without those of decisions that do not matter."""
        rng = self._stream(trial, "conflicts")
        fixed = _positions(fixed_values(study, trial), proposer.parameters)
        yielded: list[Architecture] = []
        attempt = 0
        while True:
            attempt += 1
            trials = other_trials(study, trial)
            # Two that yielded to each other see the same, so each takes one of several.
            proposals = proposer.propose(trials, goal_of(study, trials), attempt, besides=yielded, fixed=fixed)
            if proposals:
                proposal = proposals[rng.integers(len(proposals))]
                finished = {other.number for other in trials if other.state.is_finished()}
                if self._claim(study, trial, proposal, proposer, finished):
                    return proposer.parameters.active(proposal.architecture)
                yielded.append(proposal.architecture)
            elif yielded:
                # What was yielded may be free again: another that yielded too has withdrawn its claim.
                yielded.clear()
                time.sleep(rng.uniform(0.0, 0.01 * attempt))
            else:
                return proposer.parameters.active(self._again(study, trials, proposer, fixed, rng))

    def _claim(
        self, study: Study, trial: FrozenTrial, proposal: Proposal, proposer: Proposer, finished: set[int]
    ) -> bool:
        """Claim, then look: of two that claim the same, the later one at least sees the other.

        Looks at all trials but those that had ``finished`` before the choice: another that was running then, or has begun
        since, may have finished by now.
        """
        annotate(study, trial, ARCHITECTURE, proposer.parameters.active(proposal.architecture))
        # Also isomorphic ones: they would train the same network.
        key = proposer.canonical(proposal.architecture)
        for other in other_trials(study, trial):
            if other.number in finished or UNSEEN in other.system_attrs:
                continue
            if proposer.canonical(proposer.architecture(other)) == key:
                annotate(study, trial, ARCHITECTURE, None)
                return False
        for key, note in predicted_notes(proposal).items():
            annotate(study, trial, key, note)
        return True

    def _again(
        self,
        study: Study,
        trials: Sequence[FrozenTrial],
        proposer: Proposer,
        fixed: Mapping[int, int],
        rng: np.random.Generator,
    ) -> Architecture:
        """An architecture once more, one of the best: an Optuna sampler has to return something.

        Raises:
            UsageError: If the space has none.
        """
        goal = goal_of(study, trials)
        finished = [trial for trial in trials if trial.state.is_finished()]
        best = proposer.best(finished, goal, fixed) or proposer.space(fixed).sample(rng, 1)
        name, given = proposer.parameters.space.name, " with the fixed parameters" if fixed else ""
        if not best:
            raise UsageError(f"No combination of choices is a valid architecture of {name!r}{given}. Loosen its rules.")
        # While the last ones still run, what is said here would not be true yet.
        if not proposer.propose(finished, goal, fixed=fixed):
            self._warn(f"Every architecture of the space {name!r}{given} is known, so the best is proposed again.")
        return best[rng.integers(len(best))]

    def _warn(self, message: str) -> None:
        """Say something, once."""
        if message not in self._said:
            self._said.add(message)
            warnings.warn(message, UserWarning, stacklevel=2)


def _positions(values: Mapping[str, Any], parameters: Parameters) -> dict[int, int]:
    """Position of each decision that has one of these values -> position of its choice; others are passed over."""
    found = {
        d: parameters.position(name, values[name]) for d, name in enumerate(parameters.distributions) if name in values
    }
    return {d: position for d, position in found.items() if position is not None}
