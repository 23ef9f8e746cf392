"""The default proxy: what the graph says, what the decisions say, and a regression that learns how much each counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import final

import torch
from torch import Generator, Tensor

from optiproxy.graph import GraphBatch
from optiproxy.proxy.contract import Encoder, Prediction, Predictor
from optiproxy.proxy.encoder import CHUNK, EnsembleConfig, GraphEnsemble, PretrainingConfig, pretrain
from optiproxy.proxy.likelihood import LogNormal, RegressionConfig
from optiproxy.proxy.regression import Regression, typical_distance

TYPICAL = 500
"""Number of random graphs from which the centre and the scale of the feature space are estimated."""

FAILURES = RegressionConfig(trend=LogNormal(median=0.1, spread=1.0), noise=LogNormal(median=0.1, spread=0.5), least=1.0)
"""Of which trainings fail: some do by chance, and the rule of the others is seldom linear.

That no failure was seen for long does not make one impossible, so the variance stays that of the two outcomes, 1 and -1."""


@dataclass(frozen=True, kw_only=True)
class Shares:
    """What share each part of the features has in the typical squared distance of two graphs, before any trial.

    Attributes:
        learned: Of the features that were pretrained on structure.
        counts: Of how often each operation occurs, which costs on a device depend on most.
        decisions: Of all plain decisions together; where graphs are not `structured`, nothing else says anything, and it is 1.
    """

    learned: float = 0.5
    counts: float = 0.5
    decisions: float = 0.3


@final
@dataclass(frozen=True, kw_only=True)
class StructuralProxy:
    """A `Proxy`: three kinds of features, under a Gaussian process that learns from the trials how relevant each is.

    The features are those of an ensemble that was pretrained on structure, the counts of the operations, and the
    decisions themselves; of these each one is relevant by itself. The fit is in closed form and starts from the
    pretrained features each time, so that nothing but the trials is ever carried from round to round.

    Attributes:
        ensemble: Sizes of the graph networks.
        pretraining: How they learn the structural properties of unlabelled graphs.
        shares: Of the three kinds, before any trial.
        regression: The Gaussian process on the features.
        failures: The same of which trainings fail.
        unlabelled: Number of those graphs.
    """

    ensemble: EnsembleConfig = field(default_factory=EnsembleConfig)
    pretraining: PretrainingConfig = field(default_factory=PretrainingConfig)
    shares: Shares = field(default_factory=Shares)
    regression: RegressionConfig = field(default_factory=RegressionConfig)
    failures: RegressionConfig = FAILURES
    unlabelled: int = 1500

    def pretrain(self, graphs: GraphBatch, *, seed: int) -> StructuralEncoder:
        typical = graphs.split(TYPICAL)[0]
        if graphs.decisions is not None and not structured(graphs):
            return StructuralEncoder(None, typical, Shares(learned=0.0, counts=0.0, decisions=1.0))
        ensemble = pretrain(graphs, ensemble=self.ensemble, config=self.pretraining, seed=seed)
        return StructuralEncoder(ensemble, typical, self.shares)

    def fit(
        self,
        encoder: Encoder,
        graphs: GraphBatch,
        scores: Tensor,
        *,
        previous: Predictor | None = None,  # noqa: ARG002 - a closed form needs no warm start
        generator: Generator | None = None,  # noqa: ARG002 - nor random numbers
    ) -> EncodedRegression:
        with torch.no_grad():
            features = encoder(graphs)
        # What another encoder makes is relevant as a whole.
        groups = encoder.groups if isinstance(encoder, StructuralEncoder) else (0,) * features.shape[1]
        configs = [self.regression] * scores.shape[1]
        if scores.isnan().any():
            configs[-1] = self.failures
        return EncodedRegression(encoder, Regression.fit(features, groups, scores, configs))


@final
class StructuralEncoder:
    """An `Encoder`: all members' features, the counts of operations, and the decisions, side by side.

    Each part is centred, and scaled such that its share is its typical squared distance.

    Args:
        ensemble: Pretrained networks; None where graphs have no structure.
        typical: Random graphs of the space.
        shares: Of the parts; one with a share of 0 is left out.

    Attributes:
        groups: Which features are relevant together: the learned ones, the counts, and those of `GraphBatch.groups`.
    """

    def __init__(self, ensemble: GraphEnsemble | None, typical: GraphBatch, shares: Shares) -> None:
        self._parts: list[Callable[[GraphBatch], Tensor]] = []
        self.groups: tuple[int, ...] = ()
        if ensemble is not None:
            self._add(partial(learned_features, ensemble), typical, shares.learned)
            self._add(operation_counts, typical, shares.counts)
        if typical.decisions is not None:
            self._add(plain_decisions, typical, shares.decisions, typical.groups)

    def __call__(self, graphs: GraphBatch) -> Tensor:
        return torch.cat([part(graphs) for part in self._parts], 1)

    def _add(
        self,
        features: Callable[[GraphBatch], Tensor],
        typical: GraphBatch,
        share: float,
        groups: tuple[int, ...] | None = None,
    ) -> None:
        """Add features whose typical squared distance is to be ``share``, in one group or in these."""
        if share == 0.0:
            return
        found = features(typical)
        center, scale = found.mean(0), typical_distance(found) / share**0.5
        first = max(self.groups, default=-1) + 1
        self.groups += tuple(first + group for group in groups or (0,) * found.shape[1])
        self._parts.append(lambda graphs: (features(graphs) - center) / scale)


@final
@dataclass(frozen=True)
class EncodedRegression:
    """A `Predictor`: the regression of the encoder's features."""

    encoder: Encoder
    regression: Regression

    def __call__(self, graphs: GraphBatch) -> Prediction:
        return self.regression(self.encoder(graphs))

    def given(self, graphs: GraphBatch) -> EncodedRegression:
        """As `Conditional` says; a Gaussian process that is told its own mean keeps it."""
        with torch.no_grad():
            return EncodedRegression(self.encoder, self.regression.given(self.encoder(graphs)))


def structured(graphs: GraphBatch) -> bool:
    """Return whether there is anything to learn from graphs that their decisions do not say.

    There is where a feature occurs at two nodes, as an operation of a cell does. Otherwise a feature is a choice, and no
    more, and where decisions are conditional, the graph shows what `GraphBatch.decisions` show.
    """
    return bool(((graphs.operations > 0).any(0).sum(0) > 1).any())


def learned_features(ensemble: GraphEnsemble, graphs: GraphBatch) -> Tensor:
    """``(b, e 2h)`` of all members, in chunks so that a long list of candidates takes no more memory than a batch."""
    return torch.cat([ensemble(part).transpose(0, 1).flatten(1) for part in graphs.split(CHUNK)])


def operation_counts(graphs: GraphBatch) -> Tensor:
    """``(b, f)`` how often each operation occurs, dead or alive: what costs on a device depend on most."""
    return graphs.operations.sum(1)


def plain_decisions(graphs: GraphBatch) -> Tensor:
    """``(b, k)`` the decisions themselves, see `GraphBatch.decisions`."""
    assert graphs.decisions is not None  # an encoder that was made from such graphs sees no others
    return graphs.decisions
