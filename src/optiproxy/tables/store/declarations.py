"""What is declared of a dataset: the published files that it is made from, and what it has to be afterwards."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """One file as published; its content is fixed by commit and digest.

    Attributes:
        name: File name under which a mirror folder holds it.
        repository: ``OWNER/NAME`` on GitHub.
        commit: Full hexadecimal id.
        path: Within the repository.
        licence: SPDX identifier, or a sentence where there is none.
        size: Length in bytes.
        sha256: Hexadecimal digest.
    """

    name: str
    repository: str
    commit: str
    path: str
    licence: str
    size: int
    sha256: str

    @property
    def url(self) -> str:
        """Address to download the file from."""
        return f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{self.path}"


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Arrays that tasks read.

    Attributes:
        name: Its name on the command line; the file is ``NAME.npz``.
        description: One line for people.
        files: Published files that it is made from.
        converter: ``"module:function"``; the function takes local name -> content, digests checked, and returns name -> array.
        digest: What `optiproxy.tables.store.files.arrays_digest` is of the right arrays.
    """

    name: str
    description: str
    files: tuple[RemoteFile, ...]
    converter: str
    digest: str

    @property
    def licence(self) -> str:
        """Licences of its files, each once."""
        # A dictionary keeps their order, which a set would not.
        return "; ".join(dict.fromkeys(file.licence for file in self.files))

    @property
    def remedy(self) -> str:
        """What to do where it is missing or wrong."""
        return f"Get it with `optiproxy data fetch {self.name}`."


@dataclass(frozen=True, kw_only=True)
class Import:
    """A benchmark's official file that the user may have, too large to be fetched.

    Attributes:
        name: Its name on the command line.
        file: It is converted to ``FILE.npz``.
        accepts: What the user may give, in words.
        converter: ``"module:function"``; the function takes a path and returns name -> array.
        arrays: Names of arrays that the result has to have.
    """

    name: str
    file: str
    accepts: str
    converter: str
    arrays: tuple[str, ...]

    @property
    def remedy(self) -> str:
        """What to do where it is missing or wrong."""
        return f"Make it with `optiproxy data import {self.name} FILE`, where FILE is {self.accepts}."
