"""CatCMA with margin on categorical variables alone, from the package cmaes, with its default settings.

Hamano, Saito, Nomura, Uchida and Shirakawa, arXiv 2504.07884. Trials are told in generations of the default size, in
the order in which they finished, whoever proposed them; those of an unfinished generation wait. A suggestion is a draw
from the search distribution, and up to 50 are asked for something new.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
from cmaes import CatCMAwM

ASKS = 50


def suggest(question: SimpleNamespace) -> Iterator[list[int]]:
    """Draw from the distribution that the generations so far lead to."""
    optimizer = CatCMAwM(c_space=question.counts, seed=question.seed)
    size = optimizer.population_size
    one_hot = np.eye(max(question.counts), dtype=bool)
    told = [
        (CatCMAwM.Solution(c=one_hot[chosen]), loss)
        for chosen, loss in zip(question.trials, question.loss, strict=True)
    ]
    # Whole generations only: the ranks within one are what the distribution is updated by.
    for start in range(0, len(told) - size + 1, size):
        optimizer.tell(told[start : start + size])
    # The generations so far depend on the seed of the search, the draws from them on the proposal.
    optimizer.reseed_rng(question.step)
    for _ in range(ASKS):
        yield optimizer.ask().c.argmax(axis=1).tolist()
