"""REINFORCE over independent decisions (Williams 1992), as NAS-Bench-101 and NAS-Bench-201 run it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from torch import Tensor

from optiproxy.baselines.choices import choice_mask
from optiproxy.baselines.ranking import utilities
from optiproxy.metrics import Goal
from optiproxy.optimizer.algorithm import Proposal, Trial
from optiproxy.optimizer.unseen import Known
from optiproxy.proxy.adam import Adam
from optiproxy.spaces import Architecture, Space

DRAWS = 100
"""Architectures drawn from the policy before it is given up to find an unknown one."""


@final
class Reinforce:
    """An `Algorithm`: a policy with one categorical distribution per decision follows the gradient of the expected reward.

    After each trial the logits move by Adam along the gradient of its log-probability, times how much its reward exceeds
    the moving average of the rewards. Learning rate and momentum are those that NAS-Bench-201 (arXiv 2001.00326) settled
    on after NAS-Bench-101 (arXiv 1902.09635, where the agent comes from). In a hundred trials the policy leaves the
    uniform distribution only a little: this is what was published.

    Differences, for the equal terms of a comparison: see `ranking.utilities`, which are the rewards; no network is
    evaluated twice, so that what the policy draws again is drawn anew. The policy is retraced from all trials at each
    proposal, so that a search that was interrupted goes on as it would have.

    Args:
        space: Where to search.
        goal: What is good. Several objectives are weighed by a preference drawn once.
        seed: Names the stream of random numbers.
        learning_rate: Of Adam.
        momentum: Of the moving average.
    """

    def __init__(
        self, space: Space, goal: Goal, *, seed: int, learning_rate: float = 0.01, momentum: float = 0.9
    ) -> None:
        self._space = space
        self._goal = goal
        self._seed = seed
        self._learning_rate = learning_rate
        self._momentum = momentum
        self._preference = np.random.default_rng([seed, 0, 1]).dirichlet(np.ones(len(goal.objectives)))
        self._known = Known(space)
        self._trials: Sequence[Trial] = ()

    def observe(self, trials: Sequence[Trial]) -> None:
        """Take note of the trials since the last call."""
        self._known.update(trial.architecture for trial in trials[len(self._trials) :])
        self._trials = tuple(trials)

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        """Up to ``n`` unknown draws from the policy; uniform ones where it has become too sure of what is known."""
        known = self._known.plus(pending)
        rng = np.random.default_rng([self._seed, len(known)])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        chances = self._policy()
        found: list[Architecture] = []
        for candidate in known.fresh(self._draws(chances, generator)):
            if len(found) < n and self._space.is_valid(candidate):
                found.append(candidate)
        found += known.plus(found).draw(rng, n - len(found))
        return [Proposal(architecture) for architecture in found]

    def _policy(self) -> Tensor:
        """``(d, c)`` chances of each choice after all trials."""
        mask = choice_mask(self._space)
        logits = torch.zeros(mask.shape, requires_grad=True)
        adam = Adam([logits])
        rewards = utilities(self._goal, [trial.metrics for trial in self._trials], self._preference)
        total = share = 0.0
        for trial, reward in zip(self._trials, rewards.tolist(), strict=True):
            total = self._momentum * total + (1 - self._momentum) * reward
            share = self._momentum * share + (1 - self._momentum)
            chosen = torch.tensor(trial.architecture)[:, None]
            log_chance = logits.masked_fill(~mask, -torch.inf).log_softmax(1).gather(1, chosen).sum()
            adam.step([-(reward - total / share) * log_chance], learning_rate=self._learning_rate)
        return logits.detach().masked_fill(~mask, -torch.inf).softmax(1)

    def _draws(self, chances: Tensor, generator: torch.Generator) -> list[Architecture]:
        """Architectures drawn from the policy; the space says which ones where not every combination is one."""
        chosen = torch.multinomial(chances, DRAWS, replacement=True, generator=generator).T
        certain = torch.nn.functional.one_hot(chosen, self._space.widest).to(chances.dtype)
        return self._space.draw(certain, 1, generator)
