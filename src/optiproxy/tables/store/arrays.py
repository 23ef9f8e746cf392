"""Named arrays in an ``.npz`` file: read with suspicion, written in one step, known by what they hold.

The digest is of the arrays and not of the file, because another release of zlib compresses the same values to other bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from optiproxy.errors import DataError
from optiproxy.tables.store.files import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays = Mapping[str, "NDArray[Any]"]

MAX_BYTES = 512 * 2**20
"""Of all arrays of a file together; the largest benchmark (NAS-Bench-101 in full) needs a quarter of it."""


def read_arrays(path: Path, *, remedy: str) -> dict[str, NDArray[Any]]:
    """Read an ``.npz`` file that may come from anywhere: nothing in it is executed, and it cannot expand without end.

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
    """Write an ``.npz`` file; there is either the whole file afterwards or none.

    Raises:
        DataError: If it cannot be written.
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **dict(arrays))
    with replacing(path) as file:
        file.write(buffer.getbuffer())


def arrays_digest(arrays: Arrays) -> str:
    """SHA-256, hexadecimal, of names, types, shapes and values; the order of the names does not count."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
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
