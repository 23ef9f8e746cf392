"""What the parts of `OptiProxy` are handed, and what they hand back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from optiproxy.graph import GraphBatch
from optiproxy.metrics import Goal
from optiproxy.optimizer.algorithm import Trial
from optiproxy.proxy import Prediction, Targets
from optiproxy.spaces import Architecture, Space

PART = 128
"""Candidates that are turned into graphs at once."""

ROOM = 2_500_000
"""Numbers that the node features of all graphs at a time may consist of: 10 MB."""


@dataclass(frozen=True)
class Layout:
    """Which numbers a relaxed architecture consists of, and how parameters without bounds become such numbers.

    Attributes:
        mask: ``(d, c)``, True where the decision has that choice; of a point on a scale the first column alone.
        points: ``(d,)``, True where the decision is a point on a scale, and not a simplex over choices.
        given: ``(d, c)`` numbers of the decisions that are taken already, NaN in the rows of others; None where all are
            free.
    """

    mask: Tensor
    points: Tensor
    given: Tensor | None = None

    def softmax(self, parameters: Tensor) -> Tensor:
        """Relaxed architectures ``(b, d, c)`` of parameters ``(b, d, c)``, without noise or temperature."""
        return self.join(parameters.masked_fill(~self.mask, -torch.inf).softmax(-1), parameters)

    def join(self, simplexes: Tensor, parameters: Tensor) -> Tensor:
        """The simplexes, for each point the normal distribution function of its parameter, and what is given.

        Parameters that are standard normal are thereby uniform on their scale.
        """
        joined = simplexes
        if self.points.any():
            joined = torch.where(self.points[:, None], torch.special.ndtr(parameters) * self.mask, joined)
        return joined if self.given is None else torch.where(self.given.isnan(), joined, self.given)

    def parameters(self, weights: Tensor, pull: float) -> Tensor:
        """Parameters that lead to certain weights: ``pull`` for what is chosen, and 0 for other choices."""
        at = torch.special.ndtri(weights.clamp(0.01, 0.99)) * self.mask
        return torch.where(self.points[:, None], at, pull * weights)


@dataclass(frozen=True)
class Problem:
    """What one search is about; the same object throughout the search.

    Attributes:
        space: Where to search.
        goal: What to improve, and which limits to keep.
        seed: Names all streams of random numbers.
    """

    space: Space
    goal: Goal
    seed: int

    @cached_property
    def layout(self) -> Layout:
        """Which numbers an architecture of the space is relaxed to."""
        points = torch.zeros(len(self.space.decisions), dtype=torch.bool)
        points[list(self.space.points)] = True
        fixed = self.space.fixed
        if not fixed:
            return Layout(self.space.choice_mask, points)
        (given,) = self.space.one_hot([tuple(fixed.get(d, 0) for d in range(len(points)))])
        free = [d for d in range(len(points)) if d not in fixed]
        given[free] = torch.nan
        return Layout(self.space.choice_mask, points, given)

    def graphs(self, architectures: Sequence[Architecture]) -> GraphBatch:
        """Discrete graphs of ``b`` architectures."""
        return self.space.graphs(self.space.one_hot(architectures))

    def parts(self, architectures: Sequence[Architecture]) -> Iterator[GraphBatch]:
        """The same in batches, because many graphs take much more memory than what is predicted of them."""
        step = max(min(PART, self.room), 1)
        for start in range(0, len(architectures), step):
            yield self.graphs(architectures[start : start + step])

    @cached_property
    def room(self) -> int:
        """How many graphs of the space are not too many to be held at once."""
        return ROOM // self.graphs(self.space.examples(np.random.default_rng(0), 1)).operations.numel()


@dataclass(frozen=True)
class History:
    """The ``n`` finished trials that a round learns from, in the order in which they finished.

    Attributes:
        architectures: Their canonical forms: the encoding tells isomorphic architectures apart, the trainings do not.
        feasible: ``(n,)``, whether every objective was measured and every limit kept.
        targets: Their normalised scores, and how to turn a score back into a metric.
        objectives: ``o``.
    """

    architectures: tuple[Architecture, ...]
    feasible: Tensor
    targets: Targets
    objectives: int

    @classmethod
    def of(cls, trials: Sequence[Trial], problem: Problem, targets: Targets) -> History:
        """The history that these trials make, with the targets that were fitted to them."""
        return cls(
            tuple(problem.space.canonical(trial.architecture) for trial in trials),
            torch.tensor([problem.goal.feasible(trial.metrics) for trial in trials], dtype=torch.bool),
            targets,
            len(problem.goal.objectives),
        )

    @cached_property
    def scores(self) -> Tensor:
        """``(n, m)``: what the proxy learns, larger = better; NaN where nothing was measured, see `Targets`."""
        return torch.tensor(self.targets.scores, dtype=torch.float32)

    @cached_property
    def reached(self) -> Tensor:
        """``(n, o)``: the scores of the objectives, in double precision; NaN where nothing was measured."""
        return torch.from_numpy(self.targets.scores[:, : self.objectives])

    @cached_property
    def worst(self) -> Tensor:
        """``(o,)``: the lowest score of each objective."""
        return torch.where(self.reached.isnan(), torch.inf, self.reached).amin(0)

    @cached_property
    def incumbents(self) -> tuple[Architecture, ...]:
        """The architectures, best first: feasible before infeasible, then by the sum of the objectives' scores."""
        # What is NaN comes last.
        order = np.lexsort((-self.targets.scores[:, : self.objectives].sum(1), ~self.feasible.numpy()))
        return tuple(self.architectures[i] for i in order)


class Candidates(NamedTuple):
    """Discrete architectures that a round has found, with what is expected of them.

    Attributes:
        architectures: ``b`` canonical forms, none of them seen before; their validity is still to be asked for.
        prediction: ``(b, m)`` of their scores.
        ranking: ``(k, b)`` positions of the architectures, best first, one row for each of ``k`` preferences among the
            objectives.
        spacing: How far apart those that are proposed together are to be, see `Seen`.
    """

    architectures: Sequence[Architecture]
    prediction: Prediction
    ranking: Tensor
    spacing: float = 0.0


@dataclass(frozen=True)
class Round:
    """One fit and one ascent, named by all that it depends on beside the finished trials themselves.

    Attributes:
        trials: Number of finished trials that it learns from.
        pending: Architectures that run meanwhile, and are not to be found again.
        proposals: For how many proposals it finds candidates.
    """

    trials: int
    pending: tuple[Architecture, ...]
    proposals: int
