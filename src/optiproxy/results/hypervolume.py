"""How much a front has won: hypervolume, the measure of searches with several objectives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.metrics import Goal, Metrics

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Box:
    """What hypervolume is a share of: the box between the worst and the best value of each objective.

    Hypervolume depends on the point from which it is measured. Here that is the worst value of each objective among the
    feasible trials, so that neither the unit of a metric nor knowledge of its true range enters. Searches are compared
    within one common box, drawn around the trials of all of them.

    Attributes:
        goal: Names the objectives; what breaks its limits has no part.
        reference: Per objective the worst value, in the metric's unit.
        ideal: Per objective the best one.
    """

    goal: Goal
    reference: tuple[float, ...]
    ideal: tuple[float, ...]

    @classmethod
    def around(cls, goal: Goal, found: Sequence[Metrics]) -> Box | None:
        """The smallest box that holds all feasible entries; None where there is none."""
        feasible = [metrics for metrics in found if goal.feasible(metrics)]
        if not feasible:
            return None
        columns = [(o, [metrics[o.metric] for metrics in feasible]) for o in goal.objectives]
        worst = tuple(min(column) if o.direction == "max" else max(column) for o, column in columns)
        best = tuple(max(column) if o.direction == "max" else min(column) for o, column in columns)
        return cls(goal, worst, best)

    def share(self, found: Sequence[Metrics]) -> float:
        """The share of the box, 0 to 1, that is dominated by the feasible entries (Zitzler and Thiele 1998).

        An objective in which the box has no extent has no part in it; a box without any extent is dominated by whatever
        is feasible.
        """
        from moocore import hypervolume

        # All gains are scaled to [0, 1], so the volume is the share.
        points = self._points(found)
        if not points.size:
            return float(len(points) > 0)
        return float(hypervolume(points, ref=np.zeros(points.shape[1]), maximise=True))

    def curve(self, found: Sequence[Metrics]) -> tuple[float, ...]:
        """The share after each entry; it never falls."""
        return tuple(self.share(found[: n + 1]) for n in range(len(found)))

    def _points(self, found: Sequence[Metrics]) -> NDArray[np.float64]:
        """``(n, o)`` the feasible entries within the box: 0 at the reference, 1 at the ideal."""
        names = [objective.metric for objective in self.goal.objectives]
        feasible = [[metrics[name] for name in names] for metrics in found if self.goal.feasible(metrics)]
        reference, extent = np.array(self.reference), np.subtract(self.ideal, self.reference)
        # An objective without extent would divide by zero; in it all entries are equal.
        inside = (np.array(feasible).reshape(-1, len(names)) - reference)[:, extent != 0] / extent[extent != 0]
        return inside.clip(0, 1)
