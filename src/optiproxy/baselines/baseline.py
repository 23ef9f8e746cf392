"""What every baseline that needs no other package begins with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from optiproxy.baselines.ranking import Array, utilities
from optiproxy.optimizer.algorithm import Proposal, Trial
from optiproxy.optimizer.remembering import Remembering
from optiproxy.spaces import Architecture


class Baseline(Remembering):
    """An `Algorithm` that proposes the first of its candidates that are valid and new, then random architectures.

    Random numbers depend on the seed and on how many architectures are known, so that a replay gives the same ones.

    Args:
        space: Where to search.
        goal: What is good.
        seed: Names the stream of random numbers.
    """

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        """The first ``n`` candidates that are valid and still unknown; random ones where they are too few."""
        known = self._seen.union(pending)
        rng = np.random.default_rng([self._seed, len(known)])
        found: list[Architecture] = []
        for candidate in known.unseen(self._candidates(rng)):
            if len(found) == n:
                break
            if self._space.is_valid(candidate):
                found.append(candidate)
        return [Proposal(chosen) for chosen in [*found, *known.union(found).draw(rng, n - len(found))]]

    def _candidates(self, rng: np.random.Generator) -> Iterable[Architecture]:  # noqa: ARG002 - for those who draw
        """What to evaluate next, best first, known and invalid ones among it; asked for once by each `propose`."""
        return ()

    def _utilities(self, trials: Sequence[Trial], *, drawn: int = 0) -> Array:
        """``(n,)``, see `ranking.utilities`; each number draws another preference among several objectives."""
        rng = np.random.default_rng([self._seed, drawn, 1])
        preference = rng.dirichlet(np.ones(len(self._goal.objectives)))
        return utilities(self._goal, [trial.metrics for trial in trials], preference)
