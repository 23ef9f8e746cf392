from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.tables.store.protobuf import as_double, fields


def test_the_example_of_the_specification_is_read():
    """``message Test1 { int32 a = 1; }`` with a = 150 (protobuf.dev, "Encoding"), and the text "testing" in a field 2."""
    assert list(fields(memoryview(bytes.fromhex("089601")))) == [(1, 150)]
    assert list(fields(memoryview(bytes.fromhex("120774657374696e67")))) == [(2, b"testing")]


def test_a_double_takes_eight_bytes():
    with pytest.raises(ValueError, match="4 bytes are where 8 should be"):
        as_double(memoryview(b"four"))


@given(content=st.binary(max_size=60))
def test_whatever_the_bytes_a_message_is_read_or_refused(content):
    try:
        found = list(fields(memoryview(content)))
    except ValueError:
        return
    assert sum(1 if isinstance(value, int) else 1 + len(value) for _, value in found) <= len(content)
