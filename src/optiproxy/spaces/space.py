"""The search-space contract. Published spaces and user-made ones are the same thing to everything else."""

from __future__ import annotations

import hashlib
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

from optiproxy.errors import UsageError, unknown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Generator, Tensor
    from torch.nn import Module

    from optiproxy.graph import GraphBatch
    from optiproxy.spaces.building.conditional import ConditionalSpace
    from optiproxy.spaces.building.model import ModelSpace

Choice = str | int | float | bool | None
"""A value that a decision may take: anything that Optuna and JSON can store."""

Architecture = tuple[int, ...]
"""One position in `Decision.choices` per decision, in the order of `Space.decisions`."""


@dataclass(frozen=True)
class Decision:
    """One categorical choice.

    Raises:
        UsageError: If there is no choice, or one is listed twice.
    """

    name: str
    choices: tuple[Choice, ...]

    def __post_init__(self) -> None:
        if not self.choices:
            raise UsageError(f"Decision {self.name!r} needs at least one choice, got none.")
        if len({(type(choice), choice) for choice in self.choices}) < len(self.choices):
            raise UsageError(f"Decision {self.name!r} lists a choice twice: {list(self.choices)}.")


class Space(ABC):
    """A finite set of architectures with a differentiable graph encoding.

    A new space gives `name`, `decisions` and `encode`; it overrides `is_valid` where some combinations are no
    architecture, `canonical` where different combinations are the same network, and `sample`, `neighbours` and `draw`
    where valid architectures are too rare to be met by drawing or changing decisions one by one. `optiproxy.testing`
    holds the conformance suite that every space passes.

    Attributes:
        name: Short and stable; part of `fingerprint`.
        decisions: ``d`` categorical decisions. ``c`` below is the largest number of choices among them.
    """

    name: str
    decisions: tuple[Decision, ...]

    @abstractmethod
    def encode(self, weights: Tensor) -> GraphBatch:
        """Turn relaxed architectures into graphs; called in every step of training and ascent.

        Args:
            weights: ``(b, d, c)`` with ``weights[b, d, :]`` on the simplex over the decision's choices and zero beyond
                them. One-hot rows give the exact graph of the discrete architecture.

        Returns:
            Graphs that are differentiable in ``weights``.
        """

    def is_valid(self, architecture: Architecture) -> bool:  # noqa: ARG002 - most spaces admit every combination
        """Whether this combination is an architecture at all. May be expensive; called on few candidates."""
        return True

    def canonical(self, architecture: Architecture) -> Architecture:
        """The representative of all architectures that are the same network; idempotent."""
        return architecture

    def canonical_rows(self, architectures: NDArray[np.integer]) -> NDArray[np.integer]:
        """``(n, d)`` -> ``(n, d)``: `canonical` of each row; overridden where thousands are had faster together.

        Raises:
            UsageError: If a row is not valid.
        """
        import numpy as np

        rows = [tuple(row) for row in architectures.tolist()]
        for n, row in enumerate(rows):
            if not self.is_valid(row):
                raise UsageError(f"Expected architectures of {self.name}, but entry {n} is none: {row}.")
        return np.array([self.canonical(row) for row in rows], dtype=architectures.dtype).reshape(architectures.shape)

    def sample(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Draw up to ``n`` valid architectures, each decision uniform; fewer only where validity is too rare to meet."""
        found: list[Architecture] = []
        highs = [len(decision.choices) for decision in self.decisions]
        for _ in range(100):
            for row in rng.integers(0, highs, size=(n, len(highs))).tolist():
                if len(found) < n and self.is_valid(tuple(row)):
                    found.append(tuple(row))
            if len(found) >= n:
                break
        return found

    def examples(self, rng: np.random.Generator, n: int) -> list[Architecture]:
        """Up to ``n`` random architectures that show how the space is built; the proxy is pretrained on them.

        Unlike those of `sample` they need not keep limits that are expensive to check.
        """
        return self.sample(rng, n)

    def neighbours(self, architecture: Architecture) -> list[Architecture]:
        """Architectures near this one, nearest first: every combination that differs in one decision.

        Called on the leading candidates of each proposal. Their validity is not checked yet.
        """
        return [
            (*architecture[:i], choice, *architecture[i + 1 :])
            for i, decision in enumerate(self.decisions)
            for choice in range(len(decision.choices))
            if choice != architecture[i]
        ]

    def draw(self, chances: Tensor, n: int, generator: Generator) -> list[Architecture]:
        """Discrete architectures from relaxed ones: of each the likeliest, and ``n`` random ones.

        Called at the end of each ascent. Their validity is not checked yet, and some may be equal.

        Args:
            chances: ``(b, d, c)``, each decision's on the simplex over its choices.
            n: Random ones per relaxed architecture; 0 leaves the likeliest.
            generator: Draws.
        """
        import torch

        b, d, c = chances.shape
        rows = chances.argmax(-1)
        if n:  # of no random ones torch makes an error
            drawn = torch.multinomial(chances.reshape(b * d, c), n, replacement=True, generator=generator)
            rows = torch.cat([rows, drawn.view(b, d, n).transpose(1, 2).reshape(-1, d)])
        return [tuple(row) for row in rows.tolist()]

    def everything(self) -> Iterator[Architecture]:
        """Every combination that `size` counts, in lexicographic order; for spaces small enough to be gone through."""
        return product(*(range(len(decision.choices)) for decision in self.decisions))

    @cached_property
    def size(self) -> int:
        """Number of combinations of choices, valid or not, isomorphic or not."""
        return math.prod(len(decision.choices) for decision in self.decisions)

    @cached_property
    def widest(self) -> int:
        """``c``: the largest number of choices of any decision."""
        return max(len(decision.choices) for decision in self.decisions)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of name and decisions: two studies fit together when theirs are equal."""
        content = json.dumps([self.name, [[d.name, [repr(c) for c in d.choices]] for d in self.decisions]])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def one_hot(self, architectures: Sequence[Architecture]) -> Tensor:
        """``(b, d, c)`` float weights that `encode` maps to the exact graphs."""
        import torch

        chosen = torch.tensor(architectures, dtype=torch.long).reshape(len(architectures), len(self.decisions))
        return torch.nn.functional.one_hot(chosen, self.widest).to(torch.float32)

    def values(self, architecture: Architecture) -> dict[str, Choice]:
        """Decision name -> chosen value: what a user's function receives."""
        return {d.name: d.choices[i] for d, i in zip(self.decisions, architecture, strict=True)}

    def build(self, architecture: Architecture, *, seed: int = 0) -> Any:  # noqa: ANN401, ARG002 - what the space is made of
        """What a user's function is given to evaluate: here the `values`; a space of networks builds the network.

        Args:
            architecture: A valid member.
            seed: Of whatever is random about it, like initial weights.
        """
        return self.values(architecture)

    def where(self, rule: Callable[[Mapping[str, Choice]], bool]) -> Space:
        """This space without the architectures that break a rule; they are never proposed, so never trained.

        Example::

            space.where(lambda values: values["width"] % values["heads"] == 0)

        Args:
            rule: Called with the `values` of an architecture, in which decisions that do not matter have their first
                choice. Asked once per architecture.

        Raises:
            UsageError: Later, where the rule itself fails.
        """
        from optiproxy.spaces.wrappers.restricted import RestrictedSpace

        def admits(architecture: Architecture) -> bool:
            values = self.values(architecture)
            try:
                return bool(rule(values))
            except Exception as error:
                raise UsageError(
                    f"The rule fails for {values} ({type(error).__name__}: {error}). It has to answer for every architecture."
                ) from error

        return RestrictedSpace(self, admits)

    @staticmethod
    def from_model(model: Callable[[], Module], *, name: str = "model") -> ModelSpace:
        """Every network that a function can build with the parts of `optiproxy.nn`. See `ModelSpace`."""
        from optiproxy.spaces.building.model import ModelSpace

        return ModelSpace(model, name=name)

    @staticmethod
    def from_optuna(suggest: Callable[[Any], object], *, name: str = "define-by-run") -> ConditionalSpace:
        """The parameters that a function suggests to an Optuna trial. See `optiproxy.spaces.building.define_by_run`."""
        from optiproxy.spaces.building.define_by_run import space_of

        return space_of(suggest, name=name)

    @staticmethod
    def from_configspace(configuration_space: Any, *, name: str | None = None) -> Space:  # noqa: ANN401 - of a package that need not be there
        """The parameters of a ConfigSpace object. See `optiproxy.spaces.building.configspace`."""
        from optiproxy.spaces.building.configspace import space_from_configspace

        return space_from_configspace(configuration_space, name=name)

    def architecture(self, values: Mapping[str, object]) -> Architecture:
        """The inverse of `values`.

        Raises:
            UsageError: If a decision is missing, unknown, or has a value that is not among its choices.
        """
        names = [decision.name for decision in self.decisions]
        for name in values:
            if name not in names:
                raise unknown("decision", name, names)
        missing = [name for name in names if name not in values]
        if missing:
            raise UsageError(f"Expected a value for every decision; {', '.join(missing)} is missing.")
        return tuple(_position(decision, values[decision.name]) for decision in self.decisions)


def _position(decision: Decision, value: object) -> int:
    for position, choice in enumerate(decision.choices):
        # True == 1 in Python, but they are two choices here.
        if choice == value and isinstance(choice, bool) == isinstance(value, bool):
            return position
    raise UsageError(f"Decision {decision.name!r} takes one of {list(decision.choices)}, got {value!r}.")
