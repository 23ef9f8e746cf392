"""The equal terms of every baseline: nothing is evaluated twice, and each trial is the same single number to all.

Most published methods know one objective and no limit. All of them get the same numbers: `scalarized_utilities` (larger =
better) for the baselines written here, which derive from `Baseline`, and `ConstrainedLoss` with `scalarized_losses` and
`penalized_losses` (smaller = better) for the optimizers of other packages, some of which model limits by themselves. Both
join several objectives by the augmented Chebyshev function of ParEGO (Knowles, IEEE TEC 2006), and both rank by Deb's rules
(2000): feasible before infeasible, feasible ones by the objective, infeasible ones by how far they are from feasible.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from optiproxy.metrics import Goal, Metrics
from optiproxy.optimizer.algorithm import ObservingAlgorithm, Proposal, Trial
from optiproxy.spaces import Architecture, GriddedSpace, Space

Array = NDArray[np.float64]

AUGMENTATION = 0.05
"""Weight of the sum in the augmented Chebyshev function, ParEGO's rho: it makes what is dominated strictly worse."""


class Baseline(ObservingAlgorithm):
    """An `Algorithm` that proposes the first of its candidates that are valid and new, then random architectures.

    A subclass implements `_candidates`, which is the method proper. That no architecture is evaluated twice and that a
    search never runs dry while something is left to evaluate is taken care of here, on the same terms for all. A method
    that knows nothing but choices searches numbers on a grid, see `on_grid`; the random architectures lie anywhere.

    Args:
        space: The space to search.
        goal: Objectives and limits.
        seed: Seed of the random numbers.

    Attributes:
        on_grid: Whether ``self._space`` and ``self._trials`` are those of a `GriddedSpace` where a number has many values.
    """

    on_grid: ClassVar[bool] = False

    def __init__(self, space: Space, goal: Goal, *, seed: int) -> None:
        super().__init__(space, goal, seed=seed)
        self._whole = space
        self._grid = GriddedSpace(space) if self.on_grid and space.points else None
        self._space = self._grid or space

    def propose(self, n: int, pending: Sequence[Architecture] = ()) -> list[Proposal]:
        """Return the first ``n`` candidates that are valid and not seen yet; random ones where they are too few."""
        seen = self._seen.union(pending)
        # Seeded by how many architectures are known, so that a search that is replayed draws the same numbers again.
        rng = np.random.default_rng([self._seed, len(seen)])
        found: list[Architecture] = []
        candidates = self._candidates(rng)
        for candidate in seen.unseen(candidates if self._grid is None else map(self._grid.whole, candidates)):
            if len(found) == n:
                break
            # Validity may be expensive, so it is only asked of candidates that are still needed.
            if self._whole.is_valid(candidate):
                found.append(candidate)
        return [Proposal(chosen) for chosen in [*found, *seen.union(found).draw(rng, n - len(found))]]

    def _candidates(self, rng: np.random.Generator) -> Iterable[Architecture]:  # noqa: ARG002 - for those who draw
        """Return what to evaluate next, best first, invalid and seen ones included; called once by each `propose`."""
        return ()

    def _read(self, trial: Trial) -> Trial:
        if self._grid is None:
            return trial
        return replace(trial, architecture=self._grid.nearest(trial.architecture))

    def _utilities(self, trials: Sequence[Trial], *, drawn: int = 0) -> Array:
        """Return ``(n,)`` utilities, larger = better, see `scalarized_utilities`.

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


def constraint_violation(goal: Goal, metrics: Metrics) -> float:
    """Sum up the violations of the limits, each relative to its bound, so that units do not matter.

    0 where every limit is kept; ``inf`` where an objective or the metric of a limit was not measured.
    """
    if any(gain == float("-inf") for gain in goal.gains(metrics)):
        return float("inf")
    return sum(max(0.0, limit.violation(metrics)) / (abs(limit.bound) or 1.0) for limit in goal.limits)


def scalarized_utilities(goal: Goal, metrics: Sequence[Metrics], preference: Array) -> Array:
    """Return ``(n,)`` one utility per trial, larger = better; with one objective, and no limit broken, linear in it.

    Several objectives are joined by the augmented Chebyshev function, after each was scaled to [0, 1] over the feasible
    trials. Infeasible trials rank below all feasible ones, by `constraint_violation`, within a band of width 1; a failed
    training is at its bottom.

    Args:
        goal: Objectives and limits.
        metrics: Metrics of the ``n`` finished trials.
        preference: ``(o,)`` weights of the objectives, summing to 1.
    """
    feasible = np.array([goal.feasible(m) for m in metrics], dtype=bool)
    utilities = np.zeros(len(metrics))
    if feasible.any():
        gains = np.array([goal.gains(m) for m, kept in zip(metrics, feasible, strict=True) if kept])
        low, span = gains.min(0), np.ptp(gains, axis=0)
        scaled = (gains - low) / np.where(span > 0, span, 1.0)
        # ParEGO minimizes max_j(w_j f_j) + rho sum_j(w_j f_j); here f = 1 - scaled and the sign is turned round.
        chebyshev = (preference * (scaled - 1)).min(1)
        utilities[feasible] = chebyshev + AUGMENTATION * (preference * scaled).sum(1)
    # Deb's rules: the best infeasible trial is no better than the worst feasible one.
    floor = utilities[feasible].min(initial=np.inf) if feasible.any() else 0.0
    violations = np.array([constraint_violation(goal, m) for m in metrics])
    # From [0, inf] into [0, 1], so that one trial far outside does not set the scale that a predictor has to fit.
    utilities[~feasible] = floor - (1 - 1 / (1 + violations[~feasible]))
    return utilities


def standardized(values: Array) -> Array:
    """Shift and scale to mean 0 and standard deviation 1; zeros where all are equal."""
    if np.ptp(values) == 0:  # the standard deviation may still be a rounding error
        return np.zeros_like(values)
    return (values - values.mean()) / values.std()


@dataclass(frozen=True)
class ConstrainedLoss:
    """One trial as constrained optimizers read it: objectives to minimize, and constraints that are kept where <= 0.

    Attributes:
        losses: ``(o,)`` objectives in their metrics' units; ``inf`` where one was not measured.
        violations: One per limit, within [-1, 1]: <= 0 where it is kept, 1 where its metric was not measured.
    """

    losses: tuple[float, ...]
    violations: tuple[float, ...]

    @classmethod
    def of(cls, goal: Goal, metrics: Metrics) -> ConstrainedLoss:
        """Read the metrics of a trial as the goal does."""
        # Violations are relative to their bounds, so that limits in different units weigh the same.
        return cls(
            tuple(-gain for gain in goal.gains(metrics)),
            tuple(_squashed(limit.violation(metrics) / (abs(limit.bound) or 1.0)) for limit in goal.limits),
        )

    @property
    def measured(self) -> bool:
        """Whether every objective was measured."""
        return all(map(math.isfinite, self.losses))

    @property
    def mean_violation(self) -> float:
        """How far the trial is from feasible, averaged over the limits: 0 if it is feasible, 1 for a failure."""
        if not self.measured:
            return 1.0
        return sum(max(0.0, violation) for violation in self.violations) / max(1, len(self.violations))


def scalarized_losses(trials: Sequence[ConstrainedLoss], weights: Sequence[float]) -> list[float]:
    """Return ``(n,)`` one loss per trial, limits left aside; a failed trial is as bad as the worst that was measured.

    A single objective stays in its unit. Several, each scaled to the range of the trials, are joined by the augmented
    Chebyshev function.

    Args:
        trials: All ``n`` finished ones.
        weights: ``(o,)`` positive weights of the objectives, summing to 1.
    """
    # Ranges over what was measured alone: a failed trial has no losses that could stretch them.
    measured = [trial.losses for trial in trials if trial.measured]
    lowest = [min(column) for column in zip(*measured, strict=True)]
    ranges = [(max(column) - min(column)) or 1.0 for column in zip(*measured, strict=True)]

    def join(losses: Sequence[float]) -> float:
        terms = [w * (x - low) / span for w, x, low, span in zip(weights, losses, lowest, ranges, strict=True)]
        # A single objective keeps its unit: the models of the packages scale their targets themselves.
        return losses[0] if len(losses) == 1 else max(terms) + AUGMENTATION * sum(terms)

    values = {losses: join(losses) for losses in measured}
    worst = max(values.values(), default=0.0)
    return [values.get(trial.losses, worst) for trial in trials]


def penalized_losses(trials: Sequence[ConstrainedLoss], losses: Sequence[float]) -> list[float]:
    """Add a penalty for infeasible trials to ``(n,)`` losses, for optimizers that know no limits.

    What is infeasible is worse than all that is feasible, the more the farther it is, by at most the range of the
    feasible losses: this shows the way back without drowning the differences that matter.
    """
    feasible = [loss for trial, loss in zip(trials, losses, strict=True) if trial.mean_violation == 0]
    # Deb's rules: every infeasible trial behind the worst feasible one.
    worst = max(feasible, default=0.0)
    span = (worst - min(feasible, default=0.0)) or 1.0
    return [
        loss if trial.mean_violation == 0 else worst + span * trial.mean_violation
        for trial, loss in zip(trials, losses, strict=True)
    ]


def _squashed(value: float) -> float:
    """Map into [-1, 1] and keep sign and order, so that one outlier does not set the scale of a model."""
    return math.copysign(1.0, value) if math.isinf(value) else value / (1.0 + abs(value))
