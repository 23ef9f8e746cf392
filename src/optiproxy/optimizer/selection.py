"""From relaxed to discrete: candidates around the ascended parameters, around the incumbents, and anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Generator, Tensor

from optiproxy.optimizer.parts import Score
from optiproxy.optimizer.records import Candidates, History, Problem
from optiproxy.optimizer.seen import Seen
from optiproxy.proxy import Prediction
from optiproxy.spaces import Architecture

ROOM = 10
"""How many times more places there are, at the spacing of the moment, than trials."""


@final
@dataclass(frozen=True, kw_only=True)
class LocalSelection:
    """A `Selection` that draws around the peaks and the incumbents, and goes on from the leading candidates.

    These last steps are taken in the discrete space, where no relaxation blurs them.

    Attributes:
        draws: Architectures drawn from each ascended parameter set.
        uniform: Share of uniform noise mixed into the distribution that they are drawn from.
        incumbents: Number of best trials of which all neighbours, one decision away, are candidates as well.
        neighbours: Largest number of these neighbours, drawn at random where there are more.
        rounds: How often the neighbours of the leading candidates join them.
        leaders: Number of candidates whose neighbours join.
        crowd: Largest number of neighbours that join at once, drawn at random where there are more.
        coarsest: How far apart numbers are tried at first, on a scale from 0 to 1.
        refinement: Number of trials times how far apart they are tried later, so that the landscape is modelled coarsely
            at first and finely where the search goes; two trials that nearly agree say hardly more than one.
    """

    draws: int = 8
    uniform: float = 0.1
    incumbents: int = 5
    neighbours: int = 120
    rounds: int = 3
    leaders: int = 5
    crowd: int = 500
    coarsest: float = 0.06
    refinement: float = 1.2

    def __call__(
        self, peaks: Tensor, *, problem: Problem, history: History, seen: Seen, score: Score, generator: Generator
    ) -> Candidates | None:
        space = problem.space
        spacing = self.spacing(len(history.architectures), len(space.points))
        seen = seen.apart(spacing)
        drawn = self.candidates(peaks, problem=problem, history=history, generator=generator)
        found = seen.unseen(map(space.canonical, drawn))
        if not found:
            return None
        prediction, values = score(found)
        met = seen.union(found)
        for _ in range(self.rounds):
            leaders = values.amax(0).argsort(descending=True)[: self.leaders].tolist()
            near = [space.canonical(near) for i in leaders for near in space.neighbours(found[i])]
            around = met.unseen(_some(near, self.crowd, generator))
            if not around:
                break
            met.update(around)
            found += around
            more, more_values = score(around)
            prediction, values = Prediction.joined([prediction, more]), torch.cat([values, more_values], 1)
        return Candidates(found, prediction, values.argsort(descending=True), spacing)

    def spacing(self, n: int, numbers: int) -> float:
        """How far apart numbers are tried after ``n`` trials: never so far that few numbers are soon used up."""
        return min(self.coarsest, self.refinement / n, (ROOM * n) ** (-1 / max(numbers, 1)))

    def candidates(
        self, peaks: Tensor, *, problem: Problem, history: History, generator: Generator
    ) -> list[Architecture]:
        """Distinct combinations of choices, not yet checked for validity or novelty."""
        space, layout = problem.space, problem.layout
        uniform = layout.mask / layout.mask.sum(1, keepdim=True)
        probabilities = layout.join((1 - self.uniform) * layout.softmax(peaks) + self.uniform * uniform, peaks)
        around = [near for best in history.incumbents[: self.incumbents] for near in space.neighbours(best)]
        drawn = space.draw(probabilities, self.draws, generator)
        return list(dict.fromkeys(drawn + _some(around, self.neighbours, generator)))


def _some(architectures: list[Architecture], most: int, generator: Generator) -> list[Architecture]:
    """At most so many of them, in random order."""
    order = torch.randperm(len(architectures), generator=generator)[:most].tolist()
    return [architectures[i] for i in order]


@final
@dataclass(frozen=True, kw_only=True)
class SampledSelection:
    """The paper's `Selection`: architectures sampled from each parameter set, ranked by the proxy.

    Attributes:
        batch: Number of architectures sampled in each round, from all sets together.
    """

    batch: int = 100

    def __call__(
        self,
        peaks: Tensor,
        *,
        problem: Problem,
        history: History,  # noqa: ARG002 - the parameters alone say where to look
        seen: Seen,
        score: Score,
        generator: Generator,
    ) -> Candidates | None:
        probabilities = problem.layout.softmax(peaks)
        # `Space.draw` adds the likeliest of each set.
        drawn = problem.space.draw(probabilities, max(self.batch // len(peaks) - 1, 1), generator)
        found = seen.unseen(map(problem.space.canonical, drawn))
        if not found:
            return None
        prediction, values = score(found)
        # Stable: of those that are predicted to break a limit, all equally bad, the first that was drawn.
        return Candidates(found, prediction, values.argsort(descending=True, stable=True))
