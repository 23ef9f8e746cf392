"""Protobuf messages without their schema, and the TFRecord files that TensorFlow keeps such messages in.

A message is a sequence of numbered fields, each a whole number, eight or four bytes, or a length and as many bytes, which may
be a message again (protobuf.dev, "Encoding"). Reading is suspicious: nothing is executed, nothing outside the message is
opened, and time and memory are in proportion to its length. Why not the packages `protobuf` and `onnx`: see
docs/decisions/data.md.

A TFRecord file (tensorflow.org, "TFRecord and tf.train.Example") is one record after the other: eight bytes of length, the
checksum of these, the record, its checksum. Checksums are CRC-32C (Castagnoli), rotated by 15 bits and moved by a constant.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


Value: TypeAlias = "int | memoryview"
"""What a field holds: a whole number, or bytes."""

# Wire types, the low three bits of a field's key; 3 and 4 are the deprecated groups.
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_VARINT_BITS = 64


def fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield number and value of each field, in the order in which they are written.

    Raises:
        ValueError: Where the message is damaged; what comes before has been yielded by then.
    """
    at = 0
    while at < len(message):
        # A key is the number of the field above three bits of wire type.
        key, at = _varint(message, at)
        field, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            value, at = _varint(message, at)
            yield field, value
            continue
        if wire_type == _LENGTH:
            length, at = _varint(message, at)
        elif wire_type in (_FOUR_BYTES, _EIGHT_BYTES):
            length = 4 if wire_type == _FOUR_BYTES else 8
        else:
            raise ValueError(f"a field is written in the unknown form {wire_type}")
        # Slicing would cut a field short without a word.
        if length > len(message) - at:
            raise ValueError("it ends in the middle of a field")
        yield field, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number that begins at a place, seven bits to a byte, the lowest first; and the place behind it."""
    number = 0
    for shift in range(0, _VARINT_BITS, 7):
        if at >= len(message):
            raise ValueError("it ends in the middle of a number")
        byte, at = message[at], at + 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise ValueError(f"a number has more than {_VARINT_BITS} bits")


def varints(packed: memoryview) -> Iterator[int]:
    """Yield the numbers of a packed field, which follow each other without keys.

    Raises:
        ValueError: Where the last one is cut short.
    """
    at = 0
    while at < len(packed):
        number, at = _varint(packed, at)
        yield number


def as_bytes(value: Value) -> memoryview:
    """Return the bytes in a field.

    Raises:
        ValueError: If it holds a number.
    """
    if isinstance(value, int):
        raise ValueError("a number is where bytes should be")  # noqa: TRY004 - the data is wrong, not the call
    return value


def as_int(value: Value) -> int:
    """Return the whole number in a field.

    Raises:
        ValueError: If it holds bytes.
    """
    if not isinstance(value, int):
        raise ValueError("bytes are where a number should be")  # noqa: TRY004 - the same
    return value


def as_double(value: Value) -> float:
    """Return the 64-bit float in a field.

    Raises:
        ValueError: If it holds anything but eight bytes.
    """
    eight = as_bytes(value)
    if len(eight) != 8:
        raise ValueError(f"{len(eight)} bytes are where 8 should be")
    # Fixed numbers are little-endian.
    return struct.unpack("<d", eight)[0]


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
    # A row for each position within the texts, so that one step of the checksum serves all texts.
    columns = np.zeros((int(lengths.max(initial=0)), len(contents)), dtype=np.uint8)
    for column, n in enumerate(order):
        columns[: lengths[n], column] = np.frombuffer(contents[n], dtype=np.uint8)
    # The longest come first, so that the texts that have not ended are always the first ``left[i]`` columns.
    left = np.searchsorted(-lengths[order], -np.arange(len(columns)), side="left")
    found = np.full(len(contents), _ONES)
    for column, count in zip(columns, left.tolist(), strict=True):
        active = found[:count]
        found[:count] = _table()[(active ^ column[:count]) & 0xFF] ^ (active >> 8)
    # CRC-32C starts from all ones and ends by inverting all bits.
    found ^= _ONES
    checksums = np.empty_like(found)
    checksums[order] = ((found >> 15) | (found << 17)) + _MASK
    return checksums


def _framed(file: BinaryIO) -> Iterator[tuple[bytes, bytes, int, int]]:
    """Yield the length as it is written, the record, and the checksum of either."""
    while head := file.read(_HEAD.size):
        length, of_head = _HEAD.unpack(_whole(head, _HEAD.size))
        # Asked before anything of this length is allocated.
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
