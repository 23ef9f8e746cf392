"""Passwords in the address of a storage: taken from the environment, and shown to nobody."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Callable
from urllib.parse import unquote_plus

from optiproxy.errors import UsageError

VARIABLE = "OPTIPROXY_STORAGE"
"""The environment variable that holds the address of a storage, for whoever does not want to write a password on a line."""

HIDDEN = "***"
"""What stands in the place of a secret."""

_PASSWORD = re.compile(r"(?<=://)([^:/]*):(.*)@", re.DOTALL)
"""User and password. SQLAlchemy ends a password at the first ``@``: what is behind it is hidden, too, as it belongs to one."""

_PARAMETER = re.compile(r"(?<=[?&])([^=&]*)=([^&]*)")
"""Name and value."""

_SECRET = re.compile(r"pass(?!file)|pwd|secret|token|credential|odbc_connect", re.IGNORECASE)
"""In the names of the parameters with which databases are given secrets; ``passfile`` is the name of a file."""


def shown(storage: str) -> str:
    """The address of a storage as it may stand in messages and files, with `HIDDEN` in the place of each secret."""
    return _replaced(storage, lambda _: HIDDEN)


def completed(storage: str) -> str:
    """The address with which to connect: with the secrets that the environment holds, where it holds this address.

    What was written down with `HIDDEN` secrets, or without any, is completed from `VARIABLE`. Where that is another address,
    the secrets are left out, and the database's own places for them count, such as ``PGPASSWORD`` and ``~/.pgpass``.

    Raises:
        UsageError: If it cannot be told where the password ends.
    """
    told = os.environ.get(VARIABLE, "")
    if not set(_secrets(storage)) - {HIDDEN}:
        storage = told if same(storage, told) else _bare(storage)
    if any("@" in secret for secret in _secrets(storage)):
        # What is behind it would be taken for the host, whose name is asked for in the open.
        raise UsageError(f"Expected no @ in the password of a storage, got one in {shown(storage)!r}. Write it as %40.")
    return storage


def same(storage: str, other: str) -> bool:
    """Whether two addresses differ in nothing but secrets."""
    return _bare(storage) == _bare(other)


def names_server(storage: str) -> bool:
    """Whether an address is that of a server, and not the path of a file."""
    return "://" in storage and not storage.startswith("sqlite")


def scrubbed(text: str, storage: str) -> str:
    """A text without the secrets of an address: a driver may repeat what it was given."""
    for secret in _secrets(storage):
        for form in {secret, unquote_plus(secret)} - {"", HIDDEN}:
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", HIDDEN, text)
    return text


def cause(error: BaseException, storage: str) -> BaseException | None:
    """An error as the cause of another one; None where its traceback would tell a secret."""
    told = "".join(traceback.format_exception(error))
    return error if scrubbed(told, storage) == told else None


def _secrets(storage: str) -> list[str]:
    found: list[str] = []

    def keep(secret: str) -> str:
        found.append(secret)
        return HIDDEN

    _replaced(storage, keep)
    return found


def _bare(storage: str) -> str:
    """The address without secrets and without a place for them."""
    left = _replaced(storage, lambda _: HIDDEN)
    left = left.replace(f":{HIDDEN}@", "@", 1)
    head, mark, query = left.partition("?")
    kept = [part for part in query.split("&") if not part.endswith(f"={HIDDEN}")]
    return head + mark * bool(kept) + "&".join(kept) if HIDDEN in query else left


def _replaced(storage: str, by: Callable[[str], str]) -> str:
    if "://" not in storage:
        return storage
    named = _PASSWORD.sub(lambda found: f"{found[1]}:{by(found[2])}@", storage, count=1)
    return _PARAMETER.sub(
        lambda found: f"{found[1]}={by(found[2]) if _SECRET.search(unquote_plus(found[1])) else found[2]}", named
    )
