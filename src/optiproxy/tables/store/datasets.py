"""Datasets in the data folder: found, read and verified. Importing this needs neither numpy nor a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optiproxy.errors import DataError, unknown
from optiproxy.tables.store.catalogue import DATASETS as DATASETS
from optiproxy.tables.store.catalogue import IMPORTS as IMPORTS
from optiproxy.tables.store.declarations import Dataset, RemoteFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from optiproxy.tables.store.files import Arrays

VARIABLE = "OPTIPROXY_DATA"
"""The environment variable that names the data folder."""

PUBLISHED = "raw"
"""Folder within the data folder in which the published files themselves may lie, under the names that a mirror has."""


def dataset(name: str) -> Dataset:
    """Look up the declaration of a dataset.

    Raises:
        UsageError: If there is none of this name.
    """
    if name not in DATASETS:
        raise unknown("dataset", name, DATASETS)
    return DATASETS[name]


def data_folder() -> Path:
    """Return where data is kept: ``$OPTIPROXY_DATA``, else ``optiproxy`` in the user's cache folder. It may not exist yet."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen)
    # Not platformdirs: see docs/decisions/data.md.
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "optiproxy"


def made_data_folder() -> Path:
    """Return the data folder, ready to be written to; it is made where it does not exist.

    Raises:
        DataError: If it cannot be made or written to.
    """
    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Asked before a long conversion is made in vain.
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise DataError(
            f"Cannot write to the data folder {folder}: {error.strerror or error}. "
            f"Set {VARIABLE} to a folder that can be written."
        ) from error
    return folder


def data_path(name: str) -> Path:
    """Return where the dataset of this name is, or would be.

    Raises:
        DataError: If ``$OPTIPROXY_DATA`` names something that is no folder.
    """
    # A mistyped variable would otherwise look like data that has not been fetched yet.
    folder = data_folder()
    if os.environ.get(VARIABLE) and not folder.is_dir():
        raise DataError(f"{VARIABLE} names {folder}, which is no folder. Correct the variable or unset it.")
    return folder / f"{name}.npz"


def converter(target: str) -> Callable[..., dict[str, NDArray[Any]]]:
    """Import the function behind ``"module:function"``."""
    module, _, function = target.partition(":")
    return getattr(import_module(module), function)


def converted(wanted: Dataset, read: Callable[[RemoteFile], bytes]) -> dict[str, NDArray[Any]]:
    """Make the arrays of a dataset from its published files.

    Args:
        wanted: What to make.
        read: Returns the content of a file, its digest checked.

    Raises:
        DataError: If a file cannot be had or is wrong, or another result is made than should be.
    """
    from optiproxy.tables.store.files import arrays_digest

    files = {file.name: read(file) for file in wanted.files}
    # Imported only now: to list datasets takes no converter.
    arrays = converter(wanted.converter)(files)
    found = arrays_digest(arrays)
    if found != wanted.digest:
        raise DataError(
            f"Expected {wanted.name} to have the digest {wanted.digest[:12]}... after conversion, got {found[:12]}...: "
            "this version of numpy or Python converts otherwise. Please report it."
        )
    return arrays


def load(name: str) -> Arrays:
    """Read the arrays of a dataset from the data folder and verify them.

    Where they have not been made yet but the published files lie in its folder `PUBLISHED`, they are made in memory.

    Args:
        name: One of `DATASETS`.

    Raises:
        UsageError: If there is no such dataset.
        DataError: If its file is missing, damaged or another version; the message says how to get it.
    """
    from optiproxy.tables.store.files import arrays_digest, read_arrays

    require(name)
    wanted = dataset(name)
    path = data_path(name)
    if not path.exists():
        return converted(wanted, partial(_published, name))
    arrays = read_arrays(path, remedy=wanted.remedy)
    # Of the values: files differ by the release of zlib.
    found = arrays_digest(arrays)
    if found != wanted.digest:
        raise DataError(
            f"Expected the arrays in {path} to have the digest {wanted.digest[:12]}..., got {found[:12]}...: "
            f"it is damaged or another version. {wanted.remedy}"
        )
    return arrays


def problem(name: str) -> str:
    """Say why a dataset cannot be used as it is; empty where it can."""
    try:
        require(name)
        if data_path(name).exists():
            load(name)
        else:
            # Files of the right digest can be converted, which takes longer than to read them.
            for file in dataset(name).files:
                _published(name, file)
    except DataError as error:
        return str(error)
    return ""


def _published(name: str, file: RemoteFile) -> bytes:
    from optiproxy.tables.store.files import read_verified

    path = data_path(name).parent / PUBLISHED / file.name
    return read_verified(path, sha256=file.sha256, size=file.size, remedy=dataset(name).remedy)


def require(name: str) -> None:
    """Return if a dataset is in the data folder, made or as published; whether it is sound is seen when it is loaded.

    Raises:
        UsageError: If there is no such dataset.
        DataError: If it is not there; the message says how to get it.
    """
    wanted, path = dataset(name), data_path(name)
    # Data that was never fetched is not damaged, and says so.
    if not path.exists() and not all((path.parent / PUBLISHED / file.name).exists() for file in wanted.files):
        raise DataError(f"The dataset {name} is not in {path.parent}. {wanted.remedy}")


def load_imported(name: str) -> tuple[Arrays, str]:
    """Read the arrays that an import made, with their digest: nobody declared what it should be.

    Args:
        name: One of `IMPORTS`.

    Raises:
        DataError: If the file is missing, damaged or lacks an array.
    """
    from optiproxy.tables.store.files import arrays_digest, read_arrays

    wanted = IMPORTS[name]
    path = data_path(wanted.file)
    arrays = read_arrays(path, remedy=wanted.remedy)
    # The file may be of an earlier release, which made fewer arrays.
    if missing := set(wanted.arrays) - set(arrays):
        raise DataError(f"Expected the arrays {', '.join(sorted(missing))} in {path}, too. {wanted.remedy}")
    return arrays, arrays_digest(arrays)
