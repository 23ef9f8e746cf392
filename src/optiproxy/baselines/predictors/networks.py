"""Perceptrons and the training loop that the neural predictors among the baselines share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from optiproxy.proxy.adam import Adam
from optiproxy.spaces import GraphBatch

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a predictor is fitted: Adam, with a rate that falls to 0 along a cosine (Loshchilov and Hutter, ICLR 2017).

    Attributes:
        epochs: Passes over the trials.
        batch: Trials per step.
        learning_rate: At the first step.
        weight_decay: Decoupled, relative to the learning rate.
    """

    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float = 0.0


def torch_stream(rng: np.random.Generator) -> torch.Generator:
    """A generator for torch, seeded by the next number of a numpy stream."""
    return torch.Generator().manual_seed(int(rng.integers(2**62)))


def train(
    network: nn.Module, loss: Callable[[Tensor], Tensor], n: int, *, training: Training, generator: torch.Generator
) -> None:
    """Fit a network in place.

    Args:
        network: Its parameters are moved.
        loss: Positions of trials ``(b,)`` -> a scalar.
        n: Number of trials.
        training: Length and rate.
        generator: Shuffles.
    """
    adam = Adam(list(network.parameters()), weight_decay=training.weight_decay)
    for epoch in range(training.epochs):
        rate = training.learning_rate * (0.5 + 0.5 * math.cos(math.pi * epoch / training.epochs))
        for rows in torch.randperm(n, generator=generator).split(training.batch):
            adam.step([loss(rows)], learning_rate=rate)


def weight(*shape: int, generator: torch.Generator) -> nn.Parameter:
    """Uniform with a variance of one over the number of inputs, the last axis but one (LeCun et al. 1998)."""
    # A uniform distribution within +-r has the variance r^2 / 3.
    bound = math.sqrt(3 / shape[-2])
    return nn.Parameter((2 * torch.rand(shape, generator=generator) - 1) * bound)


def dropout(state: Tensor, rate: float, generator: torch.Generator | None) -> Tensor:
    """Zero a share of the entries while training; without a generator, which means in prediction, none."""
    if generator is None:
        return state
    # Divided by the share that is kept, so that the mean is the same in training and in prediction.
    return state * (torch.rand(state.shape, generator=generator) >= rate) / (1 - rate)


def take(graphs: GraphBatch, rows: Tensor) -> GraphBatch:
    """The graphs at these positions."""
    return GraphBatch(graphs.operations[rows], graphs.adjacency[rows], graphs.inputs, graphs.outputs)


class Perceptron(nn.Module):
    """``e`` multi-layer perceptrons of the same sizes and weights of their own, with rectified hidden units.

    Args:
        sizes: Units of each layer, inputs and outputs included.
        members: ``e``.
        generator: Draws the initial weights.
    """

    def __init__(self, sizes: Sequence[int], *, members: int = 1, generator: torch.Generator) -> None:
        super().__init__()
        pairs = list(pairwise(sizes))
        self.weights = nn.ParameterList([weight(members, i, o, generator=generator) for i, o in pairs])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(members, 1, o)) for _, o in pairs])

    def forward(self, inputs: Tensor) -> Tensor:
        """``(b, inputs)``, the same for all members -> ``(e, b, outputs)``."""
        state = inputs.expand(len(self.weights[0]), *inputs.shape)
        # One batched product serves all members: ten small networks cost hardly more than one.
        for i, (matrix, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            state = torch.baddbmm(bias, state if i == 0 else torch.relu(state), matrix)
        return state
