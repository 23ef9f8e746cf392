"""The default proxy: features that know the structure of a space, under a regression in closed form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import torch
from torch import Generator, Tensor

from optiproxy.graph import GraphBatch
from optiproxy.proxy.contract import Encoder, Prediction, Predictor
from optiproxy.proxy.encoder import CHUNK, EnsembleConfig, GraphEnsemble, PretrainingConfig, pretrain
from optiproxy.proxy.regression import Regression, RegressionConfig, typical_distance

TYPICAL = 500
"""Number of random graphs from which the centre and the scale of the feature space are estimated."""


@final
@dataclass(frozen=True, kw_only=True)
class StructuralProxy:
    """A `Proxy`: ensemble features, pretrained on structure, beside operation counts, under a Gaussian process.

    The fit is in closed form and starts from the pretrained features each time, so that nothing but the trials is ever
    carried from round to round.

    Attributes:
        ensemble: Sizes of the graph networks.
        pretraining: How they learn the structural properties of unlabelled graphs.
        regression: The Gaussian process on their features.
        unlabelled: Number of those graphs.
    """

    ensemble: EnsembleConfig = field(default_factory=EnsembleConfig)
    pretraining: PretrainingConfig = field(default_factory=PretrainingConfig)
    regression: RegressionConfig = field(default_factory=RegressionConfig)
    unlabelled: int = 1500

    def pretrain(self, graphs: GraphBatch, *, seed: int) -> StructuralEncoder:
        ensemble = pretrain(graphs, ensemble=self.ensemble, config=self.pretraining, seed=seed)
        return StructuralEncoder(ensemble, graphs.split(TYPICAL)[0])

    def fit(
        self,
        encoder: Encoder,
        graphs: GraphBatch,
        scores: Tensor,
        *,
        previous: Predictor | None = None,  # noqa: ARG002 - a closed form needs no warm start
        generator: Generator | None = None,  # noqa: ARG002 - nor random numbers
    ) -> EncodedRegression:
        return EncodedRegression(encoder, Regression.fit(encoder(graphs), scores, self.regression))


@final
class StructuralEncoder:
    """An `Encoder`: all members' features and the counts of operations side by side.

    Both parts are centred and scaled such that each has an equal share in the squared distance of two graphs, which is
    typically 1.

    Args:
        ensemble: Pretrained networks.
        typical: Random graphs of the space.
    """

    def __init__(self, ensemble: GraphEnsemble, typical: GraphBatch) -> None:
        self._ensemble = ensemble
        parts = self._learned(typical), operation_counts(typical)
        self._centers = [part.mean(0) for part in parts]
        self._scales = [typical_distance(part) * 2**0.5 for part in parts]

    def __call__(self, graphs: GraphBatch) -> Tensor:
        parts = zip((self._learned(graphs), operation_counts(graphs)), self._centers, self._scales, strict=True)
        return torch.cat([(part - center) / scale for part, center, scale in parts], 1)

    def _learned(self, graphs: GraphBatch) -> Tensor:
        """``(b, e 2h)``, in chunks so that a long list of candidates takes no more memory than a batch."""
        return torch.cat([self._ensemble(part).transpose(0, 1).flatten(1) for part in graphs.split(CHUNK)])


@final
@dataclass(frozen=True)
class EncodedRegression:
    """A `Predictor`: the regression of the encoder's features."""

    encoder: Encoder
    regression: Regression

    def __call__(self, graphs: GraphBatch) -> Prediction:
        return self.regression(self.encoder(graphs))


def operation_counts(graphs: GraphBatch) -> Tensor:
    """``(b, f)`` how often each operation occurs, dead or alive: what costs on a device depend on most."""
    return graphs.operations.sum(1)
