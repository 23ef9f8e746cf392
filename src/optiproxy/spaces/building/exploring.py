"""Every decision that a function may ask for, and when it asks, found by running it: define by run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from optiproxy.errors import UsageError
from optiproxy.spaces.building.blocks import Place, both
from optiproxy.spaces.building.tracing import Request, Trace
from optiproxy.spaces.scales import FEW

K = TypeVar("K")

PROBES = 8
"""Random runs after the systematic ones: they meet what only several choices together ask for, unless it is rare."""

PARTS = 8
"""Into so many parts the range of a number is divided, at whose ends it is tried whether anything depends on it."""


class _Found:
    """A place, and the revealed choices that lead to it: each alternative alone does."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.alternatives: list[dict[str, frozenset[int]]] = []

    def covers(self, answers: Mapping[str, int]) -> bool:
        return any(
            all(answers.get(name, 0) in positions for name, positions in alternative.items())
            for alternative in self.alternatives
        )


def explore(function: Callable[[Mapping[str, int]], Trace]) -> list[Place]:
    """Return every place that a function may ask for.

    It is run with the first choice of everything, and then with each other choice that it reveals, one at a time. Where
    that asks for something new, the same starts from there. A place is taken to be reached where each revealed choice by
    itself, changed from the run that had met the place first, still leads to it.

    Args:
        function: Runs with the given positions, decision name -> position, and 0 for all others.

    Raises:
        UsageError: If the run with the first choices fails, or asks for other things each time.
    """
    import numpy as np

    traces: dict[frozenset[tuple[str, int]], Trace] = {}

    def run(answers: Mapping[str, int]) -> Trace:
        # The first choice is the answer to all that is not listed, so it makes no difference to a run.
        key = frozenset((name, position) for name, position in answers.items() if position)
        if key not in traces:
            traces[key] = function(answers)
        return traces[key]

    base = run({})
    if base.error is not None:
        raise UsageError(
            f"With the first choice of every decision it fails with {type(base.error).__name__}: {str(base.error).rstrip('.')}. "
            "List a choice first that works together with the others."
        ) from base.error
    # Asked anew and not out of the cache: this is the one run that shows whether chance plays a part.
    if list(function({}).requests) != list(base.requests):
        raise UsageError("With the same choices it asks for other decisions each time. Leave chance out of it.")

    order: list[object] = []
    found: dict[object, _Found] = {}
    contexts: deque[dict[str, int]] = deque([{}])
    probes, numbers = 0, set[str]()
    # A fixed seed, because the same function has to make the same space in every process.
    rng = np.random.default_rng(0)
    while contexts:
        context = contexts.popleft()
        here = run(context)
        for name in here.numbers.keys() - numbers:
            _check_number(name, here, lambda answers, context=context: run({**context, **answers}))
            numbers.add(name)
        new = [key for key in here.requests if key not in found or not found[key].covers(context)]
        if new:
            changed = {
                (name, position): run({**context, name: position})
                for name, count in here.revealed.items()
                for position in range(count)
            }
            insert(order, list(here.requests))
            for key in new:
                place = found.setdefault(key, _Found(here.requests[key]))
                place.alternatives.append(_box(key, here, changed))
            contexts.extend(
                {**context, name: position} for name, position in changed if position != context.get(name, 0)
            )
        # Once all single changes were followed: what only a combination of choices asks for is met by chance.
        if not contexts and probes < PROBES:
            probes += 1
            counts = {name: n for trace in traces.values() for name, n in trace.revealed.items()}
            contexts.append({name: int(rng.integers(n)) for name, n in counts.items()})
    return [
        Place(found[key].request.block, when)
        for key in order
        for alternative in found[key].alternatives
        # An alternative that contradicts the branches around the request leads to it nowhere.
        if (when := both(found[key].request.scope, alternative)) is not None
    ]


def _check_number(name: str, here: Trace, run: Callable[[Mapping[str, int]], Trace]) -> None:
    """Refuse a condition on a number that has more values than can be tried one by one.

    Args:
        name: Of the number.
        here: The run that has asked for it, with its first value.
        run: Runs with another value, and all else as there.

    Raises:
        UsageError: If a run with a larger value asks for other things.
    """
    last = here.numbers[name] - 1
    for part in range(1, PARTS + 1):
        other = run({name: last * part // PARTS})
        # A run that ended early says nothing about what would have come.
        if other.error is None and list(other.requests) != list(here.requests):
            raise UsageError(
                f"What is asked for depends on the number {name!r}, which has {last + 1} values. Let it depend on a category, "
                f"or on an integer with at most {FEW} values."
            )


def _box(key: object, here: Trace, changed: Mapping[tuple[str, int], Trace]) -> dict[str, frozenset[int]]:
    """Return the positions of each revealed decision that, changed alone, still lead to a place; only where some do not."""
    box: dict[str, frozenset[int]] = {}
    for name, count in here.revealed.items():
        # A run that ended early says nothing about what would have come.
        kept = frozenset(
            position
            for position in range(count)
            if key in changed[name, position].requests or changed[name, position].error is not None
        )
        if len(kept) < count:
            box[name] = kept
    return box


def insert(order: list[K], keys: Sequence[K]) -> None:
    """Put new keys behind those that they came after."""
    at = 0
    for key in keys:
        if key in order:
            at = order.index(key) + 1
        else:
            order.insert(at, key)
            at += 1
