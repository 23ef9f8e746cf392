from __future__ import annotations

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm

from optiproxy.baselines.predictor_based.nas_bowl import NasBowl, NasBowlConfig, expected_improvement
from optiproxy.baselines.predictor_based.rounds import Batches
from optiproxy.metrics import Goal, Objective
from optiproxy.optimizer import Trial
from optiproxy.spaces import NASBench201


def test_expected_improvement_is_the_integral():
    for mean, spread, best in [(0.0, 1.0, 0.0), (1.0, 0.5, 2.0), (-1.0, 2.0, 0.5)]:
        expected, _ = quad(lambda y, m=mean, s=spread, b=best: (y - b) * norm.pdf(y, m, s), best, best + 40)
        found = expected_improvement(np.array([mean]), np.array([spread]), best)
        assert np.isclose(found[0], expected)


def test_one_failure_does_not_hide_the_differences_between_the_good_ones():
    """A trial a hundred times farther away than the others differ leaves most proposals as they were."""
    space = NASBench201()
    goal = Goal((Objective("accuracy"),))
    rng = np.random.default_rng(0)
    trials = [Trial(a, {"accuracy": 70.0 + a.count(3)}) for a in space.sample(rng, 20)]
    worst = min(range(20), key=lambda i: trials[i].metrics["accuracy"])
    failed = list(trials)
    failed[worst] = Trial(trials[worst].architecture, {"accuracy": 1.0})
    proposed = []
    for history in (trials, failed):
        algorithm = NasBowl(space, goal, seed=0, config=NasBowlConfig(schedule=Batches(20, 5)))
        algorithm.observe(history)
        proposed.append({p.architecture for p in algorithm.propose(5)})
    convolutions = [np.mean([a.count(3) for a in found]) for found in proposed]
    assert convolutions[0] > 2.5
    assert convolutions[1] > 2.5
