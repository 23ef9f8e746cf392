"""The optimization proxy: graphs in, predicted metrics out, differentiable all the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, final

import torch
from torch import Tensor

from optiproxy.proxy.ensemble import EnsembleConfig
from optiproxy.proxy.pretraining import PretrainingConfig, pretrain
from optiproxy.proxy.regression import Prediction, Regression, RegressionConfig, typical_distance
from optiproxy.spaces.graph import GraphBatch

CHUNK = 64
"""Graphs embedded at once where many are: keeps the memory of a search at a few MB."""


class Proxy(Protocol):
    """A differentiable stand-in for the trainings."""

    def features(self, graphs: GraphBatch) -> Tensor:
        """``(b, q)`` points whose distances say how different the graphs are; known before any trial."""
        ...

    def fit(self, graphs: GraphBatch, targets: Tensor) -> None:
        """Replace what was learned from earlier trials by these: ``targets (n, m)`` of ``n`` discrete graphs.

        Called again and again with a growing history; the result is a function of the arguments alone.
        """
        ...

    def __call__(self, graphs: GraphBatch) -> Prediction:
        """Mean and spread of each metric, ``(b, m)``, differentiable in the graphs' weights. Called after `fit`."""
        ...


@dataclass(frozen=True, kw_only=True)
class ProxyConfig:
    """The parts of `StructuralProxy`."""

    ensemble: EnsembleConfig = field(default_factory=EnsembleConfig)
    pretraining: PretrainingConfig = field(default_factory=PretrainingConfig)
    regression: RegressionConfig = field(default_factory=RegressionConfig)


@final
class StructuralProxy:
    """A `Proxy`: ensemble features, pretrained on structure, under a regression in closed form.

    Args:
        unlabelled: Discrete graphs drawn from the space, for pretraining and for the scale of the feature space.
        config: Its parts.
        seed: Names the stream of random numbers.
    """

    def __init__(self, unlabelled: GraphBatch, config: ProxyConfig, *, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self._config = config
        self._ensemble = pretrain(unlabelled, ensemble=config.ensemble, config=config.pretraining, generator=generator)
        self._center = torch.zeros(())
        self._scale = 1.0
        features = self.features(unlabelled)
        self._center = features.mean(0)
        self._scale = typical_distance(features[:500])
        self._regression: Regression | None = None

    def fit(self, graphs: GraphBatch, targets: Tensor) -> None:
        self._regression = Regression.fit(self.features(graphs), targets, self._config.regression)

    def __call__(self, graphs: GraphBatch) -> Prediction:
        assert self._regression is not None
        return self._regression(self.features(graphs))

    def features(self, graphs: GraphBatch) -> Tensor:
        """All members' features side by side, around 0 and at typical distances of 1."""
        parts = [self._ensemble(part).transpose(0, 1).flatten(1) for part in graphs.split(CHUNK)]
        return (torch.cat(parts) - self._center) / self._scale
