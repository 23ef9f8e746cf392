"""BORE, Bayesian optimization by density-ratio estimation, as Syne Tune ships it: with XGBoost, default settings.

Tiao, Klein, Seeger, Bonilla, Archambeau and Ramos, ICML 2021 (arXiv 2102.09009). A suggestion is the best of 500 random
candidates; up to 5 are asked for something new.
"""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false
from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
from syne_tune.config_space import choice, randint, uniform
from syne_tune.optimizer.schedulers.searchers.bore import Bore

ASKS = 5

DRAWS = 10_000
"""Known draws in a row after which a small space counts as used up, as in the package."""


class BatchedBore(Bore):
    """Scores all candidates in one call of the classifier, where the package calls it for each of them."""

    def suggest(self, **_: object) -> dict[str, float]:
        """Return the package's own suggestion at its default settings, bit for bit, in a third of the time."""
        # Random where there are too few trials, or no classifier can be fitted to them; as in the package.
        if len(self.inputs) < self.init_random or not self._train_model(self.inputs, self.targets):
            return self._get_random_config()
        candidates: dict[tuple[float, ...], dict[str, float]] = {}
        known = 0
        while len(candidates) < self.feval_acq and known <= DRAWS:
            drawn = self._get_random_config()
            known = known + 1 if tuple(drawn.values()) in candidates else 0
            candidates.setdefault(tuple(drawn.values()), drawn)
        found = list(candidates.values())
        features = np.array([self._hp_ranges.to_ndarray(candidate) for candidate in found])
        return found[self._loss(features).argmin()]


def suggest(question: SimpleNamespace) -> Iterator[list[float]]:
    """Ask a searcher that has been told everything."""
    # Candidates come from the global stream of numpy.
    np.random.seed(question.step)  # noqa: NPY002
    names = [f"d{d}" for d in range(len(question.counts))]
    space = {name: _domain(*of) for name, *of in zip(names, question.counts, question.levels, strict=True)}
    # A new searcher for each question reads all trials again, so that nothing is kept in between.
    searcher = BatchedBore(space, random_seed=question.step)
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
