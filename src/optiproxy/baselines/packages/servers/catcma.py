"""CatCMA with margin, from the package cmaes, with its default settings: continuous, ordered and categorical variables.

Hamano, Saito, Nomura, Uchida and Shirakawa, arXiv 2504.07884. Trials are told in generations of the default size, in
the order in which they finished, whoever proposed them; those of an unfinished generation wait. A suggestion is a draw
from the search distribution, and up to 50 are asked for something new. Numbers are told by their place on their scale; the
point of the normal distribution that a trial was drawn at is not kept, and its value stands for it.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
from cmaes import CatCMAwM

ASKS = 50


def suggest(question: SimpleNamespace) -> Iterator[list[float]]:
    """Draw from the distribution that the generations so far lead to."""
    counts, levels = question.counts, question.levels
    numbers = [d for d, count in enumerate(counts) if count is None]
    ordered = [d for d, places in enumerate(levels) if places is not None]
    categories = [d for d in range(len(counts)) if d not in (*numbers, *ordered)]
    optimizer = CatCMAwM(
        x_space=[[0.0, 1.0] for _ in numbers] or None,
        z_space=[levels[d] for d in ordered] or None,
        c_space=[counts[d] for d in categories] or None,
        seed=question.seed,
    )
    size = optimizer.population_size
    one_hot = np.eye(max((counts[d] for d in categories), default=0), dtype=bool)

    def solution(chosen: list[Any]) -> Any:  # noqa: ANN401 - of the package
        x = np.array([chosen[d] for d in numbers])
        z = np.array([levels[d][chosen[d]] for d in ordered])
        return CatCMAwM.Solution(x, z, one_hot[[chosen[d] for d in categories]], np.concatenate([x, z]))

    told = [(solution(chosen), loss) for chosen, loss in zip(question.trials, question.loss, strict=True)]
    # Whole generations only: the ranks within one are what the distribution is updated by.
    for start in range(0, len(told) - size + 1, size):
        optimizer.tell(told[start : start + size])
    # The generations so far depend on the seed of the search, the draws from them on the proposal.
    optimizer.reseed_rng(question.step)
    for _ in range(ASKS):
        asked = optimizer.ask()
        chosen: dict[int, float] = {}
        if numbers:
            chosen |= zip(numbers, asked.x.tolist(), strict=True)
        if ordered:
            chosen |= {d: levels[d].index(place) for d, place in zip(ordered, asked.z.tolist(), strict=True)}
        if categories:
            chosen |= zip(categories, asked.c.argmax(axis=1).tolist(), strict=True)
        yield [chosen[d] for d in range(len(counts))]
