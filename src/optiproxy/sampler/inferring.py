"""The space of an objective, inferred from its finished trials: what it suggests, in which ranges, and when."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from optiproxy.errors import UsageError
from optiproxy.spaces import Decision, NarrowedSpace, Space
from optiproxy.spaces.building.blocks import Named, OneDecision, Place, both
from optiproxy.spaces.building.conditional import ConditionalSpace
from optiproxy.spaces.building.exploring import insert
from optiproxy.spaces.choices import labelled
from optiproxy.spaces.ranges import Float, Int

STEADY = 3
"""Trials that have to show nothing new before branches count as known, or a narrower range as the one that is left."""

FIRST = 10
"""Number of trials after which they do in any case."""


NumberDistribution = IntDistribution | FloatDistribution


@dataclass(frozen=True)
class Inferred:
    """What is known of an objective; equal where a search may go on as it is.

    Attributes:
        distributions: Name -> widest distribution of each parameter that can be a decision, in the order in which they are
            suggested.
        conditions: Name -> when it is suggested; empty for always.
        unexplained: Parameters of which no choice before them says when they are suggested.
        narrowed: Name -> the part of the widest range that the latest trials agree on, where that is not all of it.
    """

    distributions: Mapping[str, BaseDistribution]
    conditions: Mapping[str, Named]
    unexplained: tuple[str, ...] = ()
    narrowed: Mapping[str, NumberDistribution] = field(default_factory=dict[str, NumberDistribution])

    @property
    def branches(self) -> bool:
        """Whether some parameter is suggested in some trials only."""
        return any(self.conditions.values()) or bool(self.unexplained)

    @property
    def space(self) -> Space:
        """All that the objective may suggest from now on; there has to be something."""
        places = [
            Place(OneDecision(Decision(name, choices_of(distribution))), self.conditions[name])
            for name, distribution in self.distributions.items()
        ]
        space = ConditionalSpace(places, name="inferred")
        if not self.narrowed:
            return space
        ranges = {
            d: (decision.position(narrow.low), decision.position(narrow.high))
            for d, decision in enumerate(space.decisions)
            if (narrow := self.narrowed.get(decision.name)) is not None
        }
        # What lies outside is still learned from.
        return NarrowedSpace(space, ranges)


def infer(trials: Iterable[FrozenTrial]) -> Inferred:
    """Return what the finished ones among the trials show.

    A parameter that some of them lack depends on choices before it: those that it was never suggested with rule it out.
    The fewest decisions that explain it are taken, among equals the first.

    Raises:
        UsageError: If a name stands for parameters of different kinds.
    """
    shown = [trial for trial in trials if trial.state.is_finished() and trial.distributions]
    order: list[str] = []
    widest: dict[str, BaseDistribution] = {}
    patterns: set[tuple[str, ...]] = set()
    for trial in shown:
        names = tuple(trial.distributions)
        if names not in patterns:
            patterns.add(names)
            insert(order, names)
        for name, distribution in trial.distributions.items():
            widest[name] = widened(name, widest.get(name, distribution), distribution)
    # Optuna fills in ranges of one value by itself.
    several = [name for name in order if not widest[name].single()]
    decisions = {name: Decision(name, choices) for name in several if len(choices := choices_of(widest[name]))}
    conditions: dict[str, Named] = {}
    for name in decisions:
        parents = {parent: decisions[parent] for parent in conditions if decisions[parent].point is None}
        when = _condition(name, shown, parents)
        if when is not None:
            conditions[name] = _complete(when, conditions)
    return Inferred(
        {name: widest[name] for name in conditions},
        conditions,
        tuple(n for n in decisions if n not in conditions),
        {name: latest for name in conditions if (latest := _latest(name, shown)) and latest != widest[name]},
    )


def is_settled(inferred: Inferred, trials: Sequence[FrozenTrial]) -> bool:
    """Return whether an algorithm may rely on what was inferred: branches that the latest trials have not changed.

    Until then each trial is likely to show something new, and an algorithm would begin anew, on half of the space.

    Args:
        inferred: From the same trials.
        trials: Of a study.
    """
    finished = sorted(
        (trial for trial in trials if trial.state.is_finished()),
        key=lambda trial: (trial.datetime_complete or datetime.min, trial.number),  # noqa: DTZ901 - Optuna's are naive
    )
    return (
        not inferred.branches or len(finished) >= FIRST or (infer(finished[:-STEADY]).conditions == inferred.conditions)
    )


def choices_of(distribution: BaseDistribution) -> Sequence[Any]:
    """Every value of a distribution, each once; empty where they can be no choices of a decision.

    So it is with what has no hash, and with ranges that floats do not resolve.
    """
    with suppress(TypeError, UsageError):
        if isinstance(distribution, IntDistribution):
            return Int(distribution.low, distribution.high, step=distribution.step, log=distribution.log)
        if isinstance(distribution, FloatDistribution):
            return Float(distribution.low, distribution.high, step=distribution.step, log=distribution.log)
        if isinstance(distribution, CategoricalDistribution):
            # Optuna admits any object, with a warning, and some of them twice. 1 and True are two.
            different = {(isinstance(choice, bool), choice): choice for choice in list[Any](distribution.choices)}
            return labelled(different.values(), "A parameter")[1]
    return ()


def widened(name: str, one: BaseDistribution, other: BaseDistribution) -> BaseDistribution:
    """Return the range that holds two ranges of a parameter.

    Raises:
        UsageError: If they are no ranges of the same kind.
    """
    if one == other:
        return one
    if isinstance(one, IntDistribution) and isinstance(other, IntDistribution) and one.log == other.log:
        step = math.gcd(one.step, other.step, one.low - other.low)
        return IntDistribution(min(one.low, other.low), max(one.high, other.high), log=one.log, step=step)
    if isinstance(one, FloatDistribution) and isinstance(other, FloatDistribution) and one.log == other.log:
        steps = (one.low - other.low) / (one.step or 1.0)
        aligned = one.step == other.step and math.isclose(steps, round(steps), abs_tol=1e-8)
        return FloatDistribution(
            min(one.low, other.low), max(one.high, other.high), log=one.log, step=one.step if aligned else None
        )
    raise UsageError(f"Parameter {name!r} is suggested as {one} and as {other}. Give one of the two another name.")


def _latest(name: str, shown: Sequence[FrozenTrial]) -> NumberDistribution | None:
    """Return the range of numbers that the latest trials agree on; None where they do not."""
    ranges = [trial.distributions[name] for trial in shown if name in trial.distributions][-STEADY:]
    latest = ranges[-1]
    if isinstance(latest, IntDistribution | FloatDistribution) and ranges == [latest] * STEADY:
        return latest
    return None


def _condition(name: str, shown: Sequence[FrozenTrial], parents: Mapping[str, Decision]) -> Named | None:
    """Return choices of the parents that tell trials with a parameter from those without; None where none do."""
    present = [trial for trial in shown if name in trial.params]
    absent = [trial for trial in shown if name not in trial.params]
    # A trial that failed or was pruned may have ended before it came to the parameter.
    complete = [trial for trial in absent if trial.state == TrialState.COMPLETE]
    when = _separating(present, absent, parents)
    return _separating(present, complete, parents) if when is None else when


def _separating(
    present: Sequence[FrozenTrial], absent: Sequence[FrozenTrial], parents: Mapping[str, Decision]
) -> Named | None:
    """Return a condition that all present trials keep and no absent one does, on as few decisions as is simple to find."""
    always = [parent for parent in parents if all(parent in trial.params for trial in present)] if absent else []
    kept = {parent: {_position(trial, parents[parent]) for trial in present} for parent in always}
    when: dict[str, frozenset[int]] = {}
    left = list(absent)
    while left:
        remaining = {
            parent: [t for t in left if parent in t.params and _position(t, parents[parent]) in positions]
            for parent, positions in kept.items()
        }
        parent = min(remaining, key=lambda parent: len(remaining[parent]), default="")
        if len(remaining.get(parent, left)) == len(left):
            return None
        others = {_position(t, parents[parent]) for t in absent if parent in t.params}
        when[parent] = _admitted(parents[parent], kept[parent], others - kept[parent])
        left = remaining[parent]
    return when


def _admitted(decision: Decision, kept: set[int], ruled_out: set[int]) -> frozenset[int]:
    """Return the positions that admit: of an order those that lie nearer to one that did than to one that did not."""
    if decision.scale is None:
        return frozenset(kept)

    def distance(position: int, seen: set[int]) -> float:
        return min((abs(position - other) for other in seen), default=math.inf)

    every = range(len(decision.choices))
    return frozenset(i for i in every if distance(i, kept) <= distance(i, ruled_out))


def _complete(when: Named, conditions: Mapping[str, Named]) -> Named:
    """Add the conditions of the decisions that a condition speaks of: what is not suggested admits nothing."""
    for parent in list(when):
        when = both(when, conditions[parent]) or when
    return when


def _position(trial: FrozenTrial, decision: Decision) -> int:
    return decision.position(trial.params[decision.name])
