"""The search-space contract. Published spaces and user-made ones are the same thing to everything else."""

from __future__ import annotations

import hashlib
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias, final

from optiproxy.errors import UsageError, unknown
from optiproxy.spaces.decisions import Architecture, Choice, Decision

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Generator, Tensor
    from torch.nn import Module

    from optiproxy.graph import GraphBatch

ROUNDS = 100
"""Rounds of draws before a sample is given up: enough where one architecture in a hundred is valid."""

Rule: TypeAlias = "Callable[[Mapping[str, Choice]], bool]"
"""Says of the `Space.values` of an architecture whether it may be proposed."""


class Space(ABC):
    """A finite set of architectures with a differentiable graph encoding.

    A new space gives `name`, `decisions` and `encode`, and that is enough where every combination of choices is an
    architecture of its own. It overrides

    - `is_valid` where some combinations are no architecture,
    - `canonical` where different combinations are the same network,
    - `build` where users' functions are to receive something else than a mapping of values, such as a network,
    - `sample`, `neighbours` and `draw` where valid architectures are too rare to be met by taking decisions one by one,
    - `everything` and `size` where the space is a list and not a product,
    - `fingerprint` where name and decisions do not tell all spaces of the kind apart.

    Whatever is asked of a space depends on the arguments alone: no method keeps a random state, and none may change an
    answer once given. Methods that draw take their generator from the caller. The methods marked final follow from the
    decisions. `optiproxy.testing` holds the conformance suite that every space passes.

    Attributes:
        name: Short and stable; part of `fingerprint`.
        decisions: ``d`` categorical decisions. ``c`` below is the largest number of choices among them.
    """

    name: str
    decisions: tuple[Decision, ...]

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
            weights: ``(b, d, c)`` with ``weights[b, d, :]`` on the simplex over the decision's choices and zero beyond
                them. One-hot rows give the exact graph of the discrete architecture.

        Returns:
            ``b`` graphs that are differentiable in ``weights``, in whose precision and on whose device they are.
        """

    def is_valid(self, architecture: Architecture) -> bool:  # noqa: ARG002 - most spaces admit every combination
        """Return whether this combination is an architecture at all. May be expensive; called on few candidates."""
        return True

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
        highs = [len(decision.choices) for decision in self.decisions]
        for _ in range(ROUNDS):
            # A whole round at once, of which the first valid ones are taken: quicker than row after row.
            for row in rng.integers(0, highs, size=(n, len(highs))).tolist():
                if len(found) < n and self.is_valid(tuple(row)):
                    found.append(tuple(row))
            if len(found) >= n:
                break
        return found

    def examples(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Return up to ``n`` random architectures that show how the space is built; the proxy is pretrained on them.

        Called once per search. Unlike those of `sample` they need not keep limits that are expensive to check.
        """
        return self.sample(rng, n)

    def neighbours(self, architecture: Architecture) -> list[Architecture]:
        """Return architectures near this one, nearest first: every combination that differs in one decision.

        Called on the leading candidates of each proposal. Their validity is not checked yet.
        """
        return [
            (*architecture[:i], choice, *architecture[i + 1 :])
            for i, decision in enumerate(self.decisions)
            for choice in range(len(decision.choices))
            if choice != architecture[i]
        ]

    def draw(self, probabilities: Tensor, n: int, generator: Generator) -> list[Architecture]:
        """Return discrete architectures from relaxed ones: of each the likeliest, and ``n`` random ones.

        Called at the end of each ascent. Their validity is not checked yet, and some may be equal.

        Args:
            probabilities: ``(b, d, c)``, each decision's on the simplex over its choices.
            n: Random ones per relaxed architecture; 0 leaves the likeliest.
            generator: Draws.
        """
        import torch

        b, d, c = probabilities.shape
        # The likeliest ones come first, then the random ones.
        rows = probabilities.argmax(-1)
        if n:  # torch refuses to draw nothing
            # torch draws from the rows of a matrix, so batch and decisions become one axis for a moment.
            drawn = torch.multinomial(probabilities.reshape(b * d, c), n, replacement=True, generator=generator)
            rows = torch.cat([rows, drawn.view(b, d, n).transpose(1, 2).reshape(-1, d)])
        return [tuple(row) for row in rows.tolist()]

    def build(self, architecture: Architecture, *, seed: int = 0) -> Any:  # noqa: ANN401, ARG002 - what the space is made of
        """Make what a user's function is given to evaluate: here the `values`; a space of networks builds the network.

        Called once per training, in the process that trains.

        Args:
            architecture: A valid member.
            seed: Settles whatever is random about it, like initial weights.
        """
        return self.values(architecture)

    def everything(self) -> Iterator[Architecture]:
        """Yield every combination that `size` counts, in lexicographic order; for spaces that are small enough."""
        return product(*(range(len(decision.choices)) for decision in self.decisions))

    @cached_property
    def size(self) -> int:
        """Number of combinations of choices, valid or not, isomorphic or not."""
        return math.prod(len(decision.choices) for decision in self.decisions)

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that say which space this is: two studies fit together when theirs are equal."""
        return plain_fingerprint(self)

    @final
    @cached_property
    def widest(self) -> int:
        """``c``: the largest number of choices of any decision."""
        return max(len(decision.choices) for decision in self.decisions)

    @property
    @final
    def choice_mask(self) -> Tensor:
        """``(d, c)`` booleans: True where the decision has that choice, False beyond its choices."""
        import torch

        counts = torch.tensor([len(decision.choices) for decision in self.decisions])
        return torch.arange(self.widest)[None, :] < counts[:, None]

    @final
    def one_hot(self, architectures: Sequence[Architecture]) -> Tensor:
        """Return ``(b, d, c)`` float weights that `encode` maps to the exact graphs."""
        import torch

        # Reshaped for the sake of no architectures at all, which would lose their number of decisions.
        chosen = torch.tensor(architectures, dtype=torch.long).reshape(len(architectures), len(self.decisions))
        return torch.nn.functional.one_hot(chosen, self.widest).to(torch.float32)

    @final
    def values(self, architecture: Architecture) -> dict[str, Choice]:
        """Map the name of every decision to the chosen value."""
        # Strict, because an architecture of another space that is merely longer would pass unnoticed.
        return {d.name: d.choices[i] for d, i in zip(self.decisions, architecture, strict=True)}

    @final
    def architecture(self, values: Mapping[str, object]) -> Architecture:
        """Return the inverse of `values`.

        Raises:
            UsageError: If a decision is missing, unknown, or has a value that is not among its choices.
        """
        names = [decision.name for decision in self.decisions]
        # Before what is missing: a misspelt name is both, and the hint belongs to this one.
        for name in values:
            if name not in names:
                raise unknown("decision", name, names)
        missing = [name for name in names if name not in values]
        if missing:
            raise UsageError(f"Expected a value for every decision; {', '.join(missing)} is missing.")
        return tuple(decision.position(values[decision.name]) for decision in self.decisions)


def plain_fingerprint(space: Space) -> str:
    """Fingerprint a space that its name and decisions tell apart. Studies on disk hold it, so it never changes."""
    # `repr` tells 1, True and "1" apart.
    content = json.dumps([space.name, [[d.name, [repr(c) for c in d.choices]] for d in space.decisions]])
    return digest(content)


def digest(content: str) -> str:
    """Reduce a text to 16 hexadecimal digits, of which fingerprints consist."""
    # 64 bits: no two spaces that anybody has will meet by chance, and people can still compare them.
    return hashlib.sha256(content.encode()).hexdigest()[:16]


class FromModel(Protocol):
    """Signature of `Space.from_model`."""

    def __call__(self, model: Callable[[], Module], *, name: str = "model") -> Space: ...


class FromOptuna(Protocol):
    """Signature of `Space.from_optuna`."""

    def __call__(self, suggest: Callable[[Any], object], *, name: str = "define-by-run") -> Space: ...


class FromConfigSpace(Protocol):
    """Signature of `Space.from_configspace`."""

    def __call__(self, configuration_space: Any, *, name: str | None = None) -> Space: ...  # noqa: ANN401 - of a package that need not be there
