"""What `OptiProxy` is a product of: one small contract for each part. The records that parts are handed are in `records`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from torch import Generator, Tensor

from optiproxy.metrics import Goal
from optiproxy.optimizer.records import Candidates as Candidates
from optiproxy.optimizer.records import History as History
from optiproxy.optimizer.records import Layout as Layout
from optiproxy.optimizer.records import Problem as Problem
from optiproxy.optimizer.records import Round as Round
from optiproxy.optimizer.seen import Seen
from optiproxy.proxy import Prediction
from optiproxy.spaces import Architecture

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
