"""The contract of a proxy: learn from graphs and their scores, predict scores with an uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import torch
from torch import Generator, Tensor

from optiproxy.graph import GraphBatch


@dataclass(frozen=True)
class Prediction:
    """What is believed of scores: of those that the architectures have, and of what a measurement of these would give.

    Attributes:
        mean: ``(b, m)`` expected scores.
        std: ``(b, m)`` their standard deviations: what is not known yet, and more trials could tell.
        noise: ``(b, m)`` standard deviations of a measurement from the score, which no number of trials could tell; None
            where there is none.
    """

    mean: Tensor
    std: Tensor
    noise: Tensor | None = None

    @property
    def measured(self) -> Tensor:
        """``(b, m)`` standard deviations of a measurement, noise included."""
        return self.std if self.noise is None else torch.hypot(self.std, self.noise)

    @classmethod
    def joined(cls, parts: Sequence[Prediction]) -> Prediction:
        """The predictions of several parts by one predictor, one after the other."""
        noises = [part.noise for part in parts if part.noise is not None]
        return cls(
            torch.cat([part.mean for part in parts]),
            torch.cat([part.std for part in parts]),
            torch.cat(noises) if noises else None,
        )


Encoder: TypeAlias = Callable[[GraphBatch], Tensor]
"""Graphs -> ``(b, q)`` points whose distances say how different the graphs are; known before any trial, differentiable."""


class Predictor(Protocol):
    """What a fit returns: a function of graphs that never changes."""

    def __call__(self, graphs: GraphBatch) -> Prediction:
        """Predict; differentiable in the weights of the graphs, so that relaxed architectures can climb.

        Called with relaxed graphs in every step of the ascent, and with discrete ones to rank candidates.
        """
        ...


@runtime_checkable
class Conditional(Protocol):
    """A predictor that can tell what is still uncertain once trainings that run will have finished; not every one can."""

    def given(self, graphs: GraphBatch) -> Predictor:
        """The predictor that this one becomes if these graphs turn out as it expects: the same means, more certainty near them.

        Called with the discrete graphs of what is pending.
        """
        ...


class Proxy(Protocol):
    """A differentiable stand-in for the trainings: settings alone, so that nothing half-fitted exists.

    Attributes:
        unlabelled: Number of random graphs that `pretrain` is to be given, at least one.
    """

    @property
    def unlabelled(self) -> int: ...

    def pretrain(self, graphs: GraphBatch, *, seed: int) -> Encoder:
        """Learn what the space is like, before any query is spent.

        Called once per search, when the first proposal needs it. The result is a function of the arguments.

        Args:
            graphs: ``(unlabelled, ...)`` discrete graphs, drawn at random from the space.
            seed: Names the stream of random numbers.
        """
        ...

    def fit(
        self, encoder: Encoder, graphs: GraphBatch, scores: Tensor, *, previous: Predictor | None, generator: Generator
    ) -> Predictor:
        """Learn from the finished trials; called in each round, with a history that has grown at its end.

        Args:
            encoder: What `pretrain` has returned.
            graphs: ``(n, ...)`` discrete graphs of the trials.
            scores: ``(n, m)``, larger = better; NaN where a training failed, which a last column then says of all trials
                (`optiproxy.proxy.targets.Targets`). Every column has a number somewhere.
            previous: The predictor of the round before, for a proxy that is kept warm; None in the first round. It must
                not be changed.
            generator: Draws whatever the fit draws.
        """
        ...
