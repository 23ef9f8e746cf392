"""A space around another space, which it is but for what it says otherwise.

`SpaceWrapper` passes the whole contract on. `DistinctSpace` overrides what differs, as `RestrictedSpace` and `PoolSpace` do in
files of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optiproxy.spaces.decisions import Architecture
from optiproxy.spaces.space import Space, digest, plain_fingerprint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Generator, Tensor

    from optiproxy.graph import GraphBatch


class SpaceWrapper(Space):
    """Another space, to which it passes on whatever is asked of it; a subclass overrides what is to differ.

    What belongs together is overridden together: whoever changes `is_valid` or `canonical` has to change `canonical_rows`
    and `violation`, too (those of `Space` follow from the two), and mostly also `sample` and `examples`. `where` is the
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

    @property
    def fixed(self) -> Mapping[int, int]:  # pyright: ignore[reportIncompatibleVariableOverride] - asked anew, not kept
        """What the base is left without a choice of."""
        return self.base.fixed

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

    @cached_property
    def continuous(self) -> int:
        """The number of continuous decisions of the base."""
        return self.base.continuous

    def encode(self, weights: Tensor) -> GraphBatch:
        return self.base.encode(weights)

    def active(self, architecture: Architecture) -> frozenset[int]:
        return self.base.active(architecture)

    def activity(self, weights: Tensor) -> Tensor:
        return self.base.activity(weights)

    def is_valid(self, architecture: Architecture) -> bool:
        return self.base.is_valid(architecture)

    def violation(self, architecture: Architecture) -> float:
        return self.base.violation(architecture)

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

    def build(self, architecture: Architecture | Mapping[str, object], *, seed: int = 0) -> Any:  # noqa: ANN401 - as the base has it
        return self.base.build(architecture, seed=seed)

    def reach(self) -> Iterable[Architecture]:
        return self.base.reach()

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
