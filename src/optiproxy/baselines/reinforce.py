"""REINFORCE over independent decisions (Williams, Machine Learning 1992), as NAS-Bench-101 and NAS-Bench-201 run it."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from optiproxy.baselines.baseline import Baseline
from optiproxy.metrics import Goal
from optiproxy.proxy.networks import Adam, torch_stream
from optiproxy.spaces import Architecture, Space

if TYPE_CHECKING:
    import numpy as np

DRAWS = 100
"""Architectures drawn from the policy for one proposal, of which the first that is new is taken."""


@final
class Reinforce(Baseline):
    """An `Algorithm`: a policy with one categorical distribution per decision follows the gradient of the expected reward.

    Published: after each trial the logits of the policy move by Adam along the gradient of the trial's log-probability,
    times its advantage, which is its reward minus a moving average of all rewards. Learning rate and momentum are those
    that NAS-Bench-201 (arXiv 2001.00326) settled on after NAS-Bench-101 (arXiv 1902.09635, where the agent comes from).
    In a hundred trials the policy leaves the uniform distribution only a little: this is what was published.

    Differences, for the equal terms of a comparison: rewards are those of `scalarized_utilities`; no architecture is
    evaluated twice, so that what the policy draws again is drawn anew.

    Args:
        space: The space to search.
        goal: Objectives and limits. Several objectives are weighed by a preference drawn once.
        seed: Seed of the random numbers.
        learning_rate: Learning rate of Adam.
        momentum: Share of the moving average that each further reward leaves.
    """

    on_grid = True

    def __init__(
        self, space: Space, goal: Goal, *, seed: int, learning_rate: float = 0.01, momentum: float = 0.9
    ) -> None:
        super().__init__(space, goal, seed=seed)
        self._learning_rate = learning_rate
        self._momentum = momentum

    def _candidates(self, rng: np.random.Generator) -> list[Architecture]:
        """Draw from the policy; nothing is new where the policy has become too sure of what has been seen."""
        return self._draws(self._policy(), torch_stream(rng))

    def _policy(self) -> Tensor:
        """Return ``(d, c)`` probabilities of each choice after all trials."""
        # Retraced from all trials at each proposal, so that a search that was interrupted goes on as it would have. The
        # rewards are scaled by the trials so far, so the policy is not simply the last one plus a step.
        mask = self._space.choice_mask
        logits = torch.zeros(mask.shape, requires_grad=True)
        adam = Adam([logits])
        rewards = self._utilities(self._trials)
        average = weight = 0.0
        for trial, reward in zip(self._trials, rewards.tolist(), strict=True):
            # The moving average starts at zero; divided by the sum of its weights it is unbiased.
            average = self._momentum * average + (1 - self._momentum) * reward
            weight = self._momentum * weight + (1 - self._momentum)
            advantage = reward - average / weight
            chosen = torch.tensor(trial.architecture)[:, None]
            log_probability = logits.masked_fill(~mask, -torch.inf).log_softmax(1).gather(1, chosen).sum()
            # The REINFORCE estimator: grad E[reward] is the expectation of (reward - baseline) grad log p(architecture).
            adam.step([-advantage * log_probability], learning_rate=self._learning_rate)
        return logits.detach().masked_fill(~mask, -torch.inf).softmax(1)

    def _draws(self, probabilities: Tensor, generator: torch.Generator) -> list[Architecture]:
        """Return `DRAWS` architectures from ``(d, c)`` probabilities."""
        chosen = torch.multinomial(probabilities, DRAWS, replacement=True, generator=generator).T
        certain = torch.nn.functional.one_hot(chosen, self._space.widest).to(probabilities.dtype)
        # Not every combination need be an architecture; the space says which one is drawn instead.
        return self._space.draw(certain, 1, generator)
