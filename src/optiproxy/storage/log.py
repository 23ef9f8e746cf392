"""The log of queries: begun, ended and given up in an Optuna study that other processes may share."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, final

from optuna.trial import FrozenTrial, TrialState

from optiproxy.execution.evaluation import Evaluation
from optiproxy.metrics import Goal, Metrics
from optiproxy.optimizer import Proposal
from optiproxy.storage.artifacts import Artifacts, kept_files
from optiproxy.storage.backends.outage import Patience
from optiproxy.storage.backends.stranded import Stranded
from optiproxy.storage.backends.trials import StoredTrials
from optiproxy.storage.claims import Claims
from optiproxy.storage.endings import Endings
from optiproxy.storage.proposer import Proposer, Source
from optiproxy.storage.record import Query, Record
from optiproxy.storage.schema import (
    DUPLICATE,
    FIDELITY,
    OWNER,
    PROMOTED,
    STOPPED,
    SURPLUS,
    UNSEEN,
    current,
    explores,
    finished_records,
    metrics_of,
    promotes,
)
from optiproxy.storage.writing import begun, earlier_result, nothing_left

if TYPE_CHECKING:
    from optuna.study import Study

    from optiproxy.spaces import Architecture


@final
class QueryLog:
    """All queries of one study.

    Several processes may work on it. None of them locks anything: each writes a query whole, then looks, and of two that
    are in each other's way the one with the lower number stays. Optuna numbers trials in the order in which they are
    written, so all agree on which that is, and the lower one need not look back.

    Args:
        study: Keeps the queries.
        proposer: Says what the algorithm proposes next.
        goal: Says which values and limits Optuna is told.
        artifacts: Keeps the files of trainings.
        keep: Of how many of the best.
        first: Architectures to be asked for before any that the algorithm proposes.
        patience: How long the storage of the study may be away.
        stranded: Keeps the results that the study cannot take.

    Attributes:
        endings: How what runs ends.
        claims: Who works on it.
    """

    def __init__(
        self,
        study: Study,
        proposer: Proposer,
        goal: Goal,
        *,
        artifacts: Artifacts | None = None,
        keep: int = 1,
        first: Sequence[Architecture] = (),
        patience: Patience | None = None,
        stranded: Stranded | None = None,
    ) -> None:
        self._study = StoredTrials(study, patience or Patience())
        self._proposer = proposer
        self._goal = goal
        self._artifacts = artifacts or Artifacts(None)
        self._first = first
        self.endings = Endings(
            self._study,
            goal,
            artifacts=self._artifacts,
            keep=keep,
            stranded=stranded or Stranded((), proposer.parameters),
        )
        self.claims = Claims(self._study, self._artifacts, rescue=self.endings.rescue)

    @property
    def name(self) -> str:
        """Of the study."""
        return self._study.name

    def records(self) -> list[Record]:
        """All finished queries, in the order in which they finished."""
        return finished_records(self._trials(), self._proposer.parameters, self._artifacts.root)

    def learn(self, results: Sequence[tuple[Architecture, Metrics]]) -> None:
        """Store results from elsewhere, each once; the algorithm learns from them, and no budget counts them."""
        known = [
            (self._canonical(trial), metrics_of([trial])[0])
            for trial in self._trials()
            if OWNER not in trial.system_attrs
        ]
        for architecture, metrics in results:
            if (self._proposer.canonical(architecture), metrics) not in known:
                self._study.create(earlier_result(self._proposer.parameters, architecture, metrics, self._goal))

    def folder(self, query: Query) -> Path | None:
        """Where the training of a query may write, empty; None for a temporary folder."""
        self._artifacts.discard(query.stored)
        return self._artifacts.folder(query.stored)

    def curves(self) -> list[FrozenTrial]:
        """Finished queries that have reported a learning curve, but for those that break a limit: nobody wants to be like these."""
        finished = [trial for trial in self._trials() if trial.state.is_finished() and trial.intermediate_values]
        return [t for t in finished if t.state != TrialState.COMPLETE or self._goal.feasible(metrics_of([t])[0])]

    def end(self, reason: str) -> None:
        """Say in the study why this run has ended."""
        self._study.remark(STOPPED, reason)

    def exploring(self) -> bool:
        """Whether a query that an algorithm has proposed is running, here or in another process that lives."""
        self.claims.recover()
        return any(explores(trial) and not trial.state.is_finished() for trial in self._trials())

    def ask(
        self, *, budget: int, fidelity: int | None = None, propose: Source | None = None
    ) -> Query | Future[Any] | Literal["spent", "exhausted"]:
        """Begin a query that the algorithm proposes. The study is read twice, before and after the query is written.

        Args:
            budget: Such queries in all, with those that have finished already or run in other processes.
            fidelity: Where to evaluate it.
            propose: Says what the algorithm proposes; None asks it at once.

        Returns:
            The query; ``"spent"`` where the budget is, ``"exhausted"`` where no architecture is left; the future of
            ``propose`` where that is still computing.
        """
        start = time.perf_counter()
        trials = self._trials()
        # Each round that ends without a query ends because another process has begun one, so the rounds are few.
        while len(self._standing(trials, explores)) < budget or self.claims.recover():
            proposals = self._wished(trials) or (
                propose(trials) if propose else self._proposer.propose(trials, self._goal)
            )
            if isinstance(proposals, Future):
                return proposals
            if not proposals:
                # Stored, because a later run and `load` have to tell this end from an interrupt.
                self._study.create(nothing_left(self.claims.owner))
                return "exhausted"
            query, trials = self._begin(proposals[0], trials, start=start, fidelity=fidelity, budget=budget)
            if query is not None:
                return query
        return "spent"

    def _wished(self, trials: Sequence[FrozenTrial]) -> list[Proposal]:
        """The first architecture to begin with that no trial has evaluated yet; none where all have been."""
        if not self._first:
            return []
        seen = {self._canonical(trial) for trial in trials}
        left = (architecture for architecture in self._first if self._proposer.canonical(architecture) not in seen)
        return [Proposal(architecture) for architecture in islice(left, 1)]

    def retry(self) -> Query | None:
        """Begin a query that has failed again, in its place; None where none has failed that was not tried again in this search."""
        start = time.perf_counter()
        trials = self._trials()
        for trial in trials:
            architecture = self._proposer.architecture(trial)
            failed = trial.state == TrialState.FAIL and (explores(trial) or promotes(trial))
            if failed and architecture is not None and self._before(trial):
                fidelity = trial.user_attrs.get(FIDELITY)
                query, trials = self._begin(
                    Proposal(architecture),
                    trials,
                    start=start,
                    fidelity=fidelity,
                    unseen=trial.system_attrs.get(UNSEEN),
                    retry_of=trial.number,
                )
                if query is not None:
                    return query
        return None

    def _before(self, trial: FrozenTrial) -> bool:
        """Whether a trial was begun by an earlier search than this one."""
        owner = trial.system_attrs.get(OWNER)
        return isinstance(owner, Mapping) and owner.get("run") != self.claims.owner.run

    def promote(self, candidates: Sequence[tuple[Architecture, Metrics]]) -> Query | None:
        """Begin the query, at the full fidelity, of the first candidate that nobody has begun; None where none is left.

        Args:
            candidates: Architectures seen at a lower fidelity, and the metrics that hold as they were measured there.
        """
        start = time.perf_counter()
        trials = self._trials()
        for architecture, known in candidates:
            proposal = Proposal(architecture)
            if self._key(proposal) not in map(self._canonical, filter(promotes, trials)):
                query, trials = self._begin(proposal, trials, start=start, unseen=PROMOTED, known=known)
                if query is not None:
                    return query
        return None

    def tell(self, query: Query, evaluation: Evaluation) -> Record:
        """End a query with what became of it, as `Endings.end` does."""
        told = self.endings.end(query.stored, evaluation)
        return Record(
            number=query.number,
            architecture=query.architecture,
            state="failed" if evaluation.reason else "pruned" if evaluation.pruned else "complete",
            metrics=evaluation.metrics,
            reason=evaluation.reason,
            predicted=query.predicted,
            intervals=query.intervals,
            ask_seconds=query.ask_seconds,
            evaluation_seconds=evaluation.seconds,
            fidelity=query.fidelity,
            curve=evaluation.curve,
            attributes=evaluation.attributes,
            traceback=evaluation.traceback,
            output=evaluation.output,
            kind=evaluation.kind,
            files=kept_files(told, self._artifacts.root),
            space=self._proposer.parameters.space,
        )

    def _begin(
        self,
        proposal: Proposal,
        before: Sequence[FrozenTrial],
        *,
        start: float,
        fidelity: int | None = None,
        unseen: str | None = None,
        retry_of: int | None = None,
        budget: float = math.inf,
        known: Metrics = MappingProxyType({}),
    ) -> tuple[Query | None, list[FrozenTrial]]:
        """Write a query, then look who has begun others meanwhile, and give way to those that came first.

        Returns:
            The query, or None where it gave way; and all other trials as they are now.
        """
        seconds = time.perf_counter() - start
        parameters, owner = self._proposer.parameters, self.claims.owner
        identity = self._study.create(
            begun(
                proposal,
                parameters,
                owner=owner,
                ask_seconds=seconds,
                fidelity=fidelity,
                unseen=unseen,
                retry_of=retry_of,
            )
        )
        now = self._trials()
        stored = next(trial for trial in reversed(now) if trial._trial_id == identity)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        ahead = [trial for trial in now if trial.number < stored.number]
        # An architecture that the algorithm was told of it has not proposed again.
        told = {trial.number for trial in before if self._proposer.architecture(trial) is not None}
        rivals = [trial for trial in ahead if trial.number not in told and trial.system_attrs.get(UNSEEN) == unseen]
        query = None
        # Whatever is ahead has been written before and is seen here; whatever comes later gives way by itself.
        if self._key(proposal) in map(self._canonical, rivals):
            self.claims.discard(stored, DUPLICATE)
        elif len(self._standing(ahead, explores)) >= budget:
            self.claims.discard(stored, SURPLUS)
        else:
            query = Query(
                stored=stored,
                number=self._number(now, stored),
                architecture=proposal.architecture,
                predicted=dict(proposal.predicted),
                intervals=dict(proposal.intervals),
                ask_seconds=seconds,
                fidelity=fidelity,
                known=known,
            )
        return query, [trial for trial in now if trial is not stored]

    def _number(self, trials: Sequence[FrozenTrial], stored: FrozenTrial) -> int:
        """Position of a query among those that count: one that is tried again has the place of the first try."""
        ahead = trials[: next(i for i, trial in enumerate(trials) if trial.number == stored.number)]
        return len(self._standing(ahead, explores)) + len(self._standing(ahead, promotes))

    def _standing(self, trials: Sequence[FrozenTrial], kind: Callable[[FrozenTrial], bool]) -> list[FrozenTrial]:
        """The trials of a kind, without those that are about to be discarded as duplicates by whoever has begun them.

        If these counted, two processes could give way to each other's discarded trials, and leave a query unspent.
        """
        found = [trial for trial in trials if kind(trial)]
        # Nearly always: one process with one worker runs nothing while it asks.
        if all(trial.state.is_finished() for trial in found):
            return found
        first: dict[Architecture | None, FrozenTrial] = {}
        standing: list[FrozenTrial] = []
        for trial in found:
            # A finished one has been paid for, whatever it repeats.
            key = self._canonical(trial)
            if first.setdefault(key, trial) is trial or key is None or trial.state.is_finished():
                standing.append(trial)
        return standing

    def _trials(self) -> list[FrozenTrial]:
        return current(self._study.read())

    def _key(self, proposal: Proposal) -> Architecture | None:
        return self._proposer.canonical(proposal.architecture)

    def _canonical(self, trial: FrozenTrial) -> Architecture | None:
        return self._proposer.canonical(self._proposer.architecture(trial))
