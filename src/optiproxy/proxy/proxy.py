"""The optimization proxy: graphs in, predicted metrics out, differentiable all the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, final

import torch
from torch import Tensor

from optiproxy.graph import GraphBatch
from optiproxy.proxy.ensemble import CHUNK, EnsembleConfig
from optiproxy.proxy.pretraining import PretrainingConfig, pretrain
from optiproxy.proxy.regression import Prediction, Regression, RegressionConfig, typical_distance

TYPICAL = 500
"""As many random graphs say where the middle of the feature space is and how far apart two graphs are."""


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
    """A `Proxy`: ensemble features, pretrained on structure, and operation counts, under a regression in closed form.

    Args:
        unlabelled: Discrete graphs drawn from the space, for pretraining and for the scale of the feature space.
        config: Its parts.
        seed: Names the stream of random numbers.
    """

    def __init__(self, unlabelled: GraphBatch, config: ProxyConfig, *, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self._config = config
        self._ensemble = pretrain(unlabelled, ensemble=config.ensemble, config=config.pretraining, generator=generator)
        some = unlabelled.split(TYPICAL)[0]
        parts = self._learned(some), _counts(some)
        self._centers = [part.mean(0) for part in parts]
        # Both parts have an equal share in the squared distance of two graphs, which is typically 1.
        self._scales = [typical_distance(part) * 2**0.5 for part in parts]
        self._regression: Regression | None = None

    def fit(self, graphs: GraphBatch, targets: Tensor) -> None:
        self._regression = Regression.fit(self.features(graphs), targets, self._config.regression)

    def __call__(self, graphs: GraphBatch) -> Prediction:
        assert self._regression is not None
        return self._regression(self.features(graphs))

    def features(self, graphs: GraphBatch) -> Tensor:
        """All members' features and the counts of operations side by side, around 0 and at typical distances of 1."""
        parts = zip((self._learned(graphs), _counts(graphs)), self._centers, self._scales, strict=True)
        return torch.cat([(part - center) / scale for part, center, scale in parts], 1)

    def _learned(self, graphs: GraphBatch) -> Tensor:
        return torch.cat([self._ensemble(part).transpose(0, 1).flatten(1) for part in graphs.split(CHUNK)])


def _counts(graphs: GraphBatch) -> Tensor:
    """``(b, f)`` how often each operation occurs, dead or alive: what costs on a device depend on most."""
    return graphs.operations.sum(1)
