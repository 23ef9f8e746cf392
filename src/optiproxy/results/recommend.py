"""Which of the measured architectures to take, where the largest of many noisy values may just be the luckiest one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from optiproxy.metrics import Goal
from optiproxy.optimizer.algorithm import Trial
from optiproxy.spaces import Space

if TYPE_CHECKING:
    from optiproxy.optimizer.model import Model
    from optiproxy.optimizer.records import History
    from optiproxy.proxy.structural import EncodedRegression

FEWEST = 10
"""Number of finished trials from which on a model may speak against the largest measured value."""

SHORTLIST = 5
"""Number of the largest measured values among which the model chooses.

What it takes for noise is partly what it cannot model and what another training would confirm; among all trials it would
prefer one that is like many good ones to one that is outstanding."""

NOISY = 0.1
"""Variance of the noise, relative to that of the function, up to which the largest measured value is believed.

A small one the fit sees in values without noise, too: it is what the kernel cannot bend to."""


def recommended(space: Space, goal: Goal, trials: Sequence[Trial]) -> int | None:
    """Position of the trial, among the feasible ones with the best values, whose architecture all trials speak for most.

    Whatever algorithm has chosen the trials, OptiProxy's proxy is fitted to them, and of the `SHORTLIST` the one
    with the largest expected value is taken, the noise of another measurement left out. Before `FEWEST` trials, or where the
    fit sees no more noise than `NOISY`, it is the best measured one.

    Args:
        space: Where the trials are from.
        goal: What is good.
        trials: All that have finished, at one fidelity, failed ones included.

    Returns:
        None where no trial is feasible, and with several objectives, where the front is the answer.
    """
    if len(goal.objectives) > 1:
        return None
    best = next(iter(goal.front([trial.metrics for trial in trials])), None)
    if best is None or len(trials) < FEWEST:
        return best
    # First here: most searches are never asked, and torch takes seconds to load.
    import torch

    model, history, predictor = fitted(space, goal, trials)
    if predictor.regression.columns[0].settings.noise <= NOISY:
        return best
    with torch.no_grad():
        expected = predictor(model.problem.graphs(history.architectures)).mean[:, 0]
    values = history.reached[:, 0].masked_fill(~history.feasible, -torch.inf)
    leading = values.argsort(descending=True, stable=True)[: min(SHORTLIST, int(history.feasible.sum()))]
    return int(leading[expected[leading].argmax()])


def fitted(space: Space, goal: Goal, trials: Sequence[Trial]) -> tuple[Model, History, EncodedRegression]:
    """OptiProxy's proxy, fitted to finished trials and ready to find noise in them, with the model and the history of the fit."""
    import torch

    from optiproxy.optimizer.model import Model
    from optiproxy.optimizer.records import Problem
    from optiproxy.proxy import StructuralProxy
    from optiproxy.proxy.likelihood import LogNormal, RegressionConfig
    from optiproxy.proxy.structural import EncodedRegression
    from optiproxy.proxy.targets import Normalization

    # A search does well to believe what it measures. Here noise is the question.
    open_minded = RegressionConfig(noise=LogNormal(median=0.01, spread=1.5))
    model = Model(Problem(space, goal, seed=0), StructuralProxy(regression=open_minded), Normalization())
    history = model.history(trials)
    # Neither its pretraining nor its fit depends on who searched, or draws anything of its own.
    predictor = model.fit(history, generator=torch.Generator())
    assert isinstance(predictor, EncodedRegression)  # which is what this proxy fits
    return model, history, predictor
