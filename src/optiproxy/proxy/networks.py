"""What all neural predictors share, the published proxy and the baselines' own: Adam, the training loop, perceptrons."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from optiproxy.graph import GraphBatch

if TYPE_CHECKING:
    import numpy as np


class Adam:
    """Descends; one instance per minimisation.

    ``torch.optim`` brings the compiler along: 2.6 s and 70 MB, a quarter of a whole search's time on two cores.

    Args:
        parameters: Leaves that require a gradient.
        weight_decay: Decoupled (Loshchilov and Hutter, ICLR 2019), relative to the learning rate.
    """

    def __init__(self, parameters: Sequence[Tensor], *, weight_decay: float = 0.0) -> None:
        self._parameters = list(parameters)
        self._decay = weight_decay
        self._first = [torch.zeros_like(p) for p in self._parameters]
        self._second = [torch.zeros_like(p) for p in self._parameters]
        self._steps = 0

    def step(self, losses: Iterable[Tensor], *, learning_rate: float) -> None:
        """Move every parameter against the gradient of the sum of ``losses``.

        Each is differentiated before the next is asked for, so that only one at a time takes memory.
        """
        gradients = [torch.zeros_like(p) for p in self._parameters]
        for loss in losses:
            for total, part in zip(gradients, torch.autograd.grad(loss, self._parameters), strict=True):
                total.add_(part)
        self._steps += 1
        with torch.no_grad():
            # Algorithm 1 of Kingma and Ba, with beta_1 = 0.9, beta_2 = 0.999 and epsilon = 1e-8.
            rate = learning_rate / (1 - 0.9**self._steps)
            for p, gradient, first, second in zip(self._parameters, gradients, self._first, self._second, strict=True):
                first.lerp_(gradient, 0.1)
                second.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
                # Decoupled weight decay: algorithm 2 of Loshchilov and Hutter.
                p.mul_(1 - learning_rate * self._decay)
                p.addcdiv_(first, (second / (1 - 0.999**self._steps)).sqrt_().add_(1e-8), value=-rate)


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
    """A generator for torch, seeded by the next number of a stream."""
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
    bound = math.sqrt(3 / shape[-2])
    return nn.Parameter((2 * torch.rand(shape, generator=generator) - 1) * bound)


def dropout(state: Tensor, rate: float, generator: torch.Generator | None) -> Tensor:
    """Zero a share of the entries while training; without a generator, which means in prediction, none."""
    if generator is None:
        return state
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
        for i, (matrix, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            state = torch.baddbmm(bias, state if i == 0 else torch.relu(state), matrix)
        return state
