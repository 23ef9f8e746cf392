"""A space with some of its architectures ruled out: by limits on free metrics, or by a user's rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from optiproxy.errors import UsageError
from optiproxy.spaces.decisions import Architecture
from optiproxy.spaces.space import ROUNDS, Rule, Space
from optiproxy.spaces.wrappers.wrapper import SpaceWrapper

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class RestrictedSpace(SpaceWrapper):
    """Another space, of which only the architectures that a predicate admits are valid.

    Used for limits on free metrics: what breaks one is never proposed, so never trained, whatever algorithm searches.
    The predicate is asked last, once per canonical architecture, and its answers are kept. All else is as in the base:
    `size` and `everything` count what is ruled out, which is known only once it has been asked for, and `examples` may
    show it.

    Args:
        base: The space to restrict.
        admits: Called with the canonical form of architectures that are valid in ``base``.
    """

    def __init__(self, base: Space, admits: Callable[[Architecture], bool]) -> None:
        super().__init__(base)
        self._admits = admits
        self._answers: dict[Architecture, bool] = {}

    def is_valid(self, architecture: Architecture) -> bool:
        if not self.base.is_valid(architecture):
            return False
        key = self.canonical(architecture)
        if key not in self._answers:
            self._answers[key] = self._admits(key)
        return self._answers[key]

    def canonical_rows(self, architectures: NDArray[np.integer]) -> NDArray[np.integer]:
        # The base would let pass what is ruled out here.
        return Space.canonical_rows(self, architectures)

    def sample(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Draw from the base until ``n`` are admitted; fewer only where those are too rare to meet."""
        found: list[Architecture] = []
        for _ in range(ROUNDS):
            drawn = self.base.sample(rng, n)
            found += [architecture for architecture in drawn if len(found) < n and self.is_valid(architecture)]
            if len(found) >= n or not drawn:
                break
        return found[:n]


def where(space: Space, rule: Rule) -> Space:
    """This space without the architectures that break a rule; they are never proposed, so never trained.

    Example::

        space.where(lambda values: values["width"] % values["heads"] == 0)

    Args:
        space: The space to restrict.
        rule: Called with the `Space.values` of an architecture, in which decisions that do not matter have their first
            choice. Asked once per architecture.

    Raises:
        UsageError: Later, where the rule itself fails.
    """

    def admits(architecture: Architecture) -> bool:
        values = space.values(architecture)
        try:
            return bool(rule(values))
        except Exception as error:
            raise UsageError(
                f"The rule fails for {values} ({type(error).__name__}: {error}). It has to answer for every architecture."
            ) from error

    return RestrictedSpace(space, admits)
