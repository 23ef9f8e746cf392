"""The trials of one study in its storage: read, begun, annotated and ended, whatever the storage is and though it may go away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, final

from optuna.exceptions import UpdateFinishedTrialError

from optiproxy.storage.backends.database import Database
from optiproxy.storage.backends.outage import Patience
from optiproxy.storage.schema import OWNER, Note

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial


@final
class StoredTrials:
    """The trials of a study, in the order of their numbers.

    Args:
        study: Whose.
        patience: How long its storage may be away.
    """

    def __init__(self, study: Study, patience: Patience) -> None:
        self._study = study
        self._patience = patience

    def at_once(self) -> StoredTrials:
        """The same trials, for what is not worth waiting for."""
        return StoredTrials(self._study, Patience(0.0))

    @property
    def name(self) -> str:
        """Of the study."""
        return self._study.study_name

    def read(self) -> list[FrozenTrial]:
        """All of them as they are now; not to be changed."""
        return self._patience(lambda: self._study.get_trials(deepcopy=False))

    def create(self, template: FrozenTrial) -> int:
        """Return Optuna's id of a new trial that is the template from its first moment, as `Study.ask` cannot make one."""
        tries = iter(range(10**9))

        def write() -> int:
            # The answer to an earlier try may have been lost, and not the trial.
            written = next(tries) and next(
                (t for t in self._study.get_trials(deepcopy=False) if _same(t, template)), None
            )
            return written._trial_id if written else self._storage.create_new_trial(self._study._study_id, template)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

        return self._patience(write)

    def annotate(self, trial: FrozenTrial, key: str, value: Note) -> None:
        """Write a system attribute.

        Raises:
            UpdateFinishedTrialError: If the trial has ended.
        """
        identity = trial._trial_id  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        self._patience(lambda: self._storage.set_trial_system_attr(identity, key, value))

    def finish(
        self, before: FrozenTrial, after: FrozenTrial, *, meanwhile: Callable[[], None] = lambda: None
    ) -> FrozenTrial:
        """End a trial, in one step where the storage is a database.

        Args:
            before: The trial as it was read.
            after: As it is to be: ended, with whatever it has beyond ``before``.
            meanwhile: Called once if the storage is away, before it is waited for.

        Returns:
            The trial as it stands if somebody has ended it already, else ``after``.
        """

        def write() -> FrozenTrial:
            try:
                self._finish(before, after)
            except UpdateFinishedTrialError:
                return self._storage.get_trial(before._trial_id)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
            return after

        return self._patience(write, meanwhile=meanwhile)

    def remark(self, key: str, value: object) -> None:
        """Write a user attribute of the study."""
        self._patience(lambda: self._study.set_user_attr(key, value))

    @property
    def _storage(self) -> Any:  # noqa: ANN401 - Optuna's, of whatever kind
        return self._study._storage  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    def _finish(self, before: FrozenTrial, after: FrozenTrial) -> None:
        storage, identity = self._storage, before._trial_id  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        database = Database.within(storage)
        if database is not None:
            database.finish(before, after)
            return
        for key, value in after.user_attrs.items():
            if before.user_attrs.get(key) != value:
                storage.set_trial_user_attr(identity, key, value)
        for key, value in after.system_attrs.items():
            if before.system_attrs.get(key) != value:
                storage.set_trial_system_attr(identity, key, value)
        for step, value in after.intermediate_values.items():
            storage.set_trial_intermediate_value(identity, step, value)
        # Last: what has ended takes no more.
        storage.set_trial_state_values(identity, after.state, after.values)


def _same(one: FrozenTrial, other: FrozenTrial) -> bool:
    """Whether two are the same query: by who has begun it, to the microsecond."""
    return one.datetime_start == other.datetime_start and one.system_attrs.get(OWNER) == other.system_attrs.get(OWNER)
