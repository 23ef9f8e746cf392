"""What every baseline that needs no other package begins with, and random search, which needs no more than that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import final

import numpy as np

from optiproxy.baselines.scalarization import Array, scalarized_utilities
from optiproxy.optimizer.algorithm import ObservingAlgorithm, Proposal, Trial
from optiproxy.spaces import Architecture


class Baseline(ObservingAlgorithm):
    """An `Algorithm` that proposes the first of its candidates that are valid and new, then random architectures.

    A subclass implements `_candidates`, which is the method proper. That no architecture is evaluated twice and that a
    search never runs dry while something is left to evaluate is taken care of here, on the same terms for all.

    Args:
        space: Where to search.
        goal: What is good.
        seed: Names the stream of random numbers.
    """

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        """The first ``n`` candidates that are valid and not seen yet; random ones where they are too few."""
        seen = self._seen.union(pending)
        # Seeded by how many architectures are known, so that a search that is replayed draws the same numbers again.
        rng = np.random.default_rng([self._seed, len(seen)])
        found: list[Architecture] = []
        for candidate in seen.unseen(self._candidates(rng)):
            if len(found) == n:
                break
            # Validity may be expensive, so it is only asked of candidates that are still needed.
            if self._space.is_valid(candidate):
                found.append(candidate)
        return [Proposal(chosen) for chosen in [*found, *seen.union(found).draw(rng, n - len(found))]]

    def _candidates(self, rng: np.random.Generator) -> Iterable[Architecture]:  # noqa: ARG002 - for those who draw
        """What to evaluate next, best first; may hold invalid and seen ones. Asked for once by each `propose`."""
        return ()

    def _utilities(self, trials: Sequence[Trial], *, drawn: int = 0) -> Array:
        """``(n,)`` utilities, larger = better, see `scalarized_utilities`.

        Args:
            trials: Which ones to compare.
            drawn: Each number draws another preference among several objectives.
        """
        rng = np.random.default_rng([self._seed, drawn, 1])
        # Uniform on the simplex, as the weight vectors of ParEGO.
        preference = rng.dirichlet(np.ones(len(self._goal.objectives)))
        return scalarized_utilities(self._goal, [trial.metrics for trial in trials], preference)


@final
class RandomSearch(Baseline):
    """An `Algorithm`: uniform draws of every decision, and never the same architecture twice.

    The baseline that every method must beat (Li and Talwalkar, UAI 2019, arXiv 1902.07638). Random search is what is left
    of a `Baseline` without candidates.
    """
