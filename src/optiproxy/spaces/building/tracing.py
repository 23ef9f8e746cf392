"""Who answers the questions of a function that chooses: given choices, or a tracer that writes the questions down.

The parts of `optiproxy.nn` and the stand-in for an Optuna trial ask the current `chooser` what to take. While a space is
made, that is a `Tracer`, which goes into every branch; while a network is built, it is `Chosen`, which knows them all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, final

from optiproxy.errors import UsageError
from optiproxy.spaces.building.blocks import Block, Named, OneDecision
from optiproxy.spaces.decisions import Architecture, Decision

if TYPE_CHECKING:
    from collections.abc import Generator

T = TypeVar("T")


class Chooser(ABC):
    """Answers the questions of a function while it runs."""

    @abstractmethod
    def decide(self, block: Block) -> Architecture:
        """Return the positions of a block's choices, which the function may only hand to `under`, so that it stays the same."""

    @abstractmethod
    def reveal(self, decision: Decision) -> int:
        """Return the position of a choice; whatever the function does afterwards may depend on it."""

    @abstractmethod
    def under(self, decision: Decision, positions: frozenset[int], make: Callable[[], T]) -> T | None:
        """Return what ``make`` makes, where the decision has fallen on one of the positions; else None."""


@final
class Chosen(Chooser):
    """Answers with given choices.

    Args:
        positions: Decision name -> position.
    """

    def __init__(self, positions: Mapping[str, int]) -> None:
        self._positions = positions

    def decide(self, block: Block) -> Architecture:
        # The space is made by now, so that nothing has to be hidden any more.
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
    """A block that was asked for, and the conditions that enclosed the question.

    Attributes:
        block: What was asked for.
        scope: Holds wherever the function gets there.
    """

    block: Block
    scope: Named

    @property
    def key(self) -> object:
        """Equal for requests that are the same place."""
        # By the text, in which 1 and True differ, though they are equal to Python.
        return repr(self.block.decisions), frozenset(self.scope.items())


@dataclass
class Trace:
    """What a function has asked for in one run.

    Attributes:
        requests: What was asked for, by `Request.key` and in order; each place once.
        revealed: Decisions whose outcome the function has seen, with their numbers of choices.
        numbers: The same of numbers with many values, which nothing that is asked for may depend on.
        error: What ended the run early.
    """

    requests: dict[object, Request] = field(default_factory=dict[object, Request])
    revealed: dict[str, int] = field(default_factory=dict[str, int])
    numbers: dict[str, int] = field(default_factory=dict[str, int])
    error: Exception | None = None


@final
class Tracer(Chooser):
    """Goes through every branch of `under` and writes down what is asked for.

    Args:
        positions: Decision name -> what to answer where the outcome is revealed; else the first choice.

    Attributes:
        trace: What has been asked for.
    """

    def __init__(self, positions: Mapping[str, int]) -> None:
        self.trace = Trace()
        self._positions = positions
        self._scope: dict[str, frozenset[int]] = {}

    def decide(self, block: Block) -> Architecture:
        request = Request(block, dict(self._scope))
        # Asked for again under the same conditions it is the same place, which stands where data meets it first.
        self.trace.requests.setdefault(request.key, request)
        return tuple(map(self._position, block.decisions))

    def reveal(self, decision: Decision) -> int:
        # What is revealed is a decision like any other to the proxy, and to whoever reads the space.
        self.decide(OneDecision(decision))
        shown = self.trace.revealed if decision.point is None else self.trace.numbers
        shown[decision.name] = len(decision.choices)
        return self._position(decision)

    def under(self, decision: Decision, positions: frozenset[int], make: Callable[[], T]) -> T | None:
        enclosing = self._scope
        admitted = positions & enclosing.get(decision.name, positions)
        # Branches that exclude each other: no architecture gets here.
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
        # Within a branch its condition holds, whatever would be answered outside: the first choice that it admits.
        return self._positions.get(decision.name, 0) if within is None else min(within)


# A context variable and no global: another thread may be building a network meanwhile.
_CHOOSER: ContextVar[Chooser | None] = ContextVar("optiproxy chooser", default=None)


def chooser() -> Chooser:
    """Return who answers at the moment: outside of `answering`, somebody who takes the first choice of everything."""
    return _CHOOSER.get() or Chosen(Counter())  # which holds 0 for every name


@contextmanager
def answering(by: Chooser) -> Generator[None]:
    """Let a chooser answer while the context lasts, in this thread."""
    token = _CHOOSER.set(by)
    try:
        yield
    finally:
        _CHOOSER.reset(token)
