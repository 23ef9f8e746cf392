"""Everything that may be given as a storage, opened for real; files that are read-only, or have lost a part."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import optuna
import pytest
from optuna.storages import GrpcStorageProxy, InMemoryStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from optiproxy.errors import StudyError, UsageError
from optiproxy.searching.load import load
from optiproxy.searching.search import search
from optiproxy.storage.backends.opening import address_of, file_of, opened, sqlite_address

CHOICES = {"a": [*range(4)], "b": [*range(4)]}


def _find(storage, **arguments):
    evaluate = arguments.pop("evaluate", lambda values: float(values["a"] * values["b"]))
    named = {"study": "s", "algorithm": "random", "budget": 3, "accept_changes": True, **arguments}
    return search(CHOICES, evaluate, storage=storage, **named)


@contextmanager
def _proxy(folder):
    """The port of Optuna's proxy in front of a database in the folder."""
    pytest.importorskip("grpc", reason="needs the package grpcio")
    from optuna.storages._grpc.server import make_server

    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    behind = optuna.storages.get_storage(f"sqlite:///{folder}/behind.db")
    with ThreadPoolExecutor(4) as pool:
        server = make_server(behind, "localhost", port, pool)
        server.start()
        try:
            yield port
        finally:
            server.stop(None).wait()
            behind._backend.engine.dispose()


def _quietly(make):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return make()


@pytest.mark.slow
@pytest.mark.parametrize(
    "given",
    [
        lambda folder: folder / "new" / "study.db",
        lambda folder: f"{folder}/a?b#c {{d}} %41/study.db",
        lambda folder: sqlite_address(folder / "a?b" / "study.db"),
        lambda folder: f"journal:///{folder}/new/study.journal",
        lambda folder: JournalStorage(JournalFileBackend(f"{folder}/study.journal")),
        lambda folder: RDBStorage(f"sqlite:///{folder}/study.db"),
        lambda _: InMemoryStorage(),
    ],
    ids=["path", "characters", "address", "journal", "journal object", "database object", "memory object"],
)
def test_a_search_goes_on_in_whatever_it_was_given(tmp_path, given):
    storage = given(tmp_path)
    assert len(_find(storage).records) == 3
    result = _find(storage, budget=6)
    assert len({record.architecture for record in result.records}) == 6
    assert load(storage, "s").records == result.records
    assert result.storage == address_of(storage)
    path = file_of(result.storage)
    assert path is None or path.is_file()
    if isinstance(storage, RDBStorage):
        storage.engine.dispose()


@pytest.mark.slow
@pytest.mark.parametrize("opened", [False, True], ids=["address", "object"])
def test_a_proxy_is_a_storage(tmp_path, opened):
    with _proxy(tmp_path) as port:
        address = f"grpc://localhost:{port}"
        storage = _quietly(lambda: GrpcStorageProxy(host="localhost", port=port)) if opened else address
        result = _find(storage)
        assert (len(result.records), result.storage) == (3, address)
        assert load(storage, "s").records == result.records
    with pytest.raises(StudyError, match=f"Cannot use the study database {address}"):
        _find(address, max_outage=0.0)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (7, "Expected a storage as a path, an address"),
        ("grpc://nowhere", "Expected a proxy as 'grpc://HOST:PORT'"),
        ("grpc://host:port", "Expected a proxy as 'grpc://HOST:PORT'"),
        ("mysql+nothing://host/db", "Expected a storage like"),
    ],
)
def test_what_is_no_storage_is_told(given, told):
    with pytest.raises(UsageError, match=told):
        _find(given)


@pytest.mark.parametrize("name", ["plain.db", "a b.db", "a?b.db", "a#b.db", "100%41.db", "{x}.db"])
def test_the_address_of_a_file_leads_to_it(tmp_path, name):
    path = tmp_path / name
    assert file_of(sqlite_address(path)) == path
    assert file_of(str(path)) == path
    storage = RDBStorage(sqlite_address(path))
    storage.engine.dispose()
    assert path.is_file()


KILLED = """
import os, sys
from optiproxy.searching.search import search

calls = []

def evaluate(values):
    calls.append(values)
    if len(calls) == 6:
        os._exit(1)
    return float(values["a"])

search({"a": [*range(4)], "b": [*range(4)]}, evaluate, budget=9, study="s", algorithm="random", storage=sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["whole", "half", "nothing"])
def test_a_write_ahead_file_takes_no_result_with_it(tmp_path, lost):
    path = tmp_path / "study.db"
    (tmp_path / "killed.py").write_text(KILLED)
    assert (
        subprocess.run([sys.executable, tmp_path / "killed.py", path], check=False, capture_output=True).returncode == 1
    )
    ahead = tmp_path / "study.db-wal"
    if lost == "whole":
        ahead.unlink()
    elif lost == "half":
        os.truncate(ahead, ahead.stat().st_size // 2)
    assert len(load(path).records) == 5
    assert len(_find(path, budget=7).records) == 7


def test_a_file_that_has_lost_all_is_told(tmp_path):
    """As earlier versions wrote them: everything stands in the write-ahead file at first."""
    path = tmp_path / "study.db"
    script = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1])\n"
        "c.execute('PRAGMA journal_mode=WAL')\n"
        "c.execute('CREATE TABLE studies (x)')\n"
        "c.commit()\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", script, path], check=True)
    (tmp_path / "study.db-wal").unlink()
    with pytest.raises(StudyError, match=r"holds nothing: its write-ahead file study\.db-wal has been lost"):
        _find(path)


@pytest.mark.slow
@pytest.mark.parametrize("storage", ["{}", "sqlite:///{}"])
def test_a_study_that_is_read_only_is_read(tmp_path, storage):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "none", disk], check=False).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        _find(disk / "study.db")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert len(load(storage.format(disk / "study.db"), "s").records) == 3
        assert [path.name for path in disk.iterdir()] == ["study.db"]
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_reading_makes_no_tables_in_what_is_no_study(tmp_path):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE mine (x)")
    with pytest.raises(StudyError, match="Cannot use the study database"):
        load(path)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]


def test_what_a_file_holds_beside_its_tables_is_not_trusted(tmp_path):
    """Views and triggers of somebody else's file may call harmless functions alone."""
    storage = opened(tmp_path / "study.db", create=True)
    with storage._backend.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA trusted_schema").scalar() == 0
