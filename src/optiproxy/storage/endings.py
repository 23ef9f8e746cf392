"""How queries end: with a result that is never thrown away, whatever happens to the storage, to the search or to its claim."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, final

from optuna.trial import FrozenTrial, TrialState

from optiproxy.execution.evaluation import Evaluation
from optiproxy.execution.receipts import read
from optiproxy.storage.backends.outage import StorageAwayError
from optiproxy.storage.schema import FIDELITY, OWNER, RETRY_OF, metrics_of, was_given_up
from optiproxy.storage.writing import ended, late

if TYPE_CHECKING:
    from optiproxy.metrics import Goal
    from optiproxy.storage.artifacts import Artifacts
    from optiproxy.storage.backends.stranded import Stranded
    from optiproxy.storage.backends.trials import StoredTrials


@final
class Endings:
    """Writes results into a study.

    Args:
        trials: Of the study.
        goal: Says which values and limits Optuna is told.
        artifacts: Keeps the files of trainings.
        keep: Of how many of the best.
        stranded: Keeps the results that the study cannot take.
    """

    def __init__(
        self, trials: StoredTrials, goal: Goal, *, artifacts: Artifacts, keep: int, stranded: Stranded
    ) -> None:
        self._trials = trials
        self._goal = goal
        self._artifacts = artifacts
        self._keep = keep
        self._stranded = stranded

    def end(self, begun: FrozenTrial, evaluation: Evaluation) -> FrozenTrial:
        """End a query with what became of it; returns its trial as it is told.

        Where others have not heard of this process for so long that they gave the query up, the result takes its place all the
        same, even if the budget is spent: it has been paid for. Where the storage is away for too long, the result waits beside
        the study for the next search.

        Raises:
            StorageAwayError: If the storage is away and the result cannot be kept anywhere else.
        """
        if evaluation.reason or evaluation.folder is None:
            self._artifacts.discard(begun, evaluation.folder)
            files: Mapping[str, str] = {}
        else:
            files = self._artifacts.take(begun, evaluation.folder)
        told = ended(begun, evaluation, self._goal, files)
        try:
            self._settle(begun, told)
            self._stranded.drop(told)
            if files:
                self._retain()
        except StorageAwayError as error:
            if self._stranded.where(told) is None:
                raise StorageAwayError(
                    f"{error} The result of trial {begun.number} could be kept nowhere: {dict(evaluation.metrics)}."
                ) from error
        receipt = self._place(begun)
        if receipt is not None:
            with suppress(OSError):  # it may never have been written, nor its folder
                receipt.unlink()
        return told

    def receipt(self, begun: FrozenTrial) -> Path | None:
        """Where the worker writes down how the evaluation of a query has ended; None where it is to write nothing."""
        path = self._place(begun)
        if path is not None:
            with suppress(OSError):  # without it the result is handed back all the same
                path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def rescue(self, begun: FrozenTrial) -> bool:
        """End a query that nobody waits for any longer with the result that its worker has written down, if it has."""
        receipt = self._place(begun)
        returned = None if receipt is None else read(receipt, folder=self._artifacts.folder(begun))
        if returned is None:
            return False
        self.end(begun, returned)
        return True

    def restore(self) -> None:
        """Store the results that an earlier search had to leave beside the study. Called before any query is given up."""
        for result in [*self._stranded]:
            whose = (result.number, result.system_attrs[OWNER])
            same = [t for t in self._trials.read() if (t.number, t.system_attrs.get(OWNER)) == whose]
            if same:
                self._settle(same[0], result)
            else:  # its query has got lost
                self._trials.create(result)
            self._stranded.drop(result)

    def _place(self, begun: FrozenTrial) -> Path | None:
        owner = begun.system_attrs.get(OWNER)
        return self._artifacts.receipt(begun, str(owner.get("run"))) if isinstance(owner, Mapping) else None

    def _settle(self, begun: FrozenTrial, told: FrozenTrial) -> None:
        """End a trial, or, where it was given up, put a new one in its place."""
        now = self._trials.finish(begun, told, meanwhile=lambda: self._stranded.keep(told))
        if now is not told and was_given_up(now):
            again = late(told)
            if all(trial.system_attrs.get(RETRY_OF) != told.number for trial in self._trials.read()):
                self._trials.create(again)

    def _retain(self) -> None:
        """Keep the files of the best alone: those that the answer may be one of. Needed where there are new ones."""
        if self._artifacts.root is None:
            return
        # All of the study, what was tried again included. Results from elsewhere have no files here.
        every = [t for t in self._trials.read() if t.state.is_finished() and OWNER in t.system_attrs]
        # At a lower fidelity values do not compare; what is promoted is trained again.
        full = [t for t in every if t.state == TrialState.COMPLETE and FIDELITY not in t.user_attrs]
        best = self._goal.leading([metrics_of([trial])[0] for trial in full], self._keep)
        self._artifacts.retain(every, {full[i].number for i in best})
