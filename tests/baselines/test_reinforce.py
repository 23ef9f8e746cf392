from __future__ import annotations

import numpy as np
import pytest
import torch

from optiproxy.baselines.reinforce import Reinforce
from optiproxy.metrics import Goal, Objective
from optiproxy.optimizer import Trial
from optiproxy.spaces import FlatSpace

GOAL = Goal((Objective("score"),))
SPACE = FlatSpace({"good": [0, 1], "irrelevant": [*range(5)], "three": [0, 1, 2]})


def _policy(trials, *, space=SPACE, **settings):
    algorithm = Reinforce(space, GOAL, seed=0, **settings)
    algorithm.observe(trials)
    return algorithm._policy()


def _trials(n, seed=0):
    rng = np.random.default_rng(seed)
    return [Trial(a, {"score": float(a[0]) - float(a[2] == 1)}) for a in SPACE.sample(rng, n)]


def test_the_policy_is_uniform_at_first_and_leaves_out_what_is_no_choice():
    probabilities = _policy([])
    assert torch.allclose(probabilities.sum(1), torch.ones(3))
    assert probabilities[0].tolist() == [0.5, 0.5, 0, 0, 0]
    assert torch.allclose(probabilities[2, :3], torch.full((3,), 1 / 3))


def test_the_first_trial_says_nothing():
    """Its reward is the moving average itself."""
    assert torch.allclose(_policy([Trial((1, 0, 0), {"score": 5.0})]), _policy([]), atol=1e-4)


def test_the_policy_learns_what_is_good():
    probabilities = _policy(_trials(200))
    assert probabilities[0, 1] > 0.6
    assert probabilities[2, 1] < 0.25
    assert probabilities[1].max() < 0.4


def test_one_step_moves_each_logit_by_the_learning_rate_at_most():
    before = _policy([Trial((1, 0, 0), {"score": 0.0})]).clamp_min(1e-9).log()
    after = _policy([Trial((1, 0, 0), {"score": 0.0}), Trial((0, 3, 2), {"score": 1.0})]).clamp_min(1e-9).log()
    step = (after - before)[0]
    assert step[0] > 0 > step[1]
    assert abs(step).max() < 0.03


def test_draws_follow_the_policy():
    algorithm = Reinforce(SPACE, GOAL, seed=0, learning_rate=1.0)
    algorithm.observe([Trial((0, i % 5, 0), {"score": float(-i)}) for i in range(2)])
    generator = torch.Generator().manual_seed(0)
    probabilities = torch.zeros(3, 5)
    probabilities[0, 1] = probabilities[1, 4] = probabilities[2, 2] = 1.0
    assert set(algorithm._draws(probabilities, generator)) == {(1, 4, 2)}


@pytest.mark.slow
def test_a_policy_that_has_become_certain_still_proposes_new_ones():
    space = FlatSpace({str(d): [0, 1] for d in range(6)})
    algorithm = Reinforce(space, GOAL, seed=0, learning_rate=5.0)
    trials: list[Trial] = []
    while len(trials) < space.size:
        algorithm.observe(trials)
        (proposal,) = algorithm.propose(1)
        trials.append(Trial(proposal.architecture, {"score": float(sum(proposal.architecture))}))
    assert len({trial.architecture for trial in trials}) == space.size
