"""TFRecord files, read without TensorFlow: one record after the other, each with its length and two checksums.

The form (tensorflow.org, "TFRecord and tf.train.Example"): eight bytes of length, the checksum of these, the record, its
checksum. Checksums are CRC-32C (Castagnoli), rotated by 15 bits and moved by a constant.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_BYTES = 2**15
"""Most bytes of one record: whatever claims to be longer is no record of NAS-Bench-101, and is not allocated."""

_BATCH = 512
"""Records whose checksums are computed together, so that numpy does the work and not a loop over bytes."""

_HEAD, _TAIL = struct.Struct("<QI"), struct.Struct("<I")

# CRC-32C: the Castagnoli polynomial, bits reversed; zlib computes CRC-32 with another one.
_POLYNOMIAL = 0x82F63B78
_ONES = np.uint32(0xFFFFFFFF)
_MASK = np.uint32(0xA282EAD8)
"""TensorFlow's constant, so that the checksum of data that holds checksums stays meaningful."""


def read_records(file: BinaryIO) -> Iterator[bytes]:
    """Yield every record of a file, its checksums compared; some hundreds are in memory at a time.

    Raises:
        ValueError: Where the file is damaged; what comes before may have been yielded by then.
    """
    records = _framed(file)
    while batch := list(islice(records, _BATCH)):
        heads, contents, of_heads, of_contents = (list(part) for part in zip(*batch, strict=True))
        if (masked_checksums([*heads, *contents]) != np.array([*of_heads, *of_contents])).any():
            raise ValueError("a checksum is wrong")
        yield from contents


def masked_checksums(contents: Sequence[bytes]) -> NDArray[np.uint32]:
    """Compute the CRC-32C of each text, masked as in the files, ``(n,)``; all are worked on together, byte by byte."""
    lengths = np.array([len(content) for content in contents])
    order = np.argsort(-lengths, kind="stable")
    columns = np.zeros((int(lengths.max(initial=0)), len(contents)), dtype=np.uint8)
    for column, n in enumerate(order):
        columns[: lengths[n], column] = np.frombuffer(contents[n], dtype=np.uint8)
    # The longest come first, so that the texts that have not ended are always the first ``left[i]`` columns.
    left = np.searchsorted(-lengths[order], -np.arange(len(columns)), side="left")
    found = np.full(len(contents), _ONES)
    for column, count in zip(columns, left.tolist(), strict=True):
        active = found[:count]
        found[:count] = _table()[(active ^ column[:count]) & 0xFF] ^ (active >> 8)
    found ^= _ONES
    checksums = np.empty_like(found)
    checksums[order] = ((found >> 15) | (found << 17)) + _MASK
    return checksums


def _framed(file: BinaryIO) -> Iterator[tuple[bytes, bytes, int, int]]:
    """Yield the length as it is written, the record, and the checksum of either."""
    while head := file.read(_HEAD.size):
        length, of_head = _HEAD.unpack(_whole(head, _HEAD.size))
        if length > MAX_BYTES:
            raise ValueError(f"a record claims to have {length:,} bytes")
        content = _whole(file.read(length), length)
        (of_content,) = _TAIL.unpack(_whole(file.read(_TAIL.size), _TAIL.size))
        yield head[: -_TAIL.size], content, of_head, of_content


def _whole(found: bytes, size: int) -> bytes:
    if len(found) < size:
        raise ValueError("it ends in the middle of a record")
    return found


@cache
def _table() -> NDArray[np.uint32]:
    """The checksum of every byte, ``(256,)``: one look-up takes the place of eight steps of division."""
    found = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        found = np.where(found & 1, found >> 1 ^ np.uint32(_POLYNOMIAL), found >> 1)
    return found
