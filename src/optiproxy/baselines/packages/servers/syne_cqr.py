"""CQR, conformalized quantile regression, as Syne Tune ships it: with its default settings.

Salinas, Golebiowski, Klein, Seeger and Archambeau, ICML 2023 (arXiv 2305.03623). A suggestion is the best of one draw
from the predicted distributions of 2,000 random candidates; up to 20 are asked for something new.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
from syne_tune.config_space import choice, randint, uniform
from syne_tune.optimizer.schedulers.searchers.conformal.conformal_quantile_regression_searcher import (
    ConformalQuantileRegression,
)

ASKS = 20


def suggest(question: SimpleNamespace) -> Iterator[list[float]]:
    """Ask a searcher that has been told everything."""
    # Draws come from the global stream of numpy.
    np.random.seed(question.step)  # noqa: NPY002
    names = [f"d{d}" for d in range(len(question.counts))]
    space = {name: _domain(*of) for name, *of in zip(names, question.counts, question.levels, strict=True)}
    # A new searcher for each question reads all trials again, so that nothing is kept in between.
    searcher = ConformalQuantileRegression(space, random_seed=question.step)
    for number, (chosen, loss) in enumerate(zip(question.trials, question.loss, strict=True)):
        searcher.on_trial_complete(number, dict(zip(names, chosen, strict=True)), loss)
    for _ in range(ASKS):
        found = searcher.suggest()
        yield [found[name] for name in names]


def _domain(count: int | None, levels: list[float] | None) -> Any:  # noqa: ANN401 - of the package
    if count is None:
        return uniform(0.0, 1.0)
    # How far the levels lie apart makes no difference to the splits of a tree.
    return choice(list(range(count))) if levels is None else randint(0, count - 1)
