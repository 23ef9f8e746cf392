"""What a round chooses from: mutants of good trials, or random architectures; and how candidates are ranked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, zip_longest

import numpy as np

from optiproxy.baselines.scalarization import Array
from optiproxy.optimizer.seen import Seen
from optiproxy.spaces import Architecture, Space

WHOLE = 25_000
"""Largest `Space.size` that is ranked as a whole where a method ranks all of its space."""


def mutants(
    space: Space, parents: Sequence[Architecture], n: int, *, seen: Seen, rng: np.random.Generator
) -> list[Architecture]:
    """Up to ``n`` new neighbors of the parents in canonical form, no two isomorphic; not checked for validity.

    The parents take turns, each giving its neighbors in random order, so that all have about as many children. Where the
    neighbors run out, those of the children follow.
    """
    found = seen.unseen(_children(space, parents, rng))
    generation = found
    while generation and len(found) < n:
        # At most n parents, because the children of all of them would be many more than are wanted.
        generation = seen.union(found).unseen(_children(space, generation[:n], rng))
        found = [*found, *generation]
    return found[:n]


def pool(space: Space, n: int, *, seen: Seen, rng: np.random.Generator) -> list[Architecture]:
    """Every new architecture of a space of at most `WHOLE` combinations, else the new ones among ``n`` random ones.

    In canonical form, no two isomorphic; limits that are expensive to check are not checked yet.
    """
    members = space.everything() if space.size <= WHOLE else space.examples(rng, n)
    return seen.unseen(map(space.canonical, members))


def best_first(
    candidates: Sequence[Architecture], acquisition: Callable[[Sequence[Architecture]], Array]
) -> list[Architecture]:
    """The ``b`` candidates by falling acquisition function, which gives ``(b,)`` values; equal ones keep their order."""
    if not candidates:
        return []
    return [candidates[i] for i in np.argsort(-acquisition(candidates), kind="stable")]


def _children(space: Space, parents: Sequence[Architecture], rng: np.random.Generator) -> list[Architecture]:
    broods = [space.neighbours(parent) for parent in parents]
    shuffled = [[brood[i] for i in rng.permutation(len(brood))] for brood in broods]
    # One child of each parent after the other; a parent with few neighbors has None where its turn comes.
    turns = chain.from_iterable(zip_longest(*shuffled))
    return [space.canonical(child) for child in turns if child is not None]
