"""A proxy at work in one search: what it learns of the space before any trial, and what from the finished trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Generator, Tensor

from optiproxy.optimizer.algorithm import Trial
from optiproxy.optimizer.records import History, Problem
from optiproxy.proxy import Encoder, Predictor, Proxy
from optiproxy.proxy.targets import Normalization
from optiproxy.spaces import Architecture

EXAMPLES = 256
"""Random architectures that an `InitialDesign` is shown."""


FEWEST = 100
"""Least number of graphs that a proxy is pretrained on, however large they are."""


@dataclass(frozen=True)
class Model:
    """The first step of the method by itself: trials become scores, and the proxy is fitted to them.

    Attributes:
        problem: The search.
        proxy: Predicts scores from graphs.
        normalization: Turns metrics into these scores.
    """

    problem: Problem
    proxy: Proxy
    normalization: Normalization

    @cached_property
    def examples(self) -> list[Architecture]:
        """Random architectures among which the first trials are chosen, always the same ones."""
        return self.problem.space.examples(np.random.default_rng([self.problem.seed, 0]), EXAMPLES)

    @cached_property
    def encoder(self) -> Encoder:
        """What the proxy has learned of the space before any trial; it is pretrained when this is first asked for."""
        # The same in every search of the space, whatever its seed, so that it can be kept.
        number = min(self.proxy.unlabelled, max(4 * self.problem.room, FEWEST))
        unlabelled = self.problem.space.examples(np.random.default_rng(0), number)
        return self.proxy.pretrain(self.problem.graphs(unlabelled), seed=0)

    def features(self, architectures: Sequence[Architecture]) -> Tensor:
        """``(b, q)`` points of the encoder."""
        encoder = self.encoder
        with torch.no_grad():
            return encoder(self.problem.graphs(architectures))

    def history(self, trials: Sequence[Trial]) -> History:
        """The trials with their scores, normalised by these trials alone."""
        targets = self.normalization(self.problem.goal, [trial.metrics for trial in trials])
        return History.of(trials, self.problem, targets)

    def fit(self, history: History, *, previous: Predictor | None = None, generator: Generator) -> Predictor:
        """Fit the proxy to all of them; the arguments are those of `Proxy.fit`."""
        graphs = self.problem.graphs(history.architectures)
        return self.proxy.fit(self.encoder, graphs, history.scores, previous=previous, generator=generator)
