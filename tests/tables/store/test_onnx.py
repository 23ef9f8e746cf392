"""The reader of ONNX files: on messages written here byte by byte, and on anything that is none."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.errors import DataError
from optiproxy.tables.store.onnx import read_tensors

FLOAT, DOUBLE, INT64 = 1, 11, 7


def varint(number):
    content = b""
    while number > 127:
        content, number = content + bytes([number & 127 | 128]), number >> 7
    return content + bytes([number])


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def tensor(name, shape, values, kind=FLOAT):
    axes = b"".join(number(1, axis) for axis in shape)
    return axes + number(2, kind) + block(8, name.encode()) + block(9, values)


def model(*initializers):
    return block(7, b"".join(block(5, initializer) for initializer in initializers))


def floats(*values):
    return np.array(values, dtype="<f4").tobytes()


def test_initializers_and_constants_are_read():
    array = np.arange(6, dtype="<f4").reshape(2, 3)
    constant = block(1, b"value") + block(5, tensor("", (), np.int64(-7).tobytes(), INT64)) + number(20, 4)
    node = block(1, b"in") + block(2, b"out") + block(4, b"Constant") + block(5, constant)
    content = (
        number(1, 6) + block(2, b"pytorch") + block(7, block(1, node) + block(5, tensor("w", (2, 3), array.tobytes())))
    )
    tensors = read_tensors(content)
    assert set(tensors) == {"w", "out"}
    np.testing.assert_array_equal(tensors["w"], array)
    assert tensors["w"].dtype == np.float32
    assert tensors["out"].shape == ()
    assert tensors["out"] == -7
    with pytest.raises(ValueError, match="read-only"):
        tensors["w"][0] = 1


def test_a_shape_may_be_one_packed_field():
    packed = block(1, varint(2) + varint(1)) + number(2, FLOAT) + block(8, b"w") + block(9, floats(1, 2))
    assert read_tensors(model(packed))["w"].shape == (2, 1)


def test_fields_of_later_versions_are_passed_over():
    unknown = varint(300 << 3 | 1) + b"8 bytes." + varint(301 << 3 | 5) + b"four" + number(302, 2**64 - 1)
    assert set(read_tensors(unknown + model(tensor("w", (), floats(1)) + unknown))) == {"w"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it holds none"),
        (number(1, 6), "it holds none"),
        (block(7, b""), "it holds none"),
        (b"\x3a", "in the middle of a number"),
        (b"\x3a\x80", "in the middle of a number"),
        (b"\xff" * 11, "more than 64 bits"),
        (varint(7 << 3 | 2) + varint(2**63), "in the middle of a field"),
        (varint(9 << 3 | 1) + b"7 bytes", "in the middle of a field"),
        (varint(7 << 3 | 3), "unknown form 3"),
        (number(7, 5), "a number is where bytes should be"),
        (block(7, number(5, 5)), "a number is where bytes should be"),
        (model(block(2, b"float")), "bytes are where a number should be"),
        (model(tensor("w", (2,), floats(1))), r"'w' holds 4 bytes for the shape \[2\]"),
        (model(tensor("w", (2**62, 2**62), b"")), "'w' holds 0 bytes"),
        (model(tensor("w", (1,) * 9, floats(1))), "more than 8 axes"),
        (model(block(1, varint(1) * 100_000)), "more than 8 axes"),
        (model(tensor("w", (1,), b"8 bytes.", DOUBLE)), "'w' has numbers of type 11"),
        (model(b""), "'' has numbers of type 0"),
        (model(number(2, FLOAT) + block(8, b"\xff") + block(9, floats(1))), "codec can't decode"),
        # Values in another file, which is never opened.
        (
            model(
                number(1, 1) + number(2, FLOAT) + block(8, b"w") + block(13, block(1, b"/etc/passwd")) + number(14, 1)
            ),
            "'w' holds 0 bytes",
        ),
    ],
)
def test_what_is_no_onnx_file_is_refused(content, reason):
    with pytest.raises(DataError, match=f"Expected an ONNX file of plain tensors, but .*{reason}.* Get the file again"):
        read_tensors(content)


@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content):
    for wrapped in (content, block(7, content), model(content), block(7, block(1, content))):
        with suppress(DataError):
            read_tensors(wrapped)


@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(data):
    content = bytearray(model(tensor("a", (2, 2), floats(1, 2, 3, 4)), tensor("b", (1,), np.int64(1).tobytes(), INT64)))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] = data.draw(st.integers(0, 255))
    try:
        tensors = read_tensors(bytes(content[: data.draw(st.integers(0, len(content)))]))
    except DataError:
        return
    assert all(array.dtype in (np.float32, np.int64) for array in tensors.values())
