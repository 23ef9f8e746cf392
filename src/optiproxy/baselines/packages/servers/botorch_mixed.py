"""BoTorch's Gaussian process for mixed spaces with expected improvement, maximised by local search over the choices.

Balandat, Karrer, Jiang, Daulton, Letham, Wilson and Bakshy, NeurIPS 2020 (arXiv 1910.06403), with a Hamming kernel as in
MixedSingleTaskGP, and the logarithm of the (constrained) expected improvement of Ament and others, NeurIPS 2023 (arXiv
2310.20708). Limits are modelled like the objective; several objectives come as one loss. The first 10 trials are random.
What is known is left out of the search for the maximum, and so is each suggestion that did not serve; up to 10.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import torch
from botorch.acquisition.analytic import (
    LogConstrainedExpectedImprovement,
    LogExpectedImprovement,
    LogProbabilityOfFeasibility,
)
from botorch.fit import fit_gpytorch_mll
from botorch.models import MixedSingleTaskGP
from botorch.optim import optimize_acqf_discrete_local_search
from gpytorch.mlls import ExactMarginalLogLikelihood

ASKS = 10
RANDOM_TRIALS = 10
RESTARTS = 20


def suggest(question: SimpleNamespace) -> Iterator[list[int]]:
    """Yield random architectures at first, then the maximum of the acquisition function and what comes next."""
    warnings.simplefilter("ignore")
    if len(question.trials) < RANDOM_TRIALS:
        rng = np.random.default_rng(question.step)
        yield from rng.integers(0, question.counts, size=(ASKS, len(question.counts))).tolist()
        return
    torch.manual_seed(question.step)
    # Like every other algorithm of a comparison.
    torch.set_num_threads(1)
    acquisition = _acquisition(question)
    choices = [torch.arange(count, dtype=torch.double) for count in question.counts]
    known = torch.tensor([*question.trials, *question.pending], dtype=torch.double).unique(dim=0)
    for _ in range(ASKS):
        left = math.prod(question.counts) - len(known)
        if left < 1:
            return
        found, _ = optimize_acqf_discrete_local_search(
            acquisition, choices, q=1, num_restarts=min(RESTARTS, left), X_avoid=known
        )
        known = torch.cat([known, found])
        yield found[0].long().tolist()


def _acquisition(question: SimpleNamespace) -> Callable[[torch.Tensor], torch.Tensor]:
    features = torch.tensor(question.trials, dtype=torch.double)
    limits = {m + 1: (None, 0.0) for m in range(len(question.violations[0]))}
    columns = [[value, *violations] for value, violations in zip(question.objective, question.violations, strict=True)]
    targets = torch.tensor(columns, dtype=torch.double)
    # BoTorch maximizes; limits keep their sign, because their bounds are given.
    targets[:, 0] = -targets[:, 0]
    model = MixedSingleTaskGP(features, targets, cat_dims=list(range(features.shape[1])))
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    feasible = (targets[:, 1:] <= 0).all(dim=1)
    # Expected improvement needs an incumbent; before there is a feasible one, feasibility is what is searched for.
    if not feasible.any():
        return LogProbabilityOfFeasibility(model, constraints=limits)
    best = targets[feasible, 0].max()
    if not limits:
        return LogExpectedImprovement(model, best_f=best)
    return LogConstrainedExpectedImprovement(model, best_f=best, objective_index=0, constraints=limits)
