"""What `OptiProxy` is a product of: one small contract for each part, and the records that the parts are handed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor

from optiproxy.graph import GraphBatch
from optiproxy.metrics import Goal
from optiproxy.optimizer.algorithm import Trial
from optiproxy.optimizer.seen import Seen
from optiproxy.proxy import Prediction, Targets
from optiproxy.spaces import Architecture, Space


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
        """``(n, m)``: what the proxy learns, larger = better."""
        return torch.tensor(self.targets.scores, dtype=torch.float32)

    @cached_property
    def reached(self) -> Tensor:
        """``(n, o)``: the scores of the objectives, in double precision."""
        return torch.from_numpy(self.targets.scores[:, : self.objectives])

    @cached_property
    def incumbents(self) -> tuple[Architecture, ...]:
        """The architectures, best first: feasible before infeasible, then by the sum of the objectives' scores."""
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


Score: TypeAlias = Callable[[Sequence[Architecture]], tuple[Prediction, Tensor]]
"""Discrete architectures -> prediction ``(b, m)`` and acquisition values ``(k, b)``; takes no gradient."""


class InitialDesign(Protocol):
    """Chooses the first trials, for which no proxy can be fitted yet.

    Attributes:
        size: Number of architectures, finished or running, from which on the proxy takes over.
    """

    @property
    def size(self) -> int: ...

    def __call__(
        self,
        n: int,
        *,
        problem: Problem,
        examples: Sequence[Architecture],
        features: Callable[[Sequence[Architecture]], Tensor],
        taken: Sequence[Architecture],
    ) -> list[Architecture]:
        """Called by each proposal while fewer than `size` architectures are known.

        Args:
            n: How many are wanted.
            problem: The search.
            examples: Random architectures of the space, always the same ones; some may break expensive limits.
            features: Architectures -> ``(b, q)`` points of the proxy's encoder, which is pretrained at the first call.
            taken: Finished and running architectures.

        Returns:
            Valid, unseen architectures; random ones follow where they are fewer than ``n``, so none will do.
        """
        ...


class Starts(Protocol):
    """Chooses where the ascents begin."""

    def __call__(self, problem: Problem, history: History, *, previous: Tensor | None, generator: Generator) -> Tensor:
        """``(k, d, c)`` architecture parameters; called once in each round.

        Args:
            problem: The search.
            history: The finished trials.
            previous: Where the ascents of the round before have ended, for parameters that persist; None at first.
            generator: Draws.
        """
        ...


class Relaxation(Protocol):
    """The continuous relaxation of the choices."""

    def __call__(self, parameters: Tensor, mask: Tensor, *, progress: float, generator: Generator) -> Tensor:
        """Points ``(b, d, c)`` on the simplexes, differentiable in the parameters; called in each step.

        Numbers on a scale need no relaxation: see `Layout.join`.

        Args:
            parameters: ``(b, d, c)`` architecture parameters, unbounded.
            mask: ``(d, c)``, True where the decision has that choice.
            progress: 0 at the first step of an ascent, 1 at the last.
            generator: Draws noise.
        """
        ...


class Climb(Protocol):
    """An ascent: moves architecture parameters to where the acquisition function is large."""

    def __call__(
        self, starts: Tensor, layout: Layout, value: Callable[[Tensor], Tensor], generator: Generator
    ) -> Tensor:
        """The final parameters ``(b, d, c)``; called once in each round.

        Args:
            starts: ``(b, d, c)`` initial parameters.
            layout: Which numbers a relaxed architecture consists of.
            value: Relaxed architectures ``(b, d, c)`` -> ``(b,)``, differentiable; the rows are independent.
            generator: Draws the noise of the relaxation.
        """
        ...


class Acquisition(Protocol):
    """Says what an architecture is worth trying, from what is predicted of it."""

    def __call__(self, prediction: Prediction, preferences: Tensor) -> Tensor:
        """``(b,)``, larger = better, differentiable: what the ascent climbs.

        Args:
            prediction: ``(b, m)``: objectives first, then limits; a limit is kept from score 0 on.
            preferences: ``(b, o)`` weights of the objectives, each row on the simplex.
        """
        ...

    def rank(self, prediction: Prediction, preferences: Tensor, history: History, goal: Goal) -> Tensor:
        """``(k, b)``, larger = better: orders discrete candidates, for each of ``k`` preferences ``(k, o)``.

        Called without gradient. It may compare with the history, which an ascent cannot where that has no slope.
        """
        ...


class Selection(Protocol):
    """Turns the relaxed architectures at the end of the ascents into discrete candidates."""

    def __call__(
        self, peaks: Tensor, *, problem: Problem, history: History, seen: Seen, score: Score, generator: Generator
    ) -> Candidates | None:
        """Called once in each round; None where it finds nothing new.

        Args:
            peaks: ``(k, d, c)`` ascended architecture parameters.
            problem: The search.
            history: The finished trials.
            seen: What is known already, and must not be among the candidates.
            score: Predicts and values discrete architectures.
            generator: Draws.
        """
        ...


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


class Schedule(Protocol):
    """Says when the proxy is fitted anew."""

    def rounds(self, trials: int, pending: Sequence[Architecture], n: int) -> Sequence[Round]:
        """The rounds on which the next proposals depend, the one that they come from last; none asks for random ones.

        Called by each proposal. Rounds that have been run already are not run again, and those that a search has
        missed, because it was interrupted, are.

        Args:
            trials: Number of finished trials.
            pending: Architectures that are running.
            n: Number of proposals that are wanted.
        """
        ...
