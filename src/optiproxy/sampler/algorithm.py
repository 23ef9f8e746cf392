"""Any search algorithm as an Optuna sampler."""

from __future__ import annotations

import secrets
import threading
import time
from itertools import count
from typing import TYPE_CHECKING, Any, final
from zlib import crc32

import numpy as np
from optuna.samplers import BaseSampler, RandomSampler

from optiproxy.errors import UsageError
from optiproxy.sampler.reading import common_parameters, goal_of, inferred_space, metrics_of, modelled
from optiproxy.storage.parameters import Parameters
from optiproxy.storage.proposer import Proposer
from optiproxy.storage.schema import ARCHITECTURE, UNSEEN, annotate, predicted_notes

if TYPE_CHECKING:
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
    an architecture. While a space has yet to be inferred nothing can be claimed.

    Args:
        factory: Builds the algorithm; called anew when the space, the goal or the past changes.
        space: Where to search; its decisions must be suggested with `suggest_categorical` and all their choices. If
            None, the space holds the categorical parameters, and the integers with few values, that all finished trials
            have in common; until one has finished, and for all other parameters, sampling is independent and random.
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
        self._given = None if space is None else Parameters(space)
        self._factory = factory
        self._proposer: Proposer | None = None
        self._lock = threading.Lock()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:  # noqa: ARG002
        if self._given is not None:
            return {**self._given.distributions}
        return common_parameters(study)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        decisions = modelled(search_space)
        values: dict[str, Any] = {
            name: self.sample_independent(study, trial, name, distribution)
            for name, distribution in search_space.items()
            if name not in decisions
        }
        if decisions:
            # With `n_jobs` several threads ask at once; an algorithm is not made for that.
            with self._lock:
                proposer = self._proposer_for(decisions)
                values |= proposer.parameters.encode(self._choose(study, trial, proposer))
        return values

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:  # noqa: ANN401 - Optuna's signature
        sampler = RandomSampler(seed=int(self._stream(trial, f"parameter {param_name}").integers(2**32)))
        return sampler.sample_independent(study, trial, param_name, param_distribution)

    def _stream(self, trial: FrozenTrial, name: str) -> np.random.Generator:
        return np.random.default_rng([self._seed, trial.number, crc32(name.encode())])

    def _proposer_for(self, decisions: dict[str, BaseDistribution]) -> Proposer:
        """The one at work while the space stays the same, so that its algorithm is kept; else a new one."""
        if self._given is not None and self._given.distributions.keys() == decisions.keys():
            parameters = self._given
        else:
            parameters = Parameters(inferred_space(decisions))
        if self._proposer is None or self._proposer.parameters.space.decisions != parameters.space.decisions:
            self._proposer = Proposer(self._factory, parameters, seed=self._seed, metrics=metrics_of)
        return self._proposer

    def _choose(self, study: Study, trial: FrozenTrial, proposer: Proposer) -> Architecture:
        rng = self._stream(trial, "conflicts")
        yielded: list[Architecture] = []
        for attempt in count():
            trials = _others(study, trial)
            # Two that yielded to each other see the same, so each takes one of several.
            proposals = proposer.propose(trials, goal_of(study, trials), 1 + attempt, besides=yielded)
            if proposals:
                proposal = proposals[rng.integers(len(proposals))]
                finished = {other.number for other in trials if other.state.is_finished()}
                if self._claim(study, trial, proposal, proposer, finished):
                    return proposal.architecture
                yielded.append(proposal.architecture)
            elif yielded:
                # What was yielded may be free again: another that yielded too has withdrawn its claim.
                yielded.clear()
                time.sleep(rng.uniform(0.0, 0.01 * (1 + attempt)))
            else:
                break
        return _repeat(proposer.parameters.space, rng)

    def _claim(
        self, study: Study, trial: FrozenTrial, proposal: Proposal, proposer: Proposer, finished: set[int]
    ) -> bool:
        """Claim, then look: of two that claim the same, the later one at least sees the other.

        Looks at all trials but those that had ``finished`` before the choice: another that was running then, or has begun
        since, may have finished by now.
        """
        annotate(study, trial, ARCHITECTURE, proposer.parameters.encode(proposal.architecture))
        # Also isomorphic ones: they would train the same network.
        key = proposer.canonical(proposal.architecture)
        for other in _others(study, trial):
            if other.number in finished or UNSEEN in other.system_attrs:
                continue
            if proposer.canonical(proposer.architecture(other)) == key:
                annotate(study, trial, ARCHITECTURE, None)
                return False
        for key, note in predicted_notes(proposal).items():
            annotate(study, trial, key, note)
        return True


def _others(study: Study, trial: FrozenTrial) -> list[FrozenTrial]:
    return [other for other in study.get_trials(deepcopy=False) if other.number != trial.number]


def _repeat(space: Space, rng: np.random.Generator) -> Architecture:
    """Any architecture once more: an Optuna sampler has to return something.

    Raises:
        UsageError: If the space has none.
    """
    for architecture in space.sample(rng, 1):
        return architecture
    raise UsageError(f"No combination of choices is a valid architecture of {space.name!r}. Loosen its rules.")
