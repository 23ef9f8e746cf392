"""Where the search begins, and where each ascent does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Generator, Tensor

from optiproxy.optimizer.records import History, Problem
from optiproxy.optimizer.seen import Seen
from optiproxy.spaces import Architecture


@final
@dataclass(frozen=True, kw_only=True)
class MaximinDesign:
    """An `InitialDesign`: a typical one, then each as far as possible from all others (Johnson, Moore and Ylvisaker 1990).

    Distances are those of the untrained proxy's features. Opposite architectures say more about a trend than two that
    may be alike by chance; what lies between them is where most good ones are.

    Attributes:
        size: Number of first trials.
        candidates: Number of random architectures among which they are chosen.
    """

    size: int = 3
    candidates: int = 64

    def __call__(
        self,
        n: int,
        *,
        problem: Problem,
        examples: Sequence[Architecture],
        features: Callable[[Sequence[Architecture]], Tensor],
        taken: Sequence[Architecture],
    ) -> list[Architecture]:
        candidates = [problem.space.canonical(example) for example in examples[: self.candidates]]
        points = features(candidates)
        reached = features(taken) if taken else points[:0]
        seen = Seen(problem.space, taken)
        chosen: list[Architecture] = []
        while len(chosen) < n:
            # The very first is the medoid: the one from which all others are least far on average.
            distances = torch.cdist(points, reached).amin(1) if len(reached) else -torch.cdist(points, points).mean(1)
            ranked = distances.argsort(descending=True).tolist()
            unseen = (i for i in ranked if candidates[i] not in seen)
            best = next((i for i in unseen if problem.space.is_valid(candidates[i])), None)
            if best is None:
                break
            chosen.append(candidates[best])
            seen.add(candidates[best])
            reached = torch.cat([reached, points[best : best + 1]])
        return chosen


@final
@dataclass(frozen=True, kw_only=True)
class RandomDesign:
    """An `InitialDesign` that leaves the first trials to chance, as the paper does.

    Attributes:
        size: Number of first trials.
    """

    size: int = 10

    def __call__(
        self,
        n: int,  # noqa: ARG002 - the arguments of `InitialDesign`
        *,
        problem: Problem,  # noqa: ARG002
        examples: Sequence[Architecture],  # noqa: ARG002
        features: Callable[[Sequence[Architecture]], Tensor],  # noqa: ARG002
        taken: Sequence[Architecture],  # noqa: ARG002
    ) -> list[Architecture]:
        return []


@final
@dataclass(frozen=True, kw_only=True)
class NearIncumbents:
    """`Starts` of which half are near the best trials and half are anywhere.

    Attributes:
        count: Number of ascents, ``k``.
        pull: Added to the parameters of an incumbent's choices, in standard deviations of the noise; as much less noise on a
            scale.
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
        half, layout = self.count // 2, problem.layout
        parameters = torch.randn(self.count, *layout.mask.shape, generator=generator)
        incumbents = [history.incumbents[i % len(history.incumbents)] for i in range(half)]
        # On a scale, near is a good deal less than anywhere.
        parameters[:half] *= torch.where(layout.points[:, None], 1 / self.pull, 1.0)
        parameters[:half] += layout.parameters(problem.space.one_hot(incumbents), self.pull)
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
        strata = rng.permuted(np.tile(np.arange(self.count), (problem.layout.mask.numel(), 1)), axis=1).T
        quantiles = torch.from_numpy((strata + rng.uniform(size=strata.shape)) / self.count)
        return torch.special.ndtri(quantiles).float().reshape(self.count, *problem.layout.mask.shape)
