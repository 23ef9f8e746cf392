"""The search-space contract. Published spaces and user-made ones are the same thing to everything else."""

from __future__ import annotations

import hashlib
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias, cast, final

from optiproxy.errors import UsageError, unknown
from optiproxy.spaces.decisions import Architecture, Choice, Decision
from optiproxy.spaces.ranges import Float, Int

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Generator, Tensor
    from torch.nn import Module

    from optiproxy.graph import GraphBatch
    from optiproxy.spaces.building.dry_run import Inputs
    from optiproxy.spaces.relaxed import Coordinates
    from optiproxy.spaces.scales import Scale

ROUNDS = 100
"""Rounds of draws before a sample is given up: enough where one architecture in a hundred is valid."""

Rule: TypeAlias = "Callable[[Mapping[str, Any]], bool]"
"""Says of the `Space.objects` of an architecture whether it may be proposed."""


class Space(ABC):
    """A set of architectures with a differentiable graph encoding.

    A new space gives `name`, `decisions` and `encode`, and that is enough where every combination of choices is an
    architecture of its own. It overrides

    - `is_valid` where some combinations are no architecture, and `violation` where one can say how far they are from it,
    - `canonical` where different combinations are the same network,
    - `build` where users' functions are to receive something else than a mapping of values, such as a network,
    - `sample`, `reach`, `neighbours` and `draw` where valid architectures are too rare to be met by taking decisions one by one,
    - `everything`, `size` and `continuous` where the space is a list and not a product,
    - `fingerprint` where name and decisions do not tell all spaces of the kind apart,
    - `active` and `activity` where some decisions do not always matter.

    Whatever is asked of a space depends on the arguments alone: no method keeps a random state, and none may change an
    answer once given. Methods that draw take their generator from the caller. The methods marked final follow from the
    decisions. `optiproxy.testing` holds the conformance suite that every space passes.

    Attributes:
        name: Short and stable; part of `fingerprint`.
        decisions: ``d`` decisions. ``c`` below is the largest number of `Decision.columns` among them.
        fixed: Position of a decision -> position of the one choice that it is left with; see `NarrowedSpace`.
    """

    name: str
    decisions: tuple[Decision, ...]
    fixed: Mapping[int, int] = MappingProxyType({})

    # Ways to make one space out of something else. The functions behind these names know particular kinds of spaces, and
    # each kind knows this contract; so `optiproxy.spaces`, which knows them all, puts the functions in their places.

    from_model: ClassVar[FromModel]
    """``Space.from_model(model)``: every network that a function can build with the parts of `optiproxy.nn`."""

    from_optuna: ClassVar[FromOptuna]
    """``Space.from_optuna(suggest)``: the parameters that a function suggests to an Optuna trial."""

    from_configspace: ClassVar[FromConfigSpace]
    """``Space.from_configspace(configuration_space)``: the parameters of a ConfigSpace object."""

    where: ClassVar[Callable[[Space, Rule], Space]]
    """``space.where(rule)``: this space without the architectures that break a rule; they are never proposed."""

    @abstractmethod
    def encode(self, weights: Tensor) -> GraphBatch:
        """Turn relaxed architectures into graphs; called in every step of training and ascent, so it should be quick.

        Args:
            weights: ``(b, d, c)``: of few choices ``weights[b, d, :]`` is a point on the simplex over them, and zero
                beyond them; of a number with many values ``weights[b, d, 0]`` is a point on its scale from 0 to 1.
                `one_hot` rows give the exact graph of the discrete architecture.

        Returns:
            ``b`` graphs that are differentiable in ``weights``, in whose precision and on whose device they are.
        """

    def is_valid(self, architecture: Architecture) -> bool:  # noqa: ARG002 - most spaces admit every combination
        """Return whether this combination is an architecture at all. May be expensive; called on few candidates."""
        return True

    def violation(self, architecture: Architecture) -> float:
        """Return how far a combination is from valid: 0 for what is valid, and more the farther it is.

        Called where valid architectures are rare, to find the way to them.
        """
        return 0.0 if self.is_valid(architecture) else 1.0

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the representative of all architectures that are the same network; idempotent and valid if they are.

        Called on every candidate, because one network is never trained twice. Quick, then, or remembered.
        """
        return architecture

    def canonical_rows(self, architectures: NDArray[np.integer]) -> NDArray[np.integer]:
        """Return ``(n, d)`` canonical forms of as many rows; overridden where thousands are had faster together.

        Called on whole benchmarks when their tables are read.

        Raises:
            UsageError: If a row is not valid.
        """
        import numpy as np

        rows = [tuple(row) for row in architectures.tolist()]
        # Checked first, because the canonical form of what is no architecture means nothing.
        for n, row in enumerate(rows):
            if not self.is_valid(row):
                raise UsageError(f"Expected architectures of {self.name}, but entry {n} is none: {row}.")
        return np.array([self.canonical(row) for row in rows], dtype=architectures.dtype).reshape(architectures.shape)

    def sample(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Draw up to ``n`` valid architectures, each decision uniform; fewer only where validity is too rare to meet.

        Called for random proposals and first trials. An architecture may be drawn more than once.
        """
        found: list[Architecture] = []
        for _ in range(ROUNDS):
            # A whole round at once, of which the first valid ones are taken: quicker than row after row.
            for row in self.combinations(rng, n):
                if len(found) < n and self.is_valid(row):
                    found.append(row)
            if len(found) >= n:
                break
        return found

    @final
    def combinations(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Draw ``n`` combinations of choices, valid or not: categories uniformly, numbers uniformly on their scale."""
        # The bound of a number is not used, and may be beyond what numpy's integers hold.
        numbers = {
            d: c for d, c in enumerate(decision.choices for decision in self.decisions) if isinstance(c, Int | Float)
        }
        highs = [1 if d in numbers else len(decision.choices) for d, decision in enumerate(self.decisions)]
        columns = list(rng.integers(0, highs, size=(n, len(highs))).T.tolist())
        for d, scale in numbers.items():
            columns[d] = scale.draw(rng, n)
        return list(zip(*columns, strict=True))

    def examples(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Return up to ``n`` random architectures that show how the space is built; the proxy is pretrained on them.

        Called once per search. Unlike those of `sample` they need not keep limits that are expensive to check.
        """
        return self.sample(rng, n)

    def neighbours(self, architecture: Architecture) -> list[Architecture]:
        """Return architectures near this one, that differ in one decision: see `Decision.others`.

        Called on the leading candidates of each proposal. Their validity is not checked yet.
        """
        return [
            (*architecture[:i], choice, *architecture[i + 1 :])
            for i, decision in enumerate(self.decisions)
            for choice in decision.others(architecture[i])
        ]

    def draw(self, probabilities: Tensor, n: int, generator: Generator) -> list[Architecture]:
        """Return discrete architectures from relaxed ones: of each the likeliest, and ``n`` random ones.

        Called at the end of each ascent. Their validity is not checked yet, and some may be equal.

        Args:
            probabilities: ``(b, d, c)``, relaxed as for `encode`.
            n: Random ones per relaxed architecture; 0 leaves the likeliest.
            generator: Draws.
        """
        from optiproxy.spaces import relaxed

        return relaxed.drawn(self.decisions, probabilities, n, generator)

    def build(
        self,
        architecture: Architecture | Mapping[str, object],
        *,
        seed: int = 0,  # noqa: ARG002 - nothing is random here
    ) -> Any:  # noqa: ANN401 - what the space is made of
        """Make what a user's function is given to evaluate: here the `objects`; a space of networks builds the network.

        Called once per training, in the process that trains.

        Args:
            architecture: A valid member, or decision name -> value, which `architecture` reads.
            seed: Settles whatever is random about it, like initial weights.

        Raises:
            UsageError: If there is no such architecture.
        """
        return self.objects(self.architecture(architecture))

    def everything(self) -> Iterator[Architecture]:
        """Yield every combination that `size` counts, in lexicographic order; for spaces that are small enough."""
        return product(*(range(len(decision.choices)) for decision in self.decisions))

    def reach(self) -> Iterable[Architecture]:
        """Return valid architectures that `sample` may miss, each once; none where it can meet all of them.

        Called where samples bring nothing new and the space is too large for `everything`. May take long between two.
        """
        return ()

    @cached_property
    def size(self) -> int:
        """Number of combinations of choices, valid or not, isomorphic or not."""
        return math.prod(len(decision.choices) for decision in self.decisions)

    @cached_property
    def continuous(self) -> int:
        """Number of decisions whose choices nobody would count: floats without a step."""
        return sum(isinstance(scale, Float) and scale.step is None for scale in self.points.values())

    @final
    def enumerable(self, most: int) -> bool:
        """Return whether `everything` may be gone through: at most ``most`` combinations, and none of them continuous."""
        return self.size <= most and not self.continuous

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that say which space this is: two studies fit together when theirs are equal."""
        return plain_fingerprint(self)

    @final
    @cached_property
    def widest(self) -> int:
        """``c``: the largest number of columns of any decision."""
        return max(decision.columns for decision in self.decisions)

    @final
    @cached_property
    def points(self) -> dict[int, Scale]:
        """Position of each decision that is relaxed to a point -> its scale."""
        return {i: decision.point for i, decision in enumerate(self.decisions) if decision.point is not None}

    @property
    @final
    def choice_mask(self) -> Tensor:
        """``(d, c)`` booleans: True where a relaxed architecture has a number for that decision."""
        from optiproxy.spaces import relaxed

        return relaxed.mask(self.decisions)

    @final
    def one_hot(self, architectures: Sequence[Architecture]) -> Tensor:
        """Return ``(b, d, c)`` float weights that `encode` maps to the exact graphs."""
        from optiproxy.spaces import relaxed

        return relaxed.one_hot(self.decisions, architectures)

    @final
    def graphs(self, weights: Tensor) -> GraphBatch:
        """Return what `encode` does, with the `GraphBatch.decisions` that no graph may show: what a proxy is given."""
        return replace(
            self.encode(weights),
            decisions=self._coordinates(weights, self.activity(weights)),
            owners=self._coordinates.owners,
            groups=self._coordinates.groups,
        )

    @cached_property
    def _coordinates(self) -> Coordinates:
        from optiproxy.spaces import relaxed

        return relaxed.Coordinates(self.decisions)

    def active(self, architecture: Architecture) -> frozenset[int]:
        """Return positions of the decisions that matter; overridden where some do not always."""
        return frozenset(range(len(architecture)))

    def activity(self, weights: Tensor) -> Tensor:
        """Return ``(b, d)``: how much each decision matters, from 0 to 1; overridden where some do not always.

        Args:
            weights: ``(b, d, c)``, as for `encode`.
        """
        return weights.new_ones(weights.shape[:2])

    @final
    def values(self, architecture: Architecture) -> dict[str, Choice]:
        """Map the name of every decision to the chosen value, or to its label: what studies and reports hold."""
        # Strict, because an architecture of another space that is merely longer would pass unnoticed.
        return {d.name: d.choices[i] for d, i in zip(self.decisions, architecture, strict=True)}

    @final
    def objects(self, architecture: Architecture) -> dict[str, Any]:
        """Return `values` with what the labels stand for: what users' functions are given."""
        return {d.name: d.objects[i] for d, i in zip(self.decisions, architecture, strict=True)}

    @final
    def architecture(self, values: Mapping[str, object] | Architecture) -> Architecture:
        """Return the inverse of `values` and of `objects`; positions as they are.

        Raises:
            UsageError: If a decision that matters is missing, one is unknown, or has a value that is not among its choices.
        """
        names = [decision.name for decision in self.decisions]
        if not isinstance(values, Mapping):
            return self._checked(values)
        # Before what is missing: a misspelt name is both, and the hint belongs to this one.
        for name in values:
            if name not in names:
                raise unknown("decision", name, names)
        found = tuple(d.position(values[d.name]) if d.name in values else 0 for d in self.decisions)
        # What does not matter may have any value, and need not have one.
        missing = [names[d] for d in sorted(self.active(found)) if names[d] not in values]
        if missing:
            raise UsageError(f"Expected a value for every decision, got none for {', '.join(missing)}.")
        return found

    def _checked(self, positions: object) -> Architecture:
        """Positions of choices, as they come from a user."""
        given = tuple(cast("Sequence[Any]", positions)) if isinstance(positions, Sequence) else ()
        if len(given) != len(self.decisions) or not all(
            hasattr(choice, "__index__") and 0 <= choice < len(decision.choices)
            for choice, decision in zip(given, self.decisions, strict=True)
        ):
            raise UsageError(
                f"Expected decision name -> value, or one position for each of the {len(self.decisions)} decisions of "
                f"{self.name}, got {positions!r}."
            )
        return given


def plain_fingerprint(space: Space) -> str:
    """Fingerprint a space that its name and decisions tell apart. Studies on disk hold it, so it never changes."""
    content = json.dumps([space.name, [[decision.name, decision.signature] for decision in space.decisions]])
    return digest(content)


def digest(content: str) -> str:
    """Reduce a text to 16 hexadecimal digits, of which fingerprints consist."""
    # 64 bits: no two spaces that anybody has will meet by chance, and people can still compare them.
    return hashlib.sha256(content.encode()).hexdigest()[:16]


class FromModel(Protocol):
    """Signature of `Space.from_model`."""

    def __call__(self, model: Callable[[], Module], *, name: str = "model", example: Inputs | None = None) -> Space: ...


class FromOptuna(Protocol):
    """Signature of `Space.from_optuna`."""

    def __call__(self, suggest: Callable[[Any], object], *, name: str = "define-by-run") -> Space: ...


class FromConfigSpace(Protocol):
    """Signature of `Space.from_configspace`."""

    def __call__(self, configuration_space: Any, *, name: str | None = None) -> Space: ...  # noqa: ANN401 - of a package that need not be there
