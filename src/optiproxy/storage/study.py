"""Create or open the Optuna study that keeps a search; every way in which that fails, as one plain sentence."""

from __future__ import annotations

import sqlite3
import time
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, OperationalError, SQLAlchemyError

from optiproxy.errors import StudyError, UsageError
from optiproxy.storage.secrets import VARIABLE, cause, completed, names_server, scrubbed, shown
from optiproxy.task.values import one_line

if TYPE_CHECKING:
    from optuna.study import Study

    from optiproxy.storage.identity import Identity

IDENTITY = "optiproxy"
"""User attribute of the study: `Identity.to_json`, and the budget."""

STOPPED = "optiproxy:stopped"
"""User attribute of the study: why the latest run has ended."""

FAILURES = "failures"
"""It ended because nothing that was trained was of use."""

SQLITE = "sqlite:///"


def open_study(
    identity: Identity, *, storage: str | None, name: str, budget: int, accept_changes: bool = False
) -> Study:
    """The study of this name, created if there is none, and proven to be writable.

    Args:
        identity: What the study has to be for.
        storage: An SQLAlchemy URL, or the path of an SQLite file, whose folder is created; None keeps it in memory.
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
        study = optuna.create_study(
            storage=_open(storage, missing=_make_folder),
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
        with warnings.catch_warnings():
            # Optuna calls the names of objectives experimental, and shows them everywhere.
            warnings.simplefilter("ignore", ExperimentalWarning)
            study.set_metric_names([objective.metric for objective in identity.goal.objectives])
    return study


def known_name(storage: str | None, *names: str) -> str:
    """The first of these names under which the storage holds a study, or the very first where it holds none."""
    if storage is None or len(set(names)) == 1:
        return names[0]
    with suppress(StudyError), storage_errors(storage), _quiet():
        held = {
            found.study_name: found.user_attrs.get(IDENTITY) or {}
            for found in _open(storage, missing=_refuse).get_all_studies()
        }
        # Under the former name only what an earlier version has written, which knew no digest of functions.
        return next(
            (name for name in names if name in held and (name == names[0] or "code" not in held[name])), names[0]
        )
    return names[0]


def stored_study(storage: str, name: str | None) -> tuple[Study, Mapping[str, Any]]:
    """An existing study and what it was made for.

    Args:
        storage: As for `open_study`; nothing is created.
        name: Name of the study; None where the storage holds just one.

    Raises:
        StudyError: If it cannot be read, there is no such study, or it is not one of optiproxy's.
    """
    with storage_errors(storage), as_written(name or shown(storage)), _quiet():
        opened = _open(storage, missing=_refuse)
        names = sorted(found.study_name for found in opened.get_all_studies())
        if name is None and len(names) != 1:
            raise StudyError(
                f"Expected one study in {shown(storage)}, found {len(names)}. Name one of: {', '.join(names) or '-'}."
            )
        if name is not None and name not in names:
            raise StudyError(f"There is no study {name!r} in {shown(storage)}. It holds: {', '.join(names) or 'none'}.")
        study = optuna.load_study(study_name=name or names[0], storage=opened)
        stored = study.user_attrs.get(IDENTITY)
    if not isinstance(stored, Mapping):
        raise StudyError(f"Study {study.study_name!r} is not one of optiproxy's, so it cannot be reported on.")
    return study, stored


@contextmanager
def storage_errors(storage: str | None) -> Generator[None]:
    """Turn what a database raises, at any depth, into a `StudyError`."""
    try:
        yield
    except (StorageInternalError, SQLAlchemyError, sqlite3.Error) as error:
        raise _unusable(error, storage or "") from cause(error, completed(storage or ""))


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


class _Connection(sqlite3.Connection):
    """Writes ahead: ten times faster than SQLite's default, and as safe against a killed process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - whatever sqlite3 passes
        super().__init__(*args, **kwargs)
        # Refused where another process is at it just now, or the file is read-only, which the first write will tell.
        with suppress(sqlite3.OperationalError):
            self.execute("PRAGMA journal_mode=WAL")
        self.execute("PRAGMA synchronous=NORMAL")


_PAUSES = (0.1, 0.2, 0.4, 0.8)
"""Seconds between attempts to create the tables."""


def _open(storage: str | None, missing: Callable[[Path, str], None]) -> BaseStorage:
    if storage is None:
        return InMemoryStorage()
    url = completed(storage) if "://" in storage else SQLITE + storage
    if url.startswith(SQLITE) and "?" not in url:
        missing(Path(url.removeprefix(SQLITE)), storage)
    # Several processes write to one file: wait for each other rather than fail after SQLite's 5 seconds.
    options = {"connect_args": {"timeout": 60, "factory": _Connection}} if url.startswith("sqlite") else {}
    for pause in _PAUSES:
        try:
            return _connect(url, options)
        except (OperationalError, IntegrityError) as error:
            # Another process is creating the same tables and rows just now.
            if not any(sign in str(error) for sign in ("already exists", "UNIQUE constraint", "locked")):
                raise
        time.sleep(pause)
    return _connect(url, options)


def _connect(url: str, options: dict[str, Any]) -> BaseStorage:
    try:
        return optuna.storages.get_storage(RDBStorage(url, engine_kwargs=options))
    # A port that is no number, a parameter that the driver does not know.
    except (ArgumentError, NoSuchModuleError, ImportError, TypeError, ValueError) as error:
        raise UsageError(
            f"Expected a storage like 'sqlite:///runs.db' or the path of a file, got {shown(url)!r} "
            f"({scrubbed(one_line(error), url)})."
        ) from cause(error, url)
    except RuntimeError as error:
        raise StudyError(f"The study database {shown(url)} was made by another version of Optuna: {error}") from error


def _make_folder(path: Path, storage: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(f"Cannot create the folder of {storage} ({error.strerror}). Use another storage.") from error


def _refuse(path: Path, storage: str) -> None:
    if not path.is_file():
        raise StudyError(f"There is no study database {storage}. Check the path, or run a search first.")


@contextmanager
def _quiet() -> Generator[None]:
    """Without Optuna's note on each study that it creates."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(level, optuna.logging.WARNING))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
