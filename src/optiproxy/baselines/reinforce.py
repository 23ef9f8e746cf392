"""REINFORCE over independent decisions (Williams 1992), as NAS-Bench-101 and NAS-Bench-201 run it."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from optiproxy.baselines.baseline import Baseline
from optiproxy.baselines.choices import choice_mask
from optiproxy.baselines.predictors.networks import torch_stream
from optiproxy.metrics import Goal
from optiproxy.proxy.adam import Adam
from optiproxy.spaces import Architecture, Space

if TYPE_CHECKING:
    import numpy as np

DRAWS = 100
"""Architectures drawn from the policy before it is given up to find an unknown one."""


@final
class Reinforce(Baseline):
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
        super().__init__(space, goal, seed=seed)
        self._learning_rate = learning_rate
        self._momentum = momentum

    def _candidates(self, rng: np.random.Generator) -> list[Architecture]:
        """Draws from the policy; none is new where it has become too sure of what is known."""
        return self._draws(self._policy(), torch_stream(rng))

    def _policy(self) -> Tensor:
        """``(d, c)`` chances of each choice after all trials."""
        mask = choice_mask(self._space)
        logits = torch.zeros(mask.shape, requires_grad=True)
        adam = Adam([logits])
        rewards = self._utilities(self._trials)
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
