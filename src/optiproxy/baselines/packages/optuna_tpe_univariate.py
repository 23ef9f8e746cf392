"""The tree-structured Parzen estimator with each decision modelled by itself: Optuna's default before version 5.

Bergstra, Bardenet, Bengio and Kégl, NeurIPS 2011. Each suggestion is the best of 24 draws, so it is asked up to 20 times
for something new.
"""

from __future__ import annotations

from optiproxy.baselines.packages.optuna_study import OptunaSuggester
from optiproxy.baselines.packages.search import PackageSearch
from optiproxy.metrics import Goal
from optiproxy.spaces import Space


def optuna_tpe_univariate(space: Space, goal: Goal, *, seed: int) -> PackageSearch:
    """Optuna's sampler of old; see the module."""
    from optuna.samplers import TPESampler

    suggester = OptunaSuggester(
        space, goal, sampler=lambda stream: TPESampler(seed=stream, multivariate=False), asks=20
    )
    return PackageSearch(space, suggester, seed=seed)
