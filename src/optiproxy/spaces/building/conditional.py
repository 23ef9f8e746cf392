"""A space of decisions of which some matter only where others have been taken in a certain way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optiproxy.errors import UsageError
from optiproxy.graph import GraphBatch
from optiproxy.spaces.building.blocks import Condition, Named, Place, follows, holds
from optiproxy.spaces.building.chain import Chain, Part
from optiproxy.spaces.decisions import Architecture, Decision
from optiproxy.spaces.space import Space

if TYPE_CHECKING:
    from torch import Tensor


class ConditionalSpace(Space):
    """Blocks in the order in which data meets them, some of them reached under conditions only.

    A decision that is reached nowhere is 0 in the canonical form: no two architectures differ in what does not matter.
    The graph is a chain of the blocks that are reached; what is not has no features and no edges, and data passes it by.

    Args:
        places: Where decisions are taken, in the order in which data meets them. A place whose block has been met already,
            wherever it is reached, adds nothing to the graph.
        name: Part of the study's identity.

    Raises:
        UsageError: If there is no decision, one name stands for two different decisions, or a condition speaks of a
            decision that there is not.
    """

    def __init__(self, places: Sequence[Place], *, name: str) -> None:
        self.name = name
        self.decisions = _decisions(places)
        positions = {decision.name: i for i, decision in enumerate(self.decisions)}
        self._parts: list[Part] = []
        for place in places:
            of_block = [positions[decision.name] for decision in place.block.decisions]
            when = self._condition(place.when, positions)
            # Where the block has been met on every way here, the data has it behind itself already.
            if not any(part.positions == of_block and follows(part.when, when) for part in self._parts):
                self._parts.append(Part(place.block, of_block, when))

    def active(self, architecture: Architecture) -> frozenset[int]:
        return frozenset(d for part in self._parts if holds(part.when, architecture) for d in part.positions)

    def build(self, architecture: Architecture | Mapping[str, object], *, seed: int = 0) -> Any:  # noqa: ANN401, ARG002 - as in `Space`
        """Return the values of the decisions that matter."""
        architecture = self.architecture(architecture)
        active = self.active(architecture)
        return {d.name: d.objects[architecture[i]] for i, d in enumerate(self.decisions) if i in active}

    def canonical(self, architecture: Architecture) -> Architecture:
        """Set what does not matter to 0, and put each block into a canonical form of its own."""
        # It ends, because every round but the last turns some choice into 0 and none back.
        while True:
            active = self.active(architecture)
            reset = tuple(choice if d in active else 0 for d, choice in enumerate(architecture))
            if reset == architecture:
                break
            architecture = reset  # what a decision that does not matter seemed to ask for may not matter either
        row = list(architecture)
        for part in self._parts:
            for d, choice in zip(
                part.positions, part.block.canonical(tuple(row[d] for d in part.positions)), strict=True
            ):
                row[d] = choice
        return tuple(row)

    def encode(self, weights: Tensor) -> GraphBatch:
        # Prepared at the first graph: the size of a space, or a profile of it, should not wait for that.
        return self._chain.encode(weights)

    def activity(self, weights: Tensor) -> Tensor:
        return self._chain.activity(weights)

    @cached_property
    def _chain(self) -> Chain:
        return Chain.of(self._parts, [decision.columns for decision in self.decisions])

    def _condition(self, when: Named, positions: Mapping[str, int]) -> Condition:
        """Turn names into positions, and leave out decisions of which every choice admits the part."""
        for name in when:
            if name not in positions:
                raise UsageError(f"A condition speaks of the decision {name!r}, which is not part of the space.")
        named = {positions[name]: choices for name, choices in when.items()}
        # What admits everything would be a term that is always 1.
        return {d: choices for d, choices in named.items() if len(choices) < len(self.decisions[d].choices)}


def _decisions(places: Sequence[Place]) -> tuple[Decision, ...]:
    """Return every decision once, in the order in which it is met."""
    found: dict[str, Decision] = {}
    for decision in (decision for place in places for decision in place.block.decisions):
        known = found.setdefault(decision.name, decision)
        # The texts are compared, too: 1 == True in Python, and they are two choices here.
        if known != decision or known.signature != decision.signature:
            raise UsageError(
                f"Two decisions are named {decision.name!r}, one with the choices {known.listed} and one with "
                f"{decision.listed}. Give them different names, or the same choices to decide both at once."
            )
    if not found:
        raise UsageError("A search space needs at least one decision, got none.")
    return tuple(found.values())
