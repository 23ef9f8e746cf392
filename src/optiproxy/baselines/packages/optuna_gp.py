"""Optuna's Gaussian process with expected improvement, weighed by the chance to keep the limits where there are any.

Optuna's documentation of `GPSampler`; the logarithms of the acquisition functions are those of Ament, Daulton, Eriksson,
Balandat and Bakshy, NeurIPS 2023 (arXiv 2310.20708). It maximises, so asking again mostly brings the same: it is asked
up to 3 times for something new.
"""

from __future__ import annotations

from optiproxy.baselines.packages.optuna_study import OptunaSuggester
from optiproxy.baselines.packages.search import PackageSearch
from optiproxy.metrics import Goal
from optiproxy.spaces import Space


def optuna_gp(space: Space, goal: Goal, *, seed: int) -> PackageSearch:
    """Optuna's Gaussian process; see the module."""
    from optuna.samplers import GPSampler

    suggester = OptunaSuggester(space, goal, sampler=lambda stream: GPSampler(seed=stream), asks=3)
    return PackageSearch(space, suggester, seed=seed)
