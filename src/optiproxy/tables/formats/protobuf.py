"""The fields of a protobuf message, read with suspicion and without its schema.

A message is a sequence of numbered fields, each a whole number, eight or four bytes, or a length and as many bytes, which
may be a message again (protobuf.dev, "Encoding").
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TypeAlias

Value: TypeAlias = "int | memoryview"

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_VARINT_BITS = 64


def fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Number and value of each field, in the order in which they are written.

    Raises:
        ValueError: Where the message is damaged; what comes before has been yielded by then.
    """
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        field, form = key >> 3, key & 7
        if form == _VARINT:
            value, at = varint(message, at)
            yield field, value
            continue
        if form == _LENGTH:
            length, at = varint(message, at)
        elif form in (_FOUR_BYTES, _EIGHT_BYTES):
            length = 4 if form == _FOUR_BYTES else 8
        else:
            raise ValueError(f"a field is written in the unknown form {form}")
        if length > len(message) - at:
            raise ValueError("it ends in the middle of a field")
        yield field, message[at : at + length]
        at += length


def varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number written at this place, seven bits to a byte, the lowest first; and the place behind it.

    Raises:
        ValueError: If it has no end.
    """
    number = 0
    for shift in range(0, _VARINT_BITS, 7):
        if at >= len(message):
            raise ValueError("it ends in the middle of a number")
        byte, at = message[at], at + 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise ValueError(f"a number has more than {_VARINT_BITS} bits")


def content(value: Value) -> memoryview:
    """The bytes of a field.

    Raises:
        ValueError: If it is a number.
    """
    if isinstance(value, int):
        raise ValueError("a number is where bytes should be")  # noqa: TRY004 - the data is wrong, not the call
    return value


def number(value: Value) -> int:
    """The whole number in a field.

    Raises:
        ValueError: If it is no such field.
    """
    if not isinstance(value, int):
        raise ValueError("bytes are where a number should be")  # noqa: TRY004 - the same
    return value


def double(value: Value) -> float:
    """The 64-bit float in a field.

    Raises:
        ValueError: If it is no such field.
    """
    eight = content(value)
    if len(eight) != 8:
        raise ValueError(f"{len(eight)} bytes are where 8 should be")
    return struct.unpack("<d", eight)[0]
