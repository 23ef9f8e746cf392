"""Queries that have begun and not ended: kept alive while this search works on them, and given up when nobody does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, final

from optuna.exceptions import UpdateFinishedTrialError

from optiproxy.storage.backends.outage import StorageAwayError
from optiproxy.storage.liveness import Owner, Signs, Verdict, looked_at
from optiproxy.storage.schema import INTERRUPTED, OWNER, SEEN, current
from optiproxy.storage.writing import given_up

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from optiproxy.storage.artifacts import Artifacts
    from optiproxy.storage.backends.trials import StoredTrials


@final
class Claims:
    """Who works on the running queries of a study.

    Args:
        trials: Of the study.
        artifacts: Keep the files of trainings.
        rescue: Ends a query with the result that its worker has written down; False where it has written none.

    Attributes:
        owner: This search.
    """

    def __init__(self, trials: StoredTrials, artifacts: Artifacts, *, rescue: Callable[[FrozenTrial], bool]) -> None:
        self.owner = Owner()
        self._rescue = rescue
        self._trials = trials
        # The next sign comes soon: none is waited for.
        self._at_once = trials.at_once()
        self._artifacts = artifacts
        self._signs = Signs()

    def beat(self) -> None:
        """Give a sign of life for every query that this search has begun and not ended."""
        for trial, owner in self._running(self._at_once):
            if owner.get("run") == self.owner.run:
                with suppress(UpdateFinishedTrialError):
                    self._at_once.annotate(trial, SEEN, time.time())

    def recover(self) -> bool:
        """Give up the queries of processes that have ended, so that their architectures may be proposed again.

        What their workers have written down when a training had returned is stored.

        Returns:
            Whether there were any without a result.
        """
        gone = [trial for trial, owner in self._running() if self._verdict(trial, owner) == "gone"]
        lost = [trial for trial in gone if not self._rescue(trial)]
        for trial in lost:
            self.discard(trial, INTERRUPTED)
        return bool(lost)

    def settled(self) -> bool:
        """Whether every running query is known to be worked on; what nobody works on is given up. Asked again where not."""
        self.recover()
        return all(self._verdict(trial, owner) == "alive" for trial, owner in self._running())

    def release(self) -> None:
        """Give up the queries that this search has begun and not ended, as `recover` does.

        Without its storage, others will see that it has ended.
        """
        with suppress(StorageAwayError):
            for trial, owner in self._running():
                if owner.get("run") == self.owner.run and not self._rescue(trial):
                    self.discard(trial, INTERRUPTED)
        self._artifacts.close()

    def discard(self, trial: FrozenTrial, why: str) -> None:
        """End a query without a result: one of the reasons of `optiproxy.storage.schema.UNSEEN`."""
        ended = given_up(trial, why)
        if self._trials.finish(trial, ended) is ended:
            self._artifacts.discard(trial)

    def _verdict(self, trial: FrozenTrial, owner: Mapping[str, object]) -> Verdict:
        seen = looked_at(owner)
        return self._signs.verdict(trial.number, trial.system_attrs.get(SEEN)) if seen == "unknown" else seen

    def _running(self, trials: StoredTrials | None = None) -> Iterator[tuple[FrozenTrial, Mapping[str, object]]]:
        for trial in current((trials or self._trials).read()):
            owner = trial.system_attrs.get(OWNER)
            if not trial.state.is_finished() and isinstance(owner, Mapping):
                yield trial, owner
