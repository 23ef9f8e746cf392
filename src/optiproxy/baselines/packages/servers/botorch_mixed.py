"""BoTorch's Gaussian process for mixed spaces with expected improvement, maximised by its own optimizers for such spaces.

Balandat, Karrer, Jiang, Daulton, Letham, Wilson and Bakshy, NeurIPS 2020 (arXiv 1910.06403), with a Hamming kernel as in
MixedSingleTaskGP, and the logarithm of the (constrained) expected improvement of Ament and others, NeurIPS 2023 (arXiv
2310.20708). Limits are modelled like the objective; several objectives come as one loss. The first 10 trials are random.
Where all decisions are of a list, the maximum is found by local search, which leaves out what is known and each suggestion
that did not serve, up to 10. Beside numbers with many values, which are told by their place on their scale, local search
takes turns with the gradient; maxima that were found from other starts follow, up to 3.
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
from botorch.models import MixedSingleTaskGP, SingleTaskGP
from botorch.optim import optimize_acqf_discrete_local_search
from botorch.optim.optimize_mixed import optimize_acqf_mixed_alternating
from gpytorch.mlls import ExactMarginalLogLikelihood

Acquisition = Callable[[torch.Tensor], torch.Tensor]

Choices = list[torch.Tensor | None]
"""What the process computes with in place of each choice of each decision; None for a number with many values."""

ASKS = 10
MIXED_ASKS = 3
RANDOM_TRIALS = 10
RESTARTS = 20


def suggest(question: SimpleNamespace) -> Iterator[list[float]]:
    """Yield random architectures at first, then the maximum of the acquisition function and what comes next."""
    warnings.simplefilter("ignore")
    counts = question.counts
    numbers = [d for d, count in enumerate(counts) if count is None]
    if len(question.trials) < RANDOM_TRIALS:
        rng = np.random.default_rng(question.step)
        drawn = rng.integers(0, [count or 1 for count in counts], size=(ASKS, len(counts))).tolist()
        for row, places in zip(drawn, rng.random((ASKS, len(numbers))).tolist(), strict=True):
            yield _replaced(row, numbers, places)
        return
    torch.manual_seed(question.step)
    # Like every other algorithm of a comparison.
    torch.set_num_threads(1)
    choices = [_choices(*of) for of in zip(counts, question.levels, strict=True)]
    acquisition = _acquisition(question, choices)
    for found in _mixed(acquisition, choices, question.levels) if numbers else _listed(acquisition, choices, question):
        # Of what has a list the position in it; both optimizers keep to the lists.
        yield [
            place if listed is None else int((listed - place).abs().argmin())
            for place, listed in zip(found.tolist(), choices, strict=True)
        ]


def _choices(count: int | None, levels: list[float] | None) -> torch.Tensor | None:
    if count is None:
        return None
    return torch.arange(count, dtype=torch.double) if levels is None else torch.tensor(levels, dtype=torch.double)


def _features(rows: list[list[float]], choices: Choices) -> torch.Tensor:
    """Return ``(n, d)`` positions and places as the process computes with them."""
    features = torch.tensor(rows, dtype=torch.double).reshape(len(rows), len(choices))
    for d, listed in enumerate(choices):
        if listed is not None:
            features[:, d] = listed[features[:, d].long()]
    return features


def _listed(acquisition: Acquisition, choices: Choices, question: SimpleNamespace) -> Iterator[torch.Tensor]:
    """Yield the maximum over lists of choices, and what comes next."""
    known = _features([*question.trials, *question.pending], choices).unique(dim=0)
    for _ in range(ASKS):
        left = math.prod(question.counts) - len(known)
        if left < 1:
            return
        found, _ = optimize_acqf_discrete_local_search(
            acquisition, choices, q=1, num_restarts=min(RESTARTS, left), X_avoid=known
        )
        known = torch.cat([known, found])
        yield found[0]


def _mixed(acquisition: Acquisition, choices: Choices, levels: list[list[float] | None]) -> Iterator[torch.Tensor]:
    """Yield maxima over lists of choices and numbers from 0 to 1."""
    lists = {d: listed.tolist() for d, listed in enumerate(choices) if listed is not None}
    highs = [lists[d][-1] if d in lists else 1.0 for d in range(len(choices))]
    bounds = torch.tensor([[0.0 for _ in highs], highs], dtype=torch.double)
    for _ in range(MIXED_ASKS):
        found, _ = optimize_acqf_mixed_alternating(
            acquisition,
            bounds,
            discrete_dims={d: places for d, places in lists.items() if levels[d] is not None},
            cat_dims={d: places for d, places in lists.items() if levels[d] is None},
            num_restarts=RESTARTS,
        )
        yield found[0]


def _replaced(row: list[float], where: list[int], by: list[float]) -> list[float]:
    whole = dict(enumerate(row)) | dict(zip(where, by, strict=True))
    return [whole[d] for d in range(len(row))]


def _acquisition(question: SimpleNamespace, choices: Choices) -> Acquisition:
    features = _features(question.trials, choices)
    limits = {m + 1: (None, 0.0) for m in range(len(question.violations[0]))}
    columns = [[value, *violations] for value, violations in zip(question.objective, question.violations, strict=True)]
    targets = torch.tensor(columns, dtype=torch.double)
    # BoTorch maximizes; limits keep their sign, because their bounds are given.
    targets[:, 0] = -targets[:, 0]
    categories = [
        d for d, of in enumerate(zip(choices, question.levels, strict=True)) if of[0] is not None and of[1] is None
    ]
    # The mixed process refuses to be one without categories.
    model = MixedSingleTaskGP(features, targets, cat_dims=categories) if categories else SingleTaskGP(features, targets)
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    feasible = (targets[:, 1:] <= 0).all(dim=1)
    # Expected improvement needs an incumbent; before there is a feasible one, feasibility is what is searched for.
    if not feasible.any():
        return LogProbabilityOfFeasibility(model, constraints=limits)
    best = targets[feasible, 0].max()
    if not limits:
        return LogExpectedImprovement(model, best_f=best)
    return LogConstrainedExpectedImprovement(model, best_f=best, objective_index=0, constraints=limits)
