"""From what a user gives as a storage to Optuna's: a path, an address, or a storage that is open already.

=====================  ==================================================================================================
a path                 an SQLite file
``sqlite:///PATH``     the same; any other address that SQLAlchemy knows, such as ``postgresql://HOST/DATABASE``
``journal:///PATH``    a journal file of Optuna's, for file systems on which SQLite cannot lock, such as NFS
``grpc://HOST:PORT``   Optuna's proxy, ``optuna.storages.run_grpc_proxy_server``
=====================  ==================================================================================================
"""

from __future__ import annotations

import importlib.util
import sqlite3
import time
import warnings
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import (
    BaseStorage,
    GrpcStorageProxy,
    InMemoryStorage,
    JournalStorage,
    RDBStorage,
    _CachedStorage,  # pyright: ignore[reportPrivateUsage]
)
from optuna.storages.journal import JournalFileBackend
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, OperationalError

from optiproxy.errors import StudyError, UsageError
from optiproxy.storage.backends.database import Database
from optiproxy.storage.backends.secrets import cause, completed, scrubbed, shown
from optiproxy.task.values import one_line

Storage = str | Path | BaseStorage
"""What a search may be given as its storage."""

SQLITE, JOURNAL, GRPC = "sqlite:///", "journal:///", "grpc://"

WAIT = 10.0
"""Seconds in which SQLite waits for another process, before `optiproxy.storage.backends.outage` does."""

_PAUSES = (0.1, 0.2, 0.4, 0.8)
"""Seconds between attempts to create the tables."""

_SERVER = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""How PostgreSQL's client notices that its server is out of reach; by itself it waits for hours."""


def address_of(storage: Storage | None) -> str:
    """The address of a storage, passwords included: a path as it was given; empty in memory, and where there is none.

    Raises:
        UsageError: If it is nothing that could be a storage.
    """
    if isinstance(storage, _CachedStorage):
        storage = storage._backend  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    address = ""
    if isinstance(storage, str | Path):
        address = str(storage)
    elif isinstance(storage, RDBStorage):
        address = storage.url
    elif isinstance(storage, GrpcStorageProxy):
        address = f"{GRPC}{storage._host}:{storage._port}"  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    elif isinstance(storage, JournalStorage):
        address = f"{JOURNAL}{getattr(storage._backend, '_file_path', '')}"  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    elif storage is not None and not isinstance(storage, BaseStorage):  # pyright: ignore[reportUnnecessaryIsInstance] - of a user without a type checker
        raise UsageError(
            f"Expected a storage as a path, an address like 'sqlite:///runs.db' or one of Optuna's, got {storage!r}."
        )
    return address


def file_of(address: str) -> Path | None:
    """The file in which a storage lies; None where it lies in none, or nobody can tell."""
    if "://" not in address:
        return Path(address) if address else None
    if address.startswith(JOURNAL):
        return Path(address.removeprefix(JOURNAL))
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        return None
    path = (url.database or "") if url.drivername.startswith("sqlite") else ""
    if "uri" in url.query:
        path = unquote(path.removeprefix("file:"))
    return None if path in ("", ":memory:") else Path(path)


def sqlite_address(path: Path, **options: str) -> str:
    """The address of an SQLite file, whatever characters its path has.

    Args:
        path: Of the file.
        **options: Of SQLite's own addresses, such as ``mode``.
    """
    # Optuna takes braces for a name, and SQLAlchemy what follows a question mark for options.
    if not options and (text := _encoded(str(path))):
        return f"{SQLITE}{text}"
    told = "&".join(f"{key}={value}" for key, value in {**options, "uri": "true"}.items())
    return f"{SQLITE}{_encoded(f'file:{quote(str(path))}')}?{told}"


def _encoded(database: str) -> str:
    """How an address says this name: only since version 2.1 SQLAlchemy decodes it; empty where no address can."""
    for text in (database, quote(database, safe="/:")):
        if not set("{}") & set(text) and make_url(SQLITE + text).database == database:
            return text
    return ""


def opened(storage: Storage | None, *, create: bool) -> BaseStorage:
    """Open a storage.

    Args:
        storage: What the user has given.
        create: Whether it may be made where there is none. Otherwise it is opened for reading alone, as far as that can be.

    Raises:
        UsageError: If there is no such kind of storage, or its driver is missing.
        StudyError: If there is none and none may be made, or what it held is lost.
    """
    if isinstance(storage, BaseStorage):
        return _CachedStorage(storage) if isinstance(storage, RDBStorage) else storage
    address = address_of(storage)
    path = file_of(address)
    if path is not None:
        return _file(path, address, create=create)
    if address.startswith(GRPC):
        return _proxy(address)
    return _database(_with_driver(completed(address))) if address else InMemoryStorage()


def _file(path: Path, address: str, *, create: bool) -> BaseStorage:
    if create:
        _make_folder(path, address)
    elif not path.is_file():
        raise StudyError(f"There is no study database {shown(address)}. Check the path, or run a search first.")
    if address.startswith(JOURNAL):
        return JournalStorage(JournalFileBackend(str(path)))
    address = completed(address)
    # Whoever gives SQLite options of his own knows best.
    if "://" in address and address != sqlite_address(path) and "?" in address:
        return _database(address)
    return _created(path) if create else _only_read(path)


def _proxy(address: str) -> BaseStorage:
    if importlib.util.find_spec("grpc") is None:
        raise UsageError("A grpc:// storage needs the package grpcio: pip install grpcio protobuf.")
    try:
        host, port = urlsplit(address).hostname, urlsplit(address).port
    except ValueError:
        host = port = None
    if host is None or port is None:
        raise UsageError(f"Expected a proxy as 'grpc://HOST:PORT', got {shown(address)!r}.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return GrpcStorageProxy(host=host, port=port)


def _with_driver(address: str) -> str:
    """The driver of PostgreSQL that is installed, where an address names none."""
    if importlib.util.find_spec("psycopg2") is None:
        for scheme in ("postgresql://", "postgres://"):
            if address.startswith(scheme):
                return f"postgresql+psycopg://{address.removeprefix(scheme)}"
    return address


def _created(path: Path) -> BaseStorage:
    """An SQLite file, made if there is none."""
    _check_whole(path)
    storage = _database(sqlite_address(path))
    # Only now: an empty file in this mode is one that has lost its write-ahead file. Refused where another process is at it just
    # now, or the file is read-only, which the first write will tell.
    with suppress(OperationalError), storage._backend.engine.connect() as connection:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    return storage


def _check_whole(path: Path) -> None:
    """Raise `StudyError` where everything that was written has gone with a write-ahead file."""
    with suppress(sqlite3.Error, OSError):
        with path.open("rb") as file:
            writes_ahead = file.read(20)[18:] == b"\x02\x02"
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
            tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if writes_ahead and not tables:
            raise StudyError(
                f"{path} has been written to, and holds nothing: its write-ahead file {path.name}-wal has been lost. Put that back "
                f"beside it, or remove {path.name} to begin anew."
            )


def _only_read(path: Path) -> BaseStorage:
    try:
        return _database(sqlite_address(path, mode="ro"), skip_table_creation=True)
    except (OperationalError, StorageInternalError):
        # In a folder that is read-only SQLite can open no file in this mode unless it is promised that nobody writes it.
        ahead = path.with_name(f"{path.name}-wal")
        if ahead.is_file() and ahead.stat().st_size:
            raise
    return _database(sqlite_address(path, mode="ro", immutable="1"), skip_table_creation=True)


def _database(address: str, **options: Any) -> _CachedStorage:  # noqa: ANN401 - of `RDBStorage`
    connecting: dict[str, Any] = {}
    if address.startswith("sqlite"):
        connecting = {"timeout": WAIT, "factory": _Connection}
    elif address.startswith(("postgresql+psycopg:", "postgresql+psycopg2:", "postgresql:")):
        connecting = {key: value for key, value in _SERVER.items() if f"{key}=" not in address}
    for pause in _PAUSES:
        try:
            return _connected(address, connecting, options)
        except (OperationalError, IntegrityError) as error:
            # Another process is creating the same tables and rows just now.
            if not any(
                sign in str(error) for sign in ("already exists", "UNIQUE constraint", "unique constraint", "locked")
            ):
                raise
        time.sleep(pause)
    return _connected(address, connecting, options)


def _connected(address: str, connecting: dict[str, Any], options: dict[str, Any]) -> _CachedStorage:
    try:
        return _CachedStorage(Database(address, {"connect_args": connecting}, **options))
    # A port that is no number, a parameter that the driver does not know.
    except (ArgumentError, NoSuchModuleError, ImportError, TypeError, ValueError) as error:
        extra = " For PostgreSQL: pip install 'optiproxy[postgresql]'." if address.startswith("postgres") else ""
        raise UsageError(
            f"Expected a storage like 'sqlite:///runs.db' or the path of a file, got {shown(address)!r} "
            f"({scrubbed(one_line(error), address)}).{extra}"
        ) from cause(error, address)
    except RuntimeError as error:
        raise StudyError(
            f"The study database {shown(address)} was made by another version of Optuna: {error}"
        ) from error


class _Connection(sqlite3.Connection):
    """Syncs when what was written ahead moves into the file: as safe as syncing each time against a killed process.

    What a file of somebody else holds beside its tables (views, triggers) calls no function that could do anything.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - whatever sqlite3 passes
        super().__init__(*args, **kwargs)
        self.execute("PRAGMA synchronous=NORMAL")
        self.execute("PRAGMA trusted_schema=OFF")


def _make_folder(path: Path, address: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(
            f"Cannot create the folder of {shown(address)} ({error.strerror}). Use another storage."
        ) from error
