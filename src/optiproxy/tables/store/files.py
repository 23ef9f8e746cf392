"""Data files: verified before they are read, written in one step, and known by the arrays that they hold.

A dataset is an ``.npz`` file of named arrays. Its digest is of the arrays and not of the file, because another release of
zlib compresses the same values to other bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import tempfile
import zipfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from optiproxy.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_verified(path: Path, *, sha256: str, remedy: str, size: int | None = None) -> bytes:
    """Read a file that is exactly what it should be.

    The digest is taken of the very bytes that are returned, so nothing can change between check and use.

    Args:
        path: The file.
        sha256: Hexadecimal digest that it must have.
        remedy: What to do where it is missing or wrong; ends the message.
        size: Bytes that it must have, where that is known; at most one more is read.

    Returns:
        The content of the file.

    Raises:
        DataError: If the file cannot be read or has another digest.
    """
    try:
        with path.open("rb") as file:
            # One byte more than there should be tells a file that is too long, however long it is.
            content = file.read() if size is None else file.read(size + 1)
    except OSError as error:
        raise DataError(f"Cannot read the data file {path}: {error.strerror or error}. {remedy}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DataError(
            f"Expected {path} to have the sha256 {sha256[:12]}..., got {found[:12]}... ({len(content)} bytes): "
            f"it is damaged or another version. {remedy}"
        )
    return content


@contextmanager
def replacing(path: Path) -> Generator[BinaryIO, None, None]:
    """Open a file that takes the place of ``path`` when the block ends, and leaves nothing where the block fails.

    It is written beside its place, so that the last step is one rename: whoever looks finds the old file or the new one.

    Raises:
        DataError: If the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        unfinished = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                # On the disk before the rename, or a power failure could leave the right name on an empty file.
                os.fsync(file.fileno())
            # Temporary files are private, data may be shared.
            unfinished.chmod(0o644)
            unfinished.replace(path)
        finally:
            # After an interrupt as well: a half-written file would only take up space.
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            f"Cannot write {path.name} to the data folder {path.parent}: {error.strerror or error}. "
            "Make room or set OPTIPROXY_DATA to a folder that can be written."
        ) from error


Arrays = Mapping[str, "NDArray[Any]"]

MAX_BYTES = 512 * 2**20
"""Most bytes of all arrays of a file together; the largest benchmark (NAS-Bench-101 in full) needs a quarter of it."""


def read_arrays(path: Path, *, remedy: str) -> dict[str, NDArray[Any]]:
    """Read an ``.npz`` file that may come from anywhere.

    Nothing in it is executed, and it cannot expand without end, which `numpy.load` does not promise.

    Args:
        path: The file.
        remedy: What to do where it is missing or wrong; ends the message.

    Returns:
        Name -> array, read-only.

    Raises:
        DataError: If it cannot be read, is no ``.npz`` file, or holds Python objects or more than `MAX_BYTES`.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise DataError(f"Cannot read the data file {path}: {error.strerror or error}. {remedy}") from error
    try:
        with file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _check_size(members)
            return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}
    except Exception as error:
        # A damaged file can fail in zipfile, zlib and numpy in almost any way; the stated refusals are among them.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"Expected {path} to be an .npz file of plain arrays, but it is damaged or another kind of file ({reason}). {remedy}"
        ) from error


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write an ``.npz`` file; afterwards there is either the whole file or none.

    Raises:
        DataError: If it cannot be written.
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **dict(arrays))
    with replacing(path) as file:
        file.write(buffer.getbuffer())


def arrays_digest(arrays: Arrays) -> str:
    """Compute the digest of named arrays: of their names, types, shapes and values; the order of the names does not count.

    Returns:
        SHA-256, hexadecimal.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        # The same values in another memory layout are the same data.
        array = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
        head = json.dumps([name, array.dtype.str, array.shape])
        digest.update(f"{len(head)}:{head}".encode())
        digest.update(array.data if array.flags.c_contiguous else array.tobytes())
    return digest.hexdigest()


def _check_size(members: list[zipfile.ZipInfo]) -> None:
    # Deflate and no compression alone are bounded by the size that the archive states, which zipfile reads no further than.
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise ValueError("it is compressed by another method than numpy's")
    size = sum(member.file_size for member in members)
    if size > MAX_BYTES:
        raise ValueError(f"it would expand to {size / 2**20:,.0f} MB")


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    content = archive.read(member)
    stream = io.BytesIO(content)
    version = npy.read_magic(stream)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran_order, dtype = read_header(stream)
    if dtype.hasobject:
        raise ValueError(f"{member.filename} holds Python objects")
    # Checked before anything of that shape is allocated.
    if len(content) - stream.tell() != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{member.filename} is not as long as its shape {shape}")
    flat = np.frombuffer(content, dtype, offset=stream.tell())
    return flat.reshape(shape, order="F" if fortran_order else "C")
