"""BORE, Bayesian optimization by density-ratio estimation, as Syne Tune ships it: with XGBoost, default settings.

Tiao, Klein, Seeger, Bonilla, Archambeau and Ramos, ICML 2021 (arXiv 2102.09009). A suggestion is the best of 500 random
candidates; up to 5 are asked for something new.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
from syne_tune.config_space import choice
from syne_tune.optimizer.schedulers.searchers.bore import Bore

ASKS = 5


def suggest(question: SimpleNamespace) -> Iterator[list[int]]:
    """Ask a searcher that has been told everything."""
    # Candidates come from the global stream of numpy.
    np.random.seed(question.step)  # noqa: NPY002
    names = [f"d{d}" for d in range(len(question.counts))]
    space = {name: choice(list(range(count))) for name, count in zip(names, question.counts, strict=True)}
    searcher = Bore(space, random_seed=question.step)
    for number, (chosen, loss) in enumerate(zip(question.trials, question.loss, strict=True)):
        searcher.on_trial_complete(number, dict(zip(names, chosen, strict=True)), loss)
    for _ in range(ASKS):
        found = searcher.suggest()
        yield [found[name] for name in names]
