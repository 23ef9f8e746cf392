"""Candidates of evolutionary steps, and candidates at random."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from optiproxy.optimizer.seen import Seen
from optiproxy.spaces import Architecture, Space

if TYPE_CHECKING:
    import numpy as np

WHOLE = 25_000
"""Largest `Space.size` that is ranked as a whole where a method asks for all of its space."""


def mutate(space: Space, parent: Architecture, rng: np.random.Generator) -> Architecture:
    """A neighbour, all equally likely; the parent itself where it has none."""
    around = space.neighbours(parent)
    return around[rng.integers(len(around))] if around else parent


def mutants(
    space: Space, parents: Sequence[Architecture], n: int, *, known: Seen, rng: np.random.Generator
) -> list[Architecture]:
    """Up to ``n`` unknown neighbours of the parents in canonical form, no two isomorphic; not checked for validity.

    The parents take turns, each giving its neighbours in random order, so that all have about as many children. Where the
    neighbours run out, those of the children follow.
    """
    found = known.unseen(_children(space, parents, rng))
    fresh = found
    while fresh and len(found) < n:
        fresh = known.union(found).unseen(_children(space, fresh[:n], rng))
        found = [*found, *fresh]
    return found[:n]


def pool(space: Space, n: int, *, known: Seen, rng: np.random.Generator) -> list[Architecture]:
    """Every unknown architecture of a space of at most `WHOLE` combinations, else those among ``n`` random ones.

    In canonical form, no two isomorphic; limits that are expensive to check are not checked yet.
    """
    members = space.everything() if space.size <= WHOLE else space.examples(rng, n)
    return known.unseen(map(space.canonical, members))


def _children(space: Space, parents: Sequence[Architecture], rng: np.random.Generator) -> list[Architecture]:
    broods = [space.neighbours(parent) for parent in parents]
    shuffled = [[brood[i] for i in rng.permutation(len(brood))] for brood in broods]
    turns = chain.from_iterable(zip_longest(*shuffled))
    return [space.canonical(child) for child in turns if child is not None]
