"""Another space, of which only some architectures are valid: those that keep a rule, or limits on what is known for nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optiproxy.errors import UsageError
from optiproxy.spaces.decisions import Architecture
from optiproxy.spaces.reaching import MIXING, WALKERS, Reach, Step, walk
from optiproxy.spaces.reading import Reading
from optiproxy.spaces.space import ROUNDS, Rule, Space
from optiproxy.spaces.wrapper import SpaceWrapper

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEPT = 300_000
"""Answers that are remembered, tens of megabytes of them; what is admitted is remembered beyond that."""

LEAST = 1e-9
"""The violation of what is not admitted and is said not to break anything."""


class RestrictedSpace(SpaceWrapper):
    """Another space, of which only the architectures that a predicate admits are valid.

    Used for rules and for limits on free metrics: what breaks one is never proposed, so never trained, whatever algorithm
    searches. However few are admitted, they are found as long as walks or many blind draws find them
    (`optiproxy.spaces.reaching`). The predicate is asked last, once per canonical architecture, and its answers are kept. All
    else is as in the base: `size` and `everything` count what is ruled out, which is known only once it has been asked for,
    and `examples` may show it.

    Args:
        base: The space to restrict.
        admits: Called with the canonical form of architectures that are valid in ``base``.
        violation: Says of those that are not admitted how far they are from it, in any unit; None where nobody knows.

    Attributes:
        rule: What ``admits`` is.
        asked: How often the predicate has been asked.
        unrestricted: The base, or what a base that is restricted itself restricts.
    """

    def __init__(
        self,
        base: Space,
        admits: Callable[[Architecture], bool],
        *,
        violation: Callable[[Architecture], float] | None = None,
    ) -> None:
        super().__init__(base)
        # The name stays that of the base: limits belong to the goal of a search and not to its space.
        self.asked = 0
        # Of several restrictions, one around the other, each would wait for the next inner one to meet what is rare.
        self.unrestricted: Space = base.unrestricted if isinstance(base, RestrictedSpace) else base
        self.rule = admits
        self._violation = violation
        self._answers: dict[Architecture, bool] = {}

    def __getstate__(self) -> dict[str, Any]:
        # What has been reached can be reached again; a search that is under way cannot be copied.
        return {name: value for name, value in vars(self).items() if name != "_reach"}

    def is_valid(self, architecture: Architecture) -> bool:
        if not self.base.is_valid(architecture):
            return False
        # Isomorphic architectures share an answer, because a measurement may be expensive.
        key = self.canonical(architecture)
        admitted = self._answers.get(key)
        if admitted is None:
            admitted = self.rule(key)
            self.asked += 1
            if admitted or len(self._answers) < KEPT:
                self._answers[key] = admitted
        return admitted

    def violation(self, architecture: Architecture) -> float:
        """Return 0 for what is valid, up to 1 for what is not admitted, and more for what the base rules out."""
        outside = self.base.violation(architecture)
        if outside > 0:
            return 1 + outside
        if self.is_valid(architecture):
            return 0.0
        own = 1.0 if self._violation is None else self._violation(self.canonical(architecture))
        # From [0, inf] into (0, 1], so that what keeps the base's rules is nearer than anything that does not.
        return 1 - 1 / (1 + max(own, LEAST))

    def canonical_rows(self, architectures: NDArray[np.integer]) -> NDArray[np.integer]:
        # The base would let pass what is ruled out here.
        return Space.canonical_rows(self, architectures)

    def sample(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Draw from the base until ``n`` are admitted; where those are too rare to meet, walk from some that were reached."""
        found: list[Architecture] = []
        drawn = 0
        for _ in range(ROUNDS):
            rows = self.unrestricted.sample(rng, n)
            drawn += len(rows)
            for architecture in rows:
                if len(found) < n and self.is_valid(architecture):
                    found.append(architecture)
            # A base that has nothing to draw will have nothing in the next round either.
            if len(found) >= n or not rows or (drawn >= ROUNDS and drawn > ROUNDS * len(found)):
                break
        if drawn and len(found) < n and (known := self._reach.first(WALKERS)):
            starts = [Step(known[i], 0.0) for i in rng.integers(len(known), size=n - len(found)).tolist()]
            found += [walk(self, start, rng, MIXING * len(self.decisions)).architecture for start in starts]
        return found

    def reach(self) -> Iterable[Architecture]:
        return self._reach

    @cached_property
    def _reach(self) -> Reach:
        return Reach(self, self.unrestricted)


def where(space: Space, rule: Rule) -> Space:
    """Restrict a space to the architectures that keep a rule; others are never proposed, so never trained.

    Example::

        space.where(lambda values: values["width"] % values["heads"] == 0)

    Where hardly any architecture keeps it, several rules, one after the other, are easier to keep than one that joins them:
    how many are kept shows the way. Of one rule that stops at its first part that fails, it is how far it gets.

    Args:
        space: The space to restrict.
        rule: Called with the `Space.objects` of an architecture, in which decisions that do not matter have their first
            choice. Asked once per architecture.

    Raises:
        UsageError: Later, where the rule itself fails.
    """

    def kept(values: dict[str, Any]) -> bool:
        try:
            # Rules return what they like, numpy's booleans for instance.
            return bool(rule(values))
        except Exception as error:
            raise UsageError(
                f"The rule fails for {dict(values)} ({type(error).__name__}: {error}). It has to answer for every architecture."
            ) from error

    def admits(architecture: Architecture) -> bool:
        return kept(space.objects(architecture))

    def violation(architecture: Architecture) -> float:
        values = Reading(space.objects(architecture))
        return 0.0 if kept(values) else 1 / (1 + len(values.read))

    return RestrictedSpace(space, admits, violation=violation)
