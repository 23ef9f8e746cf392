from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from optiproxy.errors import UsageError
from optiproxy.searching.search import search
from optiproxy.searching.settings import SearchSettings
from optiproxy.storage.backends.secrets import HIDDEN, VARIABLE, cause, completed, names_server, same, scrubbed, shown

# Of letters that stand nowhere else in these addresses.
PASSWORDS = st.text("QXZ@:/?#&%+ =*é", min_size=1, max_size=12).filter(lambda text: set(text) - {"*"})


@given(
    PASSWORDS, st.sampled_from(["password", "passwd", "sslpassword", "PWD", "auth_token", "odbc_connect", "p%61ssword"])
)
def test_no_password_is_shown_wherever_it_stands(password, parameter):
    written = quote(password, safe="")
    for address in (
        f"postgresql+psycopg://user:{written}@host:5432/db?sslmode=require",
        f"mysql://user@host/db?{parameter}={written}&charset=utf8",
        f"postgresql://user:{written}@/db?host=/run&{parameter}={written}",
    ):
        told = shown(address)
        assert HIDDEN in told
        assert not set("QXZé") & set(told)
        assert told == shown(told)
        assert same(address, told)
        assert scrubbed(f"the driver says {password!s} of {address}", address).count(HIDDEN) >= 2
        # It is the database that finds the user, too, and SQLAlchemy reads the rest as before.
        assert make_url(told).username == "user"


@given(st.text("QXZ@:/?#&%", min_size=1).filter(lambda text: "@" in text))
def test_a_password_that_was_not_quoted_is_hidden_whole_and_refused(password):
    address = f"postgresql://user:{password}@host/db"
    assert shown(address).startswith(f"postgresql://user:{HIDDEN}@")
    assert shown(address).partition("?")[0].endswith("@host/db")
    with pytest.raises(UsageError, match="as %40") as refused:
        completed(address)
    assert not set("QXZ") & set(str(refused.value))


def test_what_holds_no_secret_stays_as_it_is(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    for address in (
        "runs/a.db",
        "sqlite:///a?b#c",
        "sqlite:///home/a:b@c/study.db",
        "sqlite:///file:x.db?mode=ro&uri=true",
        "postgresql://host:5432/db?passfile=/home/me/.pgpass",
        "grpc://localhost:13000",
    ):
        assert shown(address) == completed(address) == address
    assert [names_server(a) for a in ("x.db", "sqlite:///x.db", "postgresql://h/d", "grpc://h:1")] == [
        False,
        False,
        True,
        True,
    ]


def test_the_environment_completes_the_address_that_it_holds(monkeypatch):
    whole = "postgresql://user:s%40cret@host/db?sslpassword=other"
    monkeypatch.setenv(VARIABLE, whole)
    for address in (shown(whole), "postgresql://user@host/db", f"postgresql://user:{HIDDEN}@host/db"):
        assert completed(address) == whole
    # Another address, and what was given with its own password.
    assert completed(f"postgresql://user:{HIDDEN}@elsewhere/db") == "postgresql://user@elsewhere/db"
    assert completed("postgresql://user:mine@host/db") == "postgresql://user:mine@host/db"
    assert completed("sqlite:///x.db") == "sqlite:///x.db"


def test_an_error_that_tells_the_secret_is_not_chained():
    address = "postgresql://user:hunter2@host/db"
    assert cause(ValueError("no such port: 'hunter2@host'"), address) is None
    assert isinstance(cause(ValueError("no such port"), address), ValueError)


@pytest.mark.parametrize(
    "storage",
    [
        "postgresql+psycopg://user:hunter2@host:port/db",
        "nodialect://user:hunter2@host/db",
        "postgresql+psycopg://user:hunter2@127.0.0.1:1/db?connect_timeout=1",
        "postgresql+psycopg://user:hunter2@127.0.0.1:1/db?nosuch=1",
    ],
)
def test_no_error_tells_a_password(storage, tmp_path, monkeypatch):
    import traceback

    monkeypatch.chdir(tmp_path)
    with pytest.raises(Exception, match=r".") as failed:
        search({"a": [1, 2]}, lambda values: values["a"], budget=1, algorithm="random", storage=storage, verbose=False)
    assert isinstance(failed.value, Exception)
    assert type(failed.value).__name__ in ("UsageError", "StudyError")
    assert "hunter2" not in "".join(traceback.format_exception(failed.value))
    assert "hunter2" not in repr(SearchSettings(budget=1, storage=storage))
