"""From the trials of a study to the next proposal: the algorithm at work, told of everything that has finished."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, final

from optiproxy.optimizer import Algorithm, AlgorithmFactory, Proposal, Trial
from optiproxy.spaces import narrowed
from optiproxy.storage.schema import UNSEEN, architecture_of

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from optiproxy.metrics import Goal, Metrics
    from optiproxy.spaces import Architecture, Space
    from optiproxy.storage.parameters import Parameters

_Key = tuple[int, datetime | None]
"""Number and time: a trial of this number in another study, or of another state, is another one."""


class Source(Protocol):
    """Where a search has its proposals from."""

    def __call__(self, trials: Sequence[FrozenTrial], /) -> Sequence[Proposal] | Future[Any]:
        """What to try next, best first; none where no architecture is left; a future where that is still being computed.

        Called again with the trials of that moment when the future is done.
        """
        ...


@final
class Proposer:
    """Asks an algorithm for proposals after a list of Optuna trials, which the caller has read from the study.

    What it proposes depends on the arguments alone, not on what it was asked before. It remembers two things to save
    work: what each finished trial evaluates, and the algorithm, which it tells the new trials only. Where the trials do not go on
    from those of the call before, or the goal or what is fixed has changed, it builds the algorithm anew.

    Args:
        factory: Builds the algorithm.
        parameters: Of the space.
        seed: Of the algorithm.
        metrics: Reads what finished trials have measured, given in the order of ending; empty where one failed.
        known: Metrics that are measured before a query, so that nobody needs a prediction of them.

    Attributes:
        parameters: The same.
    """

    def __init__(
        self,
        factory: AlgorithmFactory,
        parameters: Parameters,
        *,
        seed: int,
        metrics: Callable[[Sequence[FrozenTrial]], Sequence[Metrics]],
        known: Collection[str] = (),
    ) -> None:
        self.parameters = parameters
        self._factory = factory
        self._seed = seed
        self._metrics = metrics
        self._known = known
        self._algorithm: Algorithm | None = None
        self._asked: tuple[Goal, Mapping[int, int]] | None = None
        self._told: list[Trial] = []
        self._architectures: dict[_Key, Architecture | None] = {}
        self._canonical: dict[Architecture, Architecture] = {}

    def propose(
        self,
        trials: Sequence[FrozenTrial],
        goal: Goal,
        n: int = 1,
        *,
        besides: Sequence[Architecture] = (),
        fixed: Mapping[int, int] = MappingProxyType({}),
    ) -> list[Proposal]:
        """Up to ``n`` proposals, best first; none where no architecture is left.

        Args:
            trials: All of the study but the one, if any, that the proposal is for. Finished ones are what the algorithm
                learns from, the others are pending.
            goal: What is good.
            n: How many are wanted.
            besides: Further architectures that are as good as pending.
            fixed: Position of a decision -> position of its choice, for decisions that are taken already.
        """
        history = self._history(trials)
        asked = goal, dict(fixed)
        # Also what runs in other processes, as far as it has told what it is, and what is enqueued.
        running = [trial for trial in trials if not trial.state.is_finished() and UNSEEN not in trial.system_attrs]
        pending = [self.architecture(trial) for trial in running]
        with _gradients():
            if self._algorithm is None or asked != self._asked or history[: len(self._told)] != self._told:
                self._algorithm = self._factory(self.space(fixed), goal, seed=self._seed)
            self._asked, self._told = asked, history
            self._algorithm.observe(history)
            proposed = self._algorithm.propose(n, [*(found for found in pending if found is not None), *besides])
        return [self._unknown(proposal) for proposal in proposed] if self._known else proposed

    def _unknown(self, proposal: Proposal) -> Proposal:
        """A proposal with predictions of what is not known."""
        predicted = {name: value for name, value in proposal.predicted.items() if name not in self._known}
        intervals = {name: bounds for name, bounds in proposal.intervals.items() if name not in self._known}
        return Proposal(proposal.architecture, predicted, intervals)

    def best(self, trials: Sequence[FrozenTrial], goal: Goal, fixed: Mapping[int, int]) -> list[Architecture]:
        """The best architecture that has finished, or the front of several objectives; none where none is feasible.

        Args:
            trials: As for `propose`.
            goal: What is good.
            fixed: As for `propose`; only what has these choices counts.
        """
        space = self.space(fixed)
        history = self._history(trials)
        known = [(space.canonical(trial.architecture), trial.metrics) for trial in history]
        valid = [(architecture, metrics) for architecture, metrics in known if space.is_valid(architecture)]
        return [valid[i][0] for i in goal.front([metrics for _, metrics in valid])]

    def space(self, fixed: Mapping[int, int]) -> Space:
        """The space, with these decisions taken."""
        return narrowed.fixed(self.parameters.space, fixed) if fixed else self.parameters.space

    def _history(self, trials: Sequence[FrozenTrial]) -> list[Trial]:
        """All finished trials as algorithms see them.

        In the order of ending, not of asking: so a search that goes on after an interrupt tells the same story.
        """
        seen = [trial for trial in trials if UNSEEN not in trial.system_attrs and trial.state.is_finished()]
        seen.sort(key=lambda trial: (_ended(trial), trial.number))
        known = zip(map(self.architecture, seen), self._metrics(seen), strict=True)
        # None is no architecture of this space.
        return [Trial(architecture, metrics) for architecture, metrics in known if architecture is not None]

    def architecture(self, trial: FrozenTrial) -> Architecture | None:
        """What a trial evaluates; None where it has not told yet, or evaluates something else."""
        key = (trial.number, trial.datetime_start)
        if key in self._architectures:
            return self._architectures[key]
        found = architecture_of(trial, self.parameters)
        # Until it has its parameters a trial may withdraw what it claims.
        if trial.state.is_finished() or self.parameters.distributions.keys() <= trial.params.keys():
            self._architectures[key] = found
        return found

    def canonical(self, architecture: Architecture | None) -> Architecture | None:
        """The form in which isomorphic architectures are equal."""
        if architecture is None:
            return None
        if architecture not in self._canonical:
            self._canonical[architecture] = self.parameters.space.canonical(architecture)
        return self._canonical[architecture]


def _gradients() -> AbstractContextManager[None]:
    """Gradients are computed within, whatever a training has left behind that ran in this process."""
    torch = sys.modules.get("torch")
    return nullcontext() if torch is None else torch.enable_grad()


def _ended(trial: FrozenTrial) -> datetime:
    return trial.datetime_complete or datetime.min  # noqa: DTZ901 - Optuna's times are naive
