"""How a dataset gets into the data folder: its files are read and checked, converted, checked again and moved into place."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import optiproxy
from optiproxy.errors import DataError
from optiproxy.tables.store.datasets import converted, converter, made_data_folder
from optiproxy.tables.store.declarations import Dataset, Import, RemoteFile
from optiproxy.tables.store.files import read_verified, write_arrays

TIMEOUT = 30.0
"""Seconds without a byte after which a download is given up."""

_CHUNK = 2**16

Advance = Callable[[int], None]
"""Called with the number of bytes that have come since the last call."""


class Origin(Protocol):
    """A place that published files are read from."""

    def read(self, file: RemoteFile, advance: Advance) -> bytes:
        """Read a file that has the right digest.

        Raises:
            DataError: If it cannot be had, or is not what it should be.
        """
        ...


class Internet:
    """Downloads files from their addresses, first into a file without a name: even a killed process leaves nothing."""

    def read(self, file: RemoteFile, advance: Advance) -> bytes:
        again = "Run the command again, or give the files with --mirror DIR."
        # The scheme is https by construction.
        request = Request(file.url, headers={"User-Agent": f"optiproxy/{optiproxy.__version__}"})  # noqa: S310
        try:
            with tempfile.TemporaryFile() as kept, urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
                # In pieces, so that progress shows, and that too long an answer is cut off early.
                while chunk := response.read(_CHUNK):
                    kept.write(chunk)
                    advance(len(chunk))
                    if kept.tell() > file.size:
                        raise DataError(f"Expected {file.size:,} bytes from {file.url}, got more. {again}")
                kept.seek(0)
                content = kept.read()
        except URLError as error:
            if isinstance(error, HTTPError):
                # The error is the server's answer as well, an open connection.
                error.close()
            raise DataError(f"Cannot download {file.url}: {error.reason}. {again}") from error
        except (OSError, ValueError) as error:
            raise DataError(f"The download of {file.url} broke off: {error}. {again}") from error
        # A proxy or a login page may answer for the server: only the digest says that this is the file.
        found = hashlib.sha256(content).hexdigest()
        if found != file.sha256:
            raise DataError(
                f"Expected {file.url} to have the sha256 {file.sha256[:12]}..., got {found[:12]}... "
                f"({len(content):,} of {file.size:,} bytes). {again}"
            )
        return content


class Mirror:
    """Takes the same files from a folder, by their local names.

    Args:
        folder: Folder that holds them.

    Raises:
        DataError: If it is no folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise DataError(f"Expected --mirror to name a folder, got {folder}. Correct it or leave it out.")
        self._folder = folder

    def read(self, file: RemoteFile, advance: Advance) -> bytes:
        remedy = "Put the right file there, or leave --mirror out."
        content = read_verified(self._folder / file.name, sha256=file.sha256, size=file.size, remedy=remedy)
        advance(len(content))
        return content


def fetch(dataset: Dataset, origin: Origin, advance: Advance) -> Path:
    """Make a dataset from its published files. Nothing is left behind unless all of it went well.

    Args:
        dataset: What to make.
        origin: Where its files are read from.
        advance: Is told of every byte that is read.

    Returns:
        Path of the file that was made.

    Raises:
        DataError: If a file cannot be had or is wrong, or the folder cannot be written.
    """
    # First, so that nothing is downloaded in vain.
    folder = made_data_folder()
    arrays = converted(dataset, lambda file: origin.read(file, advance))
    path = folder / f"{dataset.name}.npz"
    write_arrays(path, arrays)
    return path


def import_file(entry: Import, source: Path) -> Path:
    """Convert a benchmark's official file that the user has.

    Args:
        entry: Which benchmark it is of.
        source: The file or folder.

    Returns:
        Path of the file that was made.

    Raises:
        DataError: If it is missing, damaged or another kind of file, or the data folder cannot be written.
    """
    if not source.exists():
        raise DataError(f"Expected {entry.accepts}; there is no {source}. Correct the path.")
    path = made_data_folder() / f"{entry.file}.npz"
    write_arrays(path, converter(entry.converter)(source))
    return path
