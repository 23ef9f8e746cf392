"""Optuna's database storage, where what a search does for every query is one transaction of few statements.

Optuna writes a trial attribute by attribute, each in a transaction of its own with several statements, and reads it through
an object for every row: 0.2 to 0.5 s a query. Here a trial is written whole and read whole, in Optuna's own tables, so that
whatever reads Optuna's databases reads these, and a killed process leaves no half of a result.
"""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from collections.abc import Container, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast, final

from optuna.distributions import BaseDistribution, distribution_to_json, json_to_distribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage, _CachedStorage  # pyright: ignore[reportPrivateUsage]
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Connection, Row, Table, delete, func, insert, or_, select, update
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

_STUDIES, _TRIALS, _PARAMS, _VALUES, _CURVE, _USER, _SYSTEM = (
    cast("Table", model.__table__)
    for model in (
        models.StudyModel,
        models.TrialModel,
        models.TrialParamModel,
        models.TrialValueModel,
        models.TrialIntermediateValueModel,
        models.TrialUserAttributeModel,
        models.TrialSystemAttributeModel,
    )
)

_FEW = 500
"""Up to so many trials are named one by one; databases limit how many values a statement may have."""

_OPEN = (TrialState.RUNNING, TrialState.WAITING)


@final
class Database(RDBStorage):
    """An `RDBStorage` of Optuna with fewer and larger steps. It goes into a `_CachedStorage`, as Optuna's own does."""

    @classmethod
    def within(cls, storage: BaseStorage) -> Database | None:
        """The database in an open storage; None where that is none, or one that the user has opened."""
        backend = storage._backend if isinstance(storage, _CachedStorage) else None  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        return backend if isinstance(backend, cls) else None

    def finish(self, before: FrozenTrial, after: FrozenTrial) -> None:
        """End a trial in one transaction: nobody sees half of it, whenever this process is killed.

        Args:
            before: The trial as it was stored.
            after: As it is to be. What it has beyond ``before`` is written; the time of the end is now.

        Raises:
            UpdateFinishedTrialError: If somebody has ended it already.
        """
        identity = before._trial_id  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        with self.engine.begin() as connection:
            ended = connection.execute(
                update(_TRIALS)
                .where(_TRIALS.c.trial_id == identity, _TRIALS.c.state.in_(_OPEN))
                .values(state=after.state, datetime_complete=_utc(datetime.now()))  # noqa: DTZ005 - Optuna's times are naive
            )
            if not ended.rowcount:
                raise UpdateFinishedTrialError(f"Trial#{before.number} has already finished and can not be updated.")
            # A sign of life or a part of the same result, of an earlier version, may stand there.
            rest = copy.copy(after)
            rest.params, rest.distributions = {}, {}
            rest.user_attrs = _changed(before.user_attrs, after.user_attrs)
            rest.system_attrs = _changed(before.system_attrs, after.system_attrs)
            for table, keys in ((_USER, rest.user_attrs), (_SYSTEM, rest.system_attrs)):
                connection.execute(delete(table).where(table.c.trial_id == identity, table.c.key.in_(keys)))
            for table in (_VALUES, _CURVE):
                connection.execute(delete(table).where(table.c.trial_id == identity))
            _insert_beside(connection, identity, rest)
        self.settle()

    def settle(self) -> None:
        """On SQLite, move what was written ahead into the file itself, unless somebody reads just now.

        So a write-ahead file that is lost or cut takes no result with it, and neither does a power cut.
        """
        if self.engine.name == "sqlite":
            with suppress(OperationalError), self.engine.connect() as connection:
                wait = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
                connection.exec_driver_sql("PRAGMA busy_timeout=0")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql(f"PRAGMA busy_timeout={wait}")

    def _create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> FrozenTrial:
        if template_trial is None:
            return super()._create_new_trial(study_id)
        with self.engine.begin() as connection:
            # Numbers are given one by one: whoever else creates a trial waits here. SQLite has one writer anyway.
            study = select(_STUDIES.c.study_id).where(_STUDIES.c.study_id == study_id).with_for_update()
            if connection.execute(study).first() is None:
                raise KeyError(models.NOT_FOUND_MSG)
            row = {
                "study_id": study_id,
                "state": template_trial.state,
                "datetime_start": _utc(template_trial.datetime_start),
                "datetime_complete": _utc(template_trial.datetime_complete),
            }
            identity = cast("Any", connection.execute(insert(_TRIALS).values(row)).inserted_primary_key)[0]
            earlier = select(func.count()).where(_TRIALS.c.study_id == study_id, _TRIALS.c.trial_id < identity)
            number = connection.execute(earlier).scalar_one()
            connection.execute(update(_TRIALS).where(_TRIALS.c.trial_id == identity).values(number=number))
            _insert_beside(connection, identity, template_trial)
        created = copy.deepcopy(template_trial)
        created.number, created._trial_id = number, identity  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        return created

    def _get_trials(
        self,
        study_id: int,
        states: Container[TrialState] | None,
        included_trial_ids: set[int],
        trial_id_greater_than: int,
    ) -> list[FrozenTrial]:
        wanted: list[ColumnElement[bool]] = [
            _TRIALS.c.study_id == study_id,
            or_(_TRIALS.c.trial_id > trial_id_greater_than, _TRIALS.c.trial_id.in_(included_trial_ids)),
        ]
        if states is not None:
            wanted.append(_TRIALS.c.state.in_([state for state in TrialState if state in states]))
        with self.engine.connect() as connection:
            rows = connection.execute(select(_TRIALS).where(*wanted).order_by(_TRIALS.c.trial_id)).all()
            # After the states: what is read of a trial that has finished is all that it will ever have.
            identities = [row.trial_id for row in rows]
            these = identities if len(rows) <= _FEW else select(_TRIALS.c.trial_id).where(*wanted)
            beside = {table: _rows_beside(connection, table, these if rows else ()) for table in _BESIDE}
        return [_trial(row, {table: found[row.trial_id] for table, found in beside.items()}) for row in rows]


_Rows = Mapping[int, list[Row[Any]]]


def _rows_beside(connection: Connection, table: Table, trials: Any) -> _Rows:  # noqa: ANN401 - numbers or a selection of them
    """Trial -> its rows in one of the tables beside that of trials."""
    found: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    if trials != ():
        # In the order of writing, which is that of the decisions.
        for row in connection.execute(select(table).where(table.c.trial_id.in_(trials)).order_by(*table.primary_key)):
            found[row.trial_id].append(row)
    return found


def _trial(row: Row[Any], beside: Mapping[Table, list[Row[Any]]]) -> FrozenTrial:
    scales = {one.param_name: _distribution(one.distribution_json) for one in beside[_PARAMS]}
    values = {one.objective: _value(one.value, one.value_type) for one in beside[_VALUES]}
    return FrozenTrial(
        number=row.number,
        state=row.state,
        value=None,
        values=[values[objective] for objective in sorted(values)] or None,
        datetime_start=_local(row.datetime_start),
        datetime_complete=_local(row.datetime_complete),
        params={one.param_name: scales[one.param_name].to_external_repr(one.param_value) for one in beside[_PARAMS]},
        distributions=scales,
        user_attrs={one.key: json.loads(one.value_json) for one in beside[_USER]},
        system_attrs={one.key: json.loads(one.value_json) for one in beside[_SYSTEM]},
        intermediate_values={
            one.step: _step_value(one.intermediate_value, one.intermediate_value_type) for one in beside[_CURVE]
        },
        trial_id=row.trial_id,
    )


_BESIDE = (_PARAMS, _VALUES, _CURVE, _USER, _SYSTEM)
_value, _stored_value = models.TrialValueModel.stored_repr_to_value, models.TrialValueModel.value_to_stored_repr
_step_value = models.TrialIntermediateValueModel.stored_repr_to_intermediate_value
_stored_step = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr


@lru_cache(maxsize=4096)
def _distribution(text: str) -> BaseDistribution:
    """One object for all trials: a study has few distributions, and ten thousand trials of each."""
    return json_to_distribution(text)


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in after.items() if key not in before or before[key] != value}


def _insert_beside(connection: Connection, identity: int, trial: FrozenTrial) -> None:
    """Write all of a trial but its row in the table of trials."""
    scales, curve = trial.distributions, trial.intermediate_values
    rows: Mapping[Table, list[dict[str, Any]]] = {
        _PARAMS: [
            {
                "param_name": name,
                "param_value": scales[name].to_internal_repr(value),
                "distribution_json": distribution_to_json(scales[name]),
            }
            for name, value in trial.params.items()
        ],
        _VALUES: [
            {"objective": i, **dict(zip(("value", "value_type"), _stored_value(value), strict=True))}
            for i, value in enumerate(trial.values or ())
        ],
        _CURVE: [
            {
                "step": step,
                **dict(zip(("intermediate_value", "intermediate_value_type"), _stored_step(value), strict=True)),
            }
            for step, value in curve.items()
        ],
        _USER: [{"key": key, "value_json": json.dumps(one)} for key, one in trial.user_attrs.items()],
        _SYSTEM: [{"key": key, "value_json": json.dumps(one)} for key, one in trial.system_attrs.items()],
    }
    for table, written in rows.items():
        if written:
            connection.execute(insert(table), [{"trial_id": identity, **row} for row in written])


def _utc(local: datetime | None) -> datetime | None:
    """Optuna keeps times without a zone: of this machine in its trials, of UTC in the database."""
    return None if local is None else local.astimezone(UTC).replace(tzinfo=None)


def _local(utc: datetime | None) -> datetime | None:
    return None if utc is None else utc.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
