"""How much each decision matters to the objectives, as far as the finished trainings say."""

from __future__ import annotations

from collections.abc import Sequence

from optiproxy.metrics import Goal
from optiproxy.optimizer.algorithm import Trial
from optiproxy.results.recommend import FEWEST, fitted
from optiproxy.spaces import Space

EXCHANGES = 3
"""How often each decision is exchanged."""

MOST = 100
"""Trials of which predictions are made; more of them change little and cost time."""


def importances(space: Space, goal: Goal, trials: Sequence[Trial]) -> dict[str, dict[str, float]]:
    """Objective -> decision name -> its share of the permutation importance (Breiman 2001), all shares adding up to 1.

    OptiProxy's default proxy is fitted to the trials, whatever algorithm has chosen them. Then, decision by decision, each
    trial is given what another one chose, and the mean squared change of the proxy's prediction is taken. Unlike the
    relevances that the proxy learns, this also holds for spaces of graphs, whose decisions are relevant as a whole.

    Args:
        space: Where the trials are from.
        goal: Which objectives.
        trials: All that have finished, at one fidelity, failed ones included.

    Returns:
        Nothing where there are too few trials to say, or an objective has always been the same.
    """
    measured = [trial for trial in trials if all(name in trial.metrics for name in goal.metric_names)]
    if len(measured) < FEWEST:
        return {}
    import torch

    model, history, predictor = fitted(space, goal, trials)
    weights = space.one_hot(history.architectures[-MOST:])
    # A stream of its own: the same trials have the same importances.
    generator = torch.Generator().manual_seed(0)
    changes = torch.zeros(len(space.decisions), len(goal.objectives))
    with torch.no_grad():
        usual = predictor(model.problem.space.graphs(weights)).mean[:, : len(goal.objectives)]
        for d in range(len(space.decisions)):
            for _ in range(EXCHANGES):
                exchanged = weights.clone()
                exchanged[:, d] = weights[torch.randperm(len(weights), generator=generator), d]
                # Where nothing has changed, nothing needs to be predicted.
                other = (exchanged != weights).flatten(1).any(1)
                if other.any():
                    found = predictor(model.problem.space.graphs(exchanged[other])).mean[:, : len(goal.objectives)]
                    changes[d] += (found - usual[other]).square().sum(0)
    names = [decision.name for decision in space.decisions]
    return {
        objective.metric: dict(zip(names, (column / column.sum()).tolist(), strict=True))
        for objective, column in zip(goal.objectives, changes.unbind(1), strict=True)
        if float(column.sum()) > 0
    }
