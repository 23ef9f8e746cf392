"""Create or open the Optuna study that keeps a search; every way in which that fails, as one plain sentence."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from optiproxy.errors import StudyError
from optiproxy.storage.backends.database import Database
from optiproxy.storage.backends.opening import Storage, address_of, opened
from optiproxy.storage.backends.outage import is_remote
from optiproxy.storage.backends.secrets import VARIABLE, cause, completed, names_server, scrubbed, shown
from optiproxy.storage.schema import STOPPED
from optiproxy.task.values import one_line

if TYPE_CHECKING:
    from optuna.study import Study

    from optiproxy.storage.identity import Identity

IDENTITY = "optiproxy"
"""User attribute of the study: `Identity.to_json`, and the budget."""

FAILURES = "failures"
"""It ended because nothing that was trained was of use."""


def open_study(
    identity: Identity, *, storage: Storage | None, name: str, budget: int, accept_changes: bool = False
) -> Study:
    """The study of this name, created if there is none, and proven to be writable.

    Args:
        identity: What the study has to be for.
        storage: As `optiproxy.storage.backends.opening` lists them; the folder of a file is created, and None keeps it in memory.
        name: Name of the study.
        budget: Kept beside the identity.
        accept_changes: Whether to go on where a function has changed since; where nothing has succeeded yet it always does.

    Raises:
        StudyError: If the storage cannot be read and written, or holds another search under this name.
    """
    directions = [
        StudyDirection.MINIMIZE if objective.direction == "min" else StudyDirection.MAXIMIZE
        for objective in identity.goal.objectives
    ]
    with storage_errors(storage), _quiet():
        held = opened(storage, create=True)
        study = optuna.create_study(
            storage=held,
            study_name=name,
            directions=directions,
            sampler=optuna.samplers.RandomSampler(),  # never asked: the log writes each trial whole
            load_if_exists=True,
        )
        stored = study.user_attrs.get(IDENTITY)
        trials = study.get_trials(deepcopy=False)
        if stored is not None or trials:
            identity.check(stored or {}, name)
            changed = identity.changed(stored or {})
            done = sum(trial.state == TrialState.COMPLETE for trial in trials)
            useless = study.user_attrs.get(STOPPED) == FAILURES
            if changed and done and not (accept_changes or useless):
                raise StudyError(
                    f"Study {name!r} holds {done} results, and since then the {' and the '.join(changed)} "
                    f"{'has' if len(changed) == 1 else 'have'} changed. Give study= another name to begin anew, or "
                    "accept_changes=True to go on with these results."
                )
        study.set_user_attr(IDENTITY, {**identity.to_json(), "budget": budget})
        if (database := Database.within(held)) is not None:
            database.settle()
        with warnings.catch_warnings():
            # Optuna calls the names of objectives experimental, and shows them everywhere.
            warnings.simplefilter("ignore", ExperimentalWarning)
            study.set_metric_names([objective.metric for objective in identity.goal.objectives])
    return study


def known_name(storage: Storage | None, *names: str) -> str:
    """The first of these names under which the storage holds a study, or the very first where it holds none."""
    if storage is None or len(set(names)) == 1:
        return names[0]
    with suppress(StudyError), storage_errors(storage), _quiet():
        held = {
            found.study_name: found.user_attrs.get(IDENTITY) or {}
            for found in opened(storage, create=False).get_all_studies()
        }
        # Under the former name only what an earlier version has written, which knew no digest of functions.
        return next(
            (name for name in names if name in held and (name == names[0] or "code" not in held[name])), names[0]
        )
    return names[0]


def stored_study(storage: Storage, name: str | None) -> tuple[Study, Mapping[str, Any]]:
    """An existing study and what it was made for.

    Args:
        storage: As for `open_study`; nothing is created.
        name: Name of the study; None where the storage holds just one.

    Raises:
        StudyError: If it cannot be read, there is no such study, or it is not one of optiproxy's.
    """
    with storage_errors(storage), as_written(name or shown(address_of(storage))), _quiet():
        database = opened(storage, create=False)
        names = sorted(found.study_name for found in database.get_all_studies())
        if name is None and len(names) != 1:
            raise StudyError(
                f"Expected one study in {shown(address_of(storage))}, found {len(names)}. Name one of: {', '.join(names) or '-'}."
            )
        if name is not None and name not in names:
            raise StudyError(
                f"There is no study {name!r} in {shown(address_of(storage))}. It holds: {', '.join(names) or 'none'}."
            )
        study = optuna.load_study(study_name=name or names[0], storage=database)
        stored = study.user_attrs.get(IDENTITY)
    if not isinstance(stored, Mapping):
        raise StudyError(f"Study {study.study_name!r} is not one of optiproxy's, so it cannot be reported on.")
    return study, stored


@contextmanager
def written_study(storage: Storage, name: str) -> Generator[Study]:
    """An existing study, opened for writing: a search may have ended with it before."""
    with _quiet():
        study = optuna.load_study(study_name=name, storage=opened(storage, create=True))
    with closed(study):
        yield study


@contextmanager
def closed(study: Study) -> Generator[None]:
    """Close the connections of a study at the end, unless the user has opened them."""
    try:
        yield
    finally:
        database = Database.within(study._storage)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        if database is not None:
            database.engine.dispose()


@contextmanager
def storage_errors(storage: Storage | None) -> Generator[None]:
    """Turn what a database raises, at any depth, into a `StudyError`."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, StorageInternalError | SQLAlchemyError | sqlite3.Error) and not is_remote(error):
            raise
        address = address_of(storage)
        raise _unusable(error, address) from cause(error, completed(address))


def _unusable(error: Exception, storage: str) -> StudyError:
    inner = error.__cause__ if isinstance(error, StorageInternalError) and error.__cause__ else error
    reason = scrubbed(str(getattr(inner, "orig", None) or one_line(inner)), completed(storage))
    advice = "Check that it is writable and undamaged, or use another."
    # Of what lies on a server the password may be missing: it is written down nowhere.
    if names_server(storage) and "password" in reason:
        advice = f"Give the whole address, with its password, in the environment variable {VARIABLE}."
    return StudyError(f"Cannot use the study database {shown(storage)}: {' '.join(reason.split())}. {advice}")


@contextmanager
def as_written(name: str) -> Generator[None]:
    """Turn whatever fails on something that no search has written into a `StudyError`: studies may come from anywhere.

    Args:
        name: Of the study.
    """
    try:
        yield
    except (
        *(ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError),
        *(RecursionError, SyntaxError, TypeError),
        ValueError,  # every `UsageError` is one: a goal or a space that cannot be
    ) as error:
        raise StudyError(
            f"The study {name!r} holds something that no search has written ({one_line(error)}). Use an undamaged copy."
        ) from error


@contextmanager
def _quiet() -> Generator[None]:
    """Without Optuna's note on each study that it creates."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(level, optuna.logging.WARNING))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
