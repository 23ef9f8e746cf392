"""Where the ascents begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Generator, Tensor

from optiproxy.optimizer.parts import History, Problem


@final
@dataclass(frozen=True, kw_only=True)
class NearIncumbents:
    """`Starts` of which half are near the best trials and half are anywhere.

    Attributes:
        count: Number of ascents, ``k``.
        pull: Added to the parameters of an incumbent's choices, in standard deviations of the noise.
    """

    count: int = 16
    pull: float = 2.0

    def __call__(
        self,
        problem: Problem,
        history: History,
        *,
        previous: Tensor | None,  # noqa: ARG002 - each round begins anew
        generator: Generator,
    ) -> Tensor:
        half = self.count // 2
        parameters = torch.randn(self.count, *problem.mask.shape, generator=generator)
        incumbents = [history.incumbents[i % len(history.incumbents)] for i in range(half)]
        parameters[:half] += self.pull * problem.space.one_hot(incumbents)
        return parameters


@final
@dataclass(frozen=True, kw_only=True)
class LatinHypercube:
    """The paper's `Starts`: a Latin hypercube at first (McKay, Beckman and Conover 1979); later the ascents go on.

    Attributes:
        count: Number of parallel sets of architecture parameters, ``k``.
    """

    count: int = 10

    def __call__(
        self,
        problem: Problem,
        history: History,  # noqa: ARG002 - parameters persist whatever was found
        *,
        previous: Tensor | None,
        generator: Generator,  # noqa: ARG002 - the hypercube is the same for all rounds
    ) -> Tensor:
        if previous is not None:
            return previous
        rng = np.random.default_rng([problem.seed, 0, 2])
        # Each coordinate meets every one of k equal quantiles of the standard normal distribution once.
        strata = rng.permuted(np.tile(np.arange(self.count), (problem.mask.numel(), 1)), axis=1).T
        quantiles = torch.from_numpy((strata + rng.uniform(size=strata.shape)) / self.count)
        return torch.special.ndtri(quantiles).float().reshape(self.count, *problem.mask.shape)
