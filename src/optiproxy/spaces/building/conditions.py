"""When a part of an architecture is there, and which parts then follow each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

When: TypeAlias = Mapping[int, frozenset[int]]
"""Decision -> the choices that admit a part; it is there where all of them do. Decisions left out do not matter."""


@dataclass(frozen=True)
class Link:
    """Data flows straight from one part to another: both are there, and nothing between.

    Attributes:
        source: Position of a part.
        target: Position of a later one.
        when: Has to hold.
        unless: None of these may hold.
    """

    source: int
    target: int
    when: When
    unless: tuple[When, ...] = ()


def holds(when: When, architecture: Sequence[int]) -> bool:
    """Whether an architecture has the part."""
    return all(architecture[decision] in choices for decision, choices in when.items())


def both(a: When, b: When) -> When | None:
    """The condition that both hold; None where that cannot be."""
    met = {**a, **{decision: choices & a.get(decision, choices) for decision, choices in b.items()}}
    return met if all(met.values()) else None


def follows(when: When, known: When) -> bool:
    """Whether a condition holds wherever another is known to hold."""
    return all(decision in known and known[decision] <= choices for decision, choices in when.items())


def links(parts: Sequence[When], counts: Sequence[int]) -> list[Link]:
    """Every way in which data may flow through parts that stand in a row, each there under its own condition.

    Args:
        parts: The condition of each; the first and the last are always there.
        counts: Choices of each decision.
    """
    found: list[Link] = []
    for target in range(1, len(parts)):
        for source in reversed(range(target)):
            link = _link(parts, source, target, counts)
            if link is not None:
                found.append(link)
            if follows(parts[source], parts[target]):
                break  # nothing before can pass by a part that is there whenever the target is
    return found


def _link(parts: Sequence[When], source: int, target: int, counts: Sequence[int]) -> Link | None:
    met = both(parts[source], parts[target])
    between = list(parts[source + 1 : target])
    while met is not None:
        narrowed: dict[int, frozenset[int]] = dict(met)
        unless: list[When] = []
        for part in between:
            joint = both(met, part)
            if joint is None:
                continue
            left = {decision: joint[decision] for decision in part if joint[decision] != met.get(decision)}
            left = {decision: choices for decision, choices in left.items() if len(choices) < counts[decision]}
            if not left:
                return None
            if len(left) > 1:
                unless.append(left)
                continue
            # Exactly one decision keeps this part away, so the link asks that decision for another choice.
            ((decision, choices),) = left.items()
            narrowed[decision] = narrowed.get(decision, frozenset(range(counts[decision]))) - choices
        if not all(narrowed.values()):
            return None
        if narrowed == met:
            return Link(source, target, met, tuple(unless))
        met = narrowed
    return None
