"""Databases that go away while a training runs, for real: restarted, locked, full, and gone for good."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest

from optiproxy.searching.load import load
from optiproxy.searching.search import search
from optiproxy.storage.backends import opening
from optiproxy.storage.backends.outage import Patience, StorageAwayError, StorageAwayWarning, is_outage

CHOICES = {"a": [*range(4)], "b": [*range(4)]}


class Training:
    """Counts what it was called with; in the third call something happens to the storage."""

    def __init__(self, happens=lambda: None, at=3):
        self.calls = []
        self._happens = happens
        self._at = at

    def __call__(self, values):
        self.calls.append((values["a"], values["b"]))
        if len(self.calls) == self._at:
            self._happens()
        return float(values["a"] * values["b"])


def _find(storage, training, **arguments):
    named = {"study": "s", "algorithm": "random", "budget": 6, "accept_changes": True, **arguments}
    return search(CHOICES, training, storage=storage, **named)


def _all_there(storage, training):
    """Each training is stored, and none was repeated."""
    records = load(storage, "s").records
    assert sorted(record.architecture for record in records) == sorted(training.calls)
    assert len({*training.calls}) == len(training.calls) == 6
    assert all(record.metrics for record in records)


@pytest.fixture
def database(postgresql):
    """A database of its own on the server, which runs again afterwards."""
    import psycopg

    name = f"test{os.urandom(4).hex()}"
    with psycopg.connect(postgresql.address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield postgresql.address.replace("/postgres?", f"/{name}?")
    postgresql.start()


@pytest.mark.slow
def test_a_server_that_is_restarted_is_waited_for(database, postgresql):
    def away():
        postgresql.stop()
        threading.Timer(3.0, postgresql.start).start()

    training = Training(away)
    with pytest.warns(StorageAwayWarning, match="is away .* no result is given up") as said:
        assert _find(database, training).stopped == "budget"
    assert len(said) == 1
    _all_there(database, training)


@pytest.mark.slow
def test_what_a_server_that_stays_away_could_not_take_is_stored_by_the_next_search(database, postgresql):
    training = Training(postgresql.stop)
    with pytest.warns(StorageAwayWarning), pytest.raises(StorageAwayError, match="make the same call again"):
        _find(database, training, max_outage=0.5)
    assert len(training.calls) == 3
    postgresql.start()
    assert _find(database, training).stopped == "budget"
    _all_there(database, training)


@pytest.mark.slow
def test_a_locked_file_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "WAIT", 0.1)
    path = tmp_path / "study.db"

    def locked():
        other = sqlite3.connect(path, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(5.0, other.close).start()

    training = Training(locked)
    with pytest.warns(StorageAwayWarning, match="locked"):
        _find(path, training)
    _all_there(path, training)


@pytest.mark.slow
def test_a_full_disk_is_waited_for(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", disk], check=False).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:

        def full():
            file = os.open(disk / "ballast", os.O_CREAT | os.O_WRONLY)
            with suppress(OSError):
                while True:
                    os.write(file, bytes(4096))
            os.close(file)
            threading.Timer(5.0, (disk / "ballast").unlink).start()

        training = Training(full)
        with pytest.warns(StorageAwayWarning, match=r"full|disk"):
            _find(disk / "study.db", training)
        _all_there(disk / "study.db", training)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_where_a_result_can_be_kept_nowhere_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "WAIT", 0.1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "study-files").write_text("no folder")
    with closing(sqlite3.connect(tmp_path / "study.db", check_same_thread=False)) as other:
        training = Training(lambda: other.execute("BEGIN IMMEDIATE"))
        with pytest.raises(StorageAwayError, match=r"could be kept nowhere: \{'accuracy': "):
            _find(tmp_path / "study.db", training, max_outage=0.0)


@pytest.mark.slow
def test_what_runs_is_finished_before_the_search_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "WAIT", 0.1)
    path = tmp_path / "study.db"
    with closing(sqlite3.connect(path, check_same_thread=False)) as other, ThreadPoolExecutor(2) as executor:
        locked = threading.Event()

        def evaluate(values):
            if locked.is_set():
                return 1.0
            if len(calls := [*running, values]) == 2:
                other.execute("BEGIN IMMEDIATE")
                locked.set()
                return 1.0
            running.extend(calls)
            locked.wait(60)
            time.sleep(1.0)
            return 1.0

        running = []
        with pytest.raises(StorageAwayError):
            _find(path, evaluate, max_outage=0.0, executor=executor, workers=2)
    assert len([*(tmp_path / "study-files" / "s" / "unstored").iterdir()]) == 2
    assert len(_find(path, lambda _: 1.0).records) == 6
    assert not (tmp_path / "study-files" / "s" / "unstored").exists()


def test_a_result_that_waits_is_private_and_a_damaged_one_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "WAIT", 0.1)
    path = tmp_path / "study.db"
    with closing(sqlite3.connect(path, check_same_thread=False)) as other:
        training = Training(lambda: other.execute("BEGIN IMMEDIATE"))
        with pytest.raises(StorageAwayError):
            _find(path, training, max_outage=0.0)
    (kept,) = (tmp_path / "study-files" / "s" / "unstored").iterdir()
    assert kept.parent.stat().st_mode & 0o077 == 0
    shutil.copy(kept, kept.with_name("0.json"))
    (kept.with_name("1.json")).write_text(
        '{"number": 1, "state": "COMPLETE", "system_attrs": {"optiproxy:owner": {"run": "../x"}}}'
    )
    with pytest.warns(UserWarning, match=r"1\.json cannot be read"):
        _find(path, training)
    _all_there(path, training)


def test_an_operation_is_tried_until_it_succeeds():
    left = iter([sqlite3.OperationalError("database is locked")] * 3)
    meanwhile = []

    def operation():
        error = next(left, None)
        if error is not None:
            raise error
        return 7

    with pytest.warns(StorageAwayWarning):
        assert Patience()(operation, meanwhile=lambda: meanwhile.append(1)) == 7
    assert meanwhile == [1]


def test_a_mistake_is_no_outage():
    assert not is_outage(ValueError("a mistake"))
    assert not is_outage(sqlite3.OperationalError("attempt to write a readonly database"))
    assert not is_outage(sqlite3.DatabaseError("database disk image is malformed"))
    assert is_outage(OSError(28, "No space left on device"))
