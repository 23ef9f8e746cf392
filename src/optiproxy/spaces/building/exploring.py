"""Find every decision that a function may ask for, and when it asks, by running it: define by run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, final

from optiproxy.errors import UsageError
from optiproxy.spaces.building.blocks import Block, OneDecision
from optiproxy.spaces.building.conditional import Place
from optiproxy.spaces.decisions import Architecture, Decision

if TYPE_CHECKING:
    from collections.abc import Generator

T = TypeVar("T")

PROBES = 8
"""Random runs after the systematic ones: they meet what only several choices together ask for, unless it is rare."""


class Chooser(ABC):
    """Answers the questions of a function while it runs."""

    @abstractmethod
    def decide(self, block: Block) -> Architecture:
        """The positions of a block's choices. The function may only hand them to `under`, so that it stays the same."""

    @abstractmethod
    def reveal(self, decision: Decision) -> int:
        """The position of a choice; whatever the function does afterwards may depend on it."""

    @abstractmethod
    def under(self, decision: Decision, positions: frozenset[int], make: Callable[[], T]) -> T | None:
        """What ``make`` makes, where the decision has fallen on one of the positions; else None."""


@final
class Chosen(Chooser):
    """Answers with given choices.

    Args:
        positions: Decision name -> position.
    """

    def __init__(self, positions: Mapping[str, int]) -> None:
        self._positions = positions

    def decide(self, block: Block) -> Architecture:
        return tuple(map(self.reveal, block.decisions))

    def reveal(self, decision: Decision) -> int:
        try:
            return self._positions[decision.name]
        except KeyError:
            raise UsageError(
                f"The decision {decision.name!r} was not asked for when the space was made, though many combinations were "
                "tried. Ask for it in every case, or inside of a Choice."
            ) from None

    def under(self, decision: Decision, positions: frozenset[int], make: Callable[[], T]) -> T | None:
        return make() if self.reveal(decision) in positions else None


@dataclass(frozen=True)
class Request:
    """A block that was asked for, in a run, under the conditions that enclose it.

    Attributes:
        block: What was asked for.
        scope: Decision name -> positions.
    """

    block: Block
    scope: Mapping[str, frozenset[int]]

    @property
    def key(self) -> object:
        """Equal for requests that are the same place."""
        return repr(self.block.decisions), frozenset(self.scope.items())


@dataclass
class Run:
    """What one run has asked for.

    Attributes:
        requests: In order, by their keys; each place once.
        revealed: Decisions whose outcome the function has seen, with their numbers of choices.
        error: What ended it early.
    """

    requests: dict[object, Request] = field(default_factory=dict[object, Request])
    revealed: dict[str, int] = field(default_factory=dict[str, int])
    error: Exception | None = None


@final
class Recorder(Chooser):
    """Goes through every branch of `under` and writes down what is asked for.

    Args:
        positions: Decision name -> what to answer where the outcome is revealed; else the first choice.
    """

    def __init__(self, positions: Mapping[str, int]) -> None:
        self.run = Run()
        self._positions = positions
        self._scope: dict[str, frozenset[int]] = {}

    def decide(self, block: Block) -> Architecture:
        request = Request(block, dict(self._scope))
        self.run.requests.setdefault(request.key, request)
        return tuple(map(self._position, block.decisions))

    def reveal(self, decision: Decision) -> int:
        self.decide(OneDecision(decision))
        self.run.revealed[decision.name] = len(decision.choices)
        return self._position(decision)

    def under(self, decision: Decision, positions: frozenset[int], make: Callable[[], T]) -> T | None:
        enclosing = self._scope
        admitted = positions & enclosing.get(decision.name, positions)
        if not admitted:
            return None
        chosen = self._position(decision) in positions
        self._scope = {**enclosing, decision.name: admitted}
        try:
            return make()
        except Exception:
            # A branch not taken may not fit together with the choices around it; that one which is taken has to.
            if chosen:
                raise
            return None
        finally:
            self._scope = enclosing

    def _position(self, decision: Decision) -> int:
        within = self._scope.get(decision.name)
        return self._positions.get(decision.name, 0) if within is None else min(within)


_CHOOSER: ContextVar[Chooser | None] = ContextVar("optiproxy chooser", default=None)


def chooser() -> Chooser:
    """Who answers at the moment: by itself, the first choice of everything."""
    return _CHOOSER.get() or Chosen(Counter())  # which holds 0 for every name


@contextmanager
def answering(by: Chooser) -> Generator[None]:
    """Let a chooser answer while the context lasts, in this thread."""
    token = _CHOOSER.set(by)
    try:
        yield
    finally:
        _CHOOSER.reset(token)


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


def explore(function: Callable[[Mapping[str, int]], Run]) -> list[Place]:
    """Every place that a function may ask for.

    It is run with the first choice of everything, and then with each other choice that it reveals, one at a time. Where
    that asks for something new, the same starts from there. A place is taken to be reached where each revealed choice by
    itself, changed from the run that had met the place first, still leads to it.

    Args:
        function: Runs with the given positions, decision name -> position, and 0 for all others.

    Raises:
        UsageError: If the run with the first choices fails, or asks for other things each time.
    """
    import numpy as np

    runs: dict[frozenset[tuple[str, int]], Run] = {}

    def run(answers: Mapping[str, int]) -> Run:
        key = frozenset((name, position) for name, position in answers.items() if position)
        if key not in runs:
            runs[key] = function(answers)
        return runs[key]

    base = run({})
    if base.error is not None:
        raise UsageError(
            f"With the first choice of every decision it fails with {type(base.error).__name__}: {base.error}. "
            "List a choice first that works together with the others."
        ) from base.error
    if list(function({}).requests) != list(base.requests):
        raise UsageError("With the same choices it asks for other decisions each time. Leave chance out of it.")

    order: list[object] = []
    found: dict[object, _Found] = {}
    contexts: deque[dict[str, int]] = deque([{}])
    probes = 0
    rng = np.random.default_rng(0)
    while contexts:
        context = contexts.popleft()
        here = run(context)
        new = [key for key in here.requests if key not in found or not found[key].covers(context)]
        if new:
            changed = {
                (name, position): run({**context, name: position})
                for name, count in here.revealed.items()
                for position in range(count)
            }
            _insert(order, list(here.requests))
            for key in new:
                place = found.setdefault(key, _Found(here.requests[key]))
                place.alternatives.append(_box(key, here, changed))
            contexts.extend(
                {**context, name: position} for name, position in changed if position != context.get(name, 0)
            )
        if not contexts and probes < PROBES:
            probes += 1
            counts = {name: n for known in runs.values() for name, n in known.revealed.items()}
            contexts.append({name: int(rng.integers(n)) for name, n in counts.items()})
    return [
        Place(found[key].request.block, when)
        for key in order
        for alternative in found[key].alternatives
        if (when := _both(found[key].request.scope, alternative)) is not None
    ]


def _box(key: object, here: Run, changed: Mapping[tuple[str, int], Run]) -> dict[str, frozenset[int]]:
    """For each revealed decision that matters the positions, changed by themselves, with which the place is still met."""
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


def _insert(order: list[object], keys: list[object]) -> None:
    """Put new keys behind those that they came after."""
    at = 0
    for key in keys:
        if key in order:
            at = order.index(key) + 1
        else:
            order.insert(at, key)
            at += 1


def _both(
    scope: Mapping[str, frozenset[int]], alternative: Mapping[str, frozenset[int]]
) -> dict[str, frozenset[int]] | None:
    met = {**scope, **{name: choices & scope.get(name, choices) for name, choices in alternative.items()}}
    return met if all(met.values()) else None
