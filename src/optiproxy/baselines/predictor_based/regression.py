"""The regressions that several baselines share: a graph network under a perceptron, and a Bayesian linear one.

The network is fitted by gradient descent and learns its features. `BayesianLinear` has a closed form with the uncertainty
that a network lacks, and takes its features from elsewhere: from such a network, or from a kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from optiproxy.baselines.baseline import Array, standardized
from optiproxy.proxy.networks import Perceptron, Training, take, train
from optiproxy.spaces import GraphBatch

CHUNK = 512
"""Graphs predicted at once."""


class GraphPredictor(nn.Module):
    """An encoder of graphs under a perceptron.

    Args:
        encoder: Called with graphs and a generator, which draws dropout, or None; gives ``(b, h)``.
        head: One member, ``h`` inputs -> ``m`` outputs.
    """

    def __init__(self, encoder: nn.Module, head: Perceptron) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, graphs: GraphBatch, generator: torch.Generator | None = None) -> Tensor:
        """Return ``(b, m)``; with a generator, which draws dropout, while training."""
        # A perceptron may hold an ensemble; this head has one member.
        outputs: Tensor = self.head(self.encoder(graphs, generator))
        return outputs[0]


def fitted_by_squares(
    encoder: nn.Module,
    graphs: GraphBatch,
    utilities: Array,
    *,
    sizes: Sequence[int],
    training: Training,
    generator: torch.Generator,
) -> Callable[[GraphBatch], Array]:
    """Fit a new graph network, with dropout, to standardized utilities by the mean squared error.

    New in each round: a network that depended on earlier rounds could not be had again from the trials alone.

    Args:
        encoder: Untrained, see `GraphPredictor`; fitted in place.
        graphs: ``n`` discrete graphs of the trials.
        utilities: ``(n,)``, larger = better. Objectives come in any unit; the published rates suit targets about 1.
        sizes: Units of the perceptron on top, from ``h`` to 1.
        training: Length and rate of the training.
        generator: Draws the head's weights, batches and dropout, in this order.

    Returns:
        ``b`` graphs -> ``(b,)`` predictions.
    """
    network = GraphPredictor(encoder, Perceptron(sizes, generator=generator))
    targets = torch.from_numpy(standardized(utilities)).float()

    def loss(rows: Tensor) -> Tensor:
        return (network(take(graphs, rows), generator)[:, 0] - targets[rows]).square().mean()

    train(network, loss, len(graphs), training=training, generator=generator)
    return lambda unseen: in_parts(network, unseen)[:, 0]


def in_parts(function: Callable[[GraphBatch], Tensor], graphs: GraphBatch) -> Array:
    """Return what a network gives for ``b`` graphs, without gradients.

    A whole space may be asked for at once; `CHUNK` graphs at a time take little memory.
    """
    with torch.no_grad():
        return torch.cat([function(part) for part in graphs.split(CHUNK)]).double().numpy()


@dataclass(frozen=True)
class BayesianLinear:
    """``y = <w, x> + noise`` with a normal prior of the weights ``w``.

    Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), chapter 2. All is done in the space of
    the ``n`` trials, where ``K = X X'`` is the covariance of the function values, because features may be many more.

    Attributes:
        features: ``(n, q)`` of the trials.
        weights: ``(n,)`` of each trial's covariance in the posterior mean.
        whitening: ``(n, n)`` inverse Cholesky factor of the covariance of the targets.
        scale: Prior variance of the weights.
        evidence: Log marginal likelihood of the targets, up to a constant.
    """

    features: Array
    weights: Array
    whitening: Array
    scale: float
    evidence: float

    @classmethod
    def fit(
        cls, features: Array, targets: Array, *, noises: Sequence[float] = (1e-3, 1e-2, 1e-1, 1.0)
    ) -> BayesianLinear:
        """Choose noise and prior variance by marginal likelihood.

        Args:
            features: ``(n, q)`` of length about 1.
            targets: ``(n,)`` around 0.
            noises: Variances of the observations that are tried, relative to that of the weights. The prior variance then
                is the likeliest one in closed form.
        """
        n = len(features)
        covariance = features @ features.T
        fits: list[BayesianLinear] = []
        for noise in noises:
            # With K + noise I = L L', whitening is the inverse of L (algorithm 2.1).
            factor = np.linalg.cholesky(covariance + noise * np.eye(n))
            whitening: Array = np.linalg.inv(factor).astype(np.float64)
            residuals = whitening @ targets
            # Both variances scale together, and the likelihood is largest where the scale is the mean square below.
            scale = max(float(residuals @ residuals) / n, 1e-12)
            # eq. 2.30; at that scale its quadratic form is the constant n / 2.
            evidence = -0.5 * n * np.log(scale) - float(np.log(factor.diagonal()).sum())
            fits.append(cls(features, whitening.T @ residuals, whitening, scale, float(evidence)))
        return max(fits, key=lambda fit: fit.evidence)

    def __call__(self, features: Array) -> tuple[Array, Array]:
        """Return posterior mean and standard deviation ``(b,)`` of the function, without noise, at ``(b, q)``."""
        covariance = features @ self.features.T
        # eq. 2.26: prior variance less what the trials explain; rounding must not make it negative.
        explained = np.square(covariance @ self.whitening.T).sum(1)
        variance = self.scale * np.maximum(np.square(features).sum(1) - explained, 1e-9)
        # eq. 2.25
        return covariance @ self.weights, np.sqrt(variance)
