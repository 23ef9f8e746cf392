"""A space around another space, which it is but for what it says otherwise: told apart, or with some ruled out.

`SpaceWrapper` passes the whole contract on. `DistinctSpace` and `RestrictedSpace` override what differs, as `PoolSpace`
does in a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optiproxy.errors import UsageError
from optiproxy.spaces.decisions import Architecture
from optiproxy.spaces.space import ROUNDS, Rule, Space, digest, plain_fingerprint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Generator, Tensor

    from optiproxy.graph import GraphBatch


class SpaceWrapper(Space):
    """Another space, to which it passes on whatever is asked of it; a subclass overrides what is to differ.

    What belongs together is overridden together: whoever changes `is_valid` or `canonical` has to change
    `canonical_rows`, too (that of `Space` follows from the two), and mostly also `sample` and `examples`. `where` is the
    one thing not passed on: a rule restricts the wrapper with all that it has changed.

    Args:
        base: The space to wrap.
        name: None takes that of the base. Under the same name a study of the one can be resumed with the other.

    Attributes:
        base: The wrapped space.
    """

    def __init__(self, base: Space, *, name: str | None = None) -> None:
        self.base = base
        self.name = name or base.name
        # The same decisions, so that architectures mean the same here and in the base.
        self.decisions = base.decisions

    @cached_property
    def fingerprint(self) -> str:
        """The fingerprint of the base; under another name another one, which still differs between different bases."""
        # Studies are matched by fingerprint: a wrapper under the base's name goes on where the base has stopped.
        if self.name == self.base.name:
            return self.base.fingerprint
        own = plain_fingerprint(self)
        if self.base.fingerprint == plain_fingerprint(self.base):
            return own  # name and decisions say it all, as in the studies on disk
        return digest(own + self.base.fingerprint)

    @cached_property
    def size(self) -> int:
        """The size of the base."""
        return self.base.size

    def encode(self, weights: Tensor) -> GraphBatch:
        return self.base.encode(weights)

    def activity(self, weights: Tensor) -> Tensor:
        return self.base.activity(weights)

    def is_valid(self, architecture: Architecture) -> bool:
        return self.base.is_valid(architecture)

    def canonical(self, architecture: Architecture) -> Architecture:
        return self.base.canonical(architecture)

    def canonical_rows(self, architectures: NDArray[np.integer]) -> NDArray[np.integer]:
        return self.base.canonical_rows(architectures)

    def sample(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        return self.base.sample(rng, n)

    def examples(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        return self.base.examples(rng, n)

    def neighbours(self, architecture: Architecture) -> list[Architecture]:
        return self.base.neighbours(architecture)

    def draw(self, probabilities: Tensor, n: int, generator: Generator) -> list[Architecture]:
        return self.base.draw(probabilities, n, generator)

    def build(self, architecture: Architecture, *, seed: int = 0) -> Any:  # noqa: ANN401 - as the base has it
        return self.base.build(architecture, seed=seed)

    def everything(self) -> Iterator[Architecture]:
        return self.base.everything()


class DistinctSpace(SpaceWrapper):
    """Another space whose isomorphic architectures are told apart, for tasks that measure them one by one.

    A device spends time on operations whose result nobody reads, so that the fastest of several isomorphic cells may keep
    a limit that the others break.

    Args:
        base: The space whose architectures are told apart.
    """

    def __init__(self, base: Space) -> None:
        # Another name, because trials of the one are not those of the other: isomorphic ones may differ here.
        super().__init__(base, name=f"{base.name}-distinct")

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the architecture itself."""
        return architecture

    def canonical_rows(self, architectures: NDArray[np.integer]) -> NDArray[np.integer]:
        return Space.canonical_rows(self, architectures)


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
        # The name stays that of the base: limits belong to the goal of a search and not to its space.
        self._admits = admits
        self._answers: dict[Architecture, bool] = {}

    def is_valid(self, architecture: Architecture) -> bool:
        if not self.base.is_valid(architecture):
            return False
        # Isomorphic architectures share an answer, because a measurement may be expensive.
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
            # A base that has nothing to draw will have nothing in the next round either.
            if len(found) >= n or not drawn:
                break
        return found[:n]


def where(space: Space, rule: Rule) -> Space:
    """Restrict a space to the architectures that keep a rule; others are never proposed, so never trained.

    Example::

        space.where(lambda values: values["width"] % values["heads"] == 0)

    Args:
        space: The space to restrict.
        rule: Called with the `Space.objects` of an architecture, in which decisions that do not matter have their first
            choice. Asked once per architecture.

    Raises:
        UsageError: Later, where the rule itself fails.
    """

    def admits(architecture: Architecture) -> bool:
        values = space.objects(architecture)
        try:
            # Rules return what they like, numpy's booleans for instance.
            return bool(rule(values))
        except Exception as error:
            raise UsageError(
                f"The rule fails for {values} ({type(error).__name__}: {error}). It has to answer for every architecture."
            ) from error

    return RestrictedSpace(space, admits)
