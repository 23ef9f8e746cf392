"""Pickles from outside: plain values are read, and nothing else happens, whatever they say."""

from __future__ import annotations

import pickle
import pickletools
import tracemalloc
from collections import OrderedDict
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.errors import DataError
from optiproxy.tables.store.pickles import NUMPY, PANDAS, frame_columns, number, unpickle, unpickle_unknown

READERS = [unpickle, unpickle_unknown]

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.slow
@pytest.mark.parametrize("read", READERS)
@given(value=plain, protocol=st.sampled_from([3, 4, 5]))
def test_plain_values_are_read(read, value, protocol):
    assert read(pickle.dumps(value, protocol=protocol), {}) == value


class _Harmful:
    def __reduce__(self):
        return print, ("this must not be printed",)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "value",
    [_Harmful(), OrderedDict(a=1), Fraction(1, 2), np.zeros(1), print, {"deep": [(Fraction(1),)]}],
    ids=["reduce", "ordered-dict", "fraction", "numpy", "function", "nested"],
)
@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
def test_nothing_else_is_looked_up(read, value, protocol, capsys):
    with pytest.raises(DataError, match="it asks for"):
        read(pickle.dumps(value, protocol=protocol), {})
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("stand_ins", [NUMPY, PANDAS], ids=["numpy", "pandas"])
def test_what_the_stand_ins_do_not_name_is_refused(stand_ins, capsys):
    for name in (b"os\nsystem", b"builtins\neval", b"numpy\nload", b"numpy.core.multiarray\nscalar.__init__"):
        with pytest.raises(DataError, match="it asks for"):
            unpickle_unknown(b"c" + name + b"\n(Vprint(1)\ntR.", stand_ins)
    assert capsys.readouterr().out == ""


def test_attributes_of_a_stand_in_are_out_of_reach():
    """Protocol 4 could walk from a named class to anything that hangs on it."""
    content = b"\x80\x04\x8c\x05numpy\x8c\x0edtype.__init__\x93."
    with pytest.raises(DataError, match=r"it asks for numpy\.dtype\.__init__"):
        unpickle_unknown(content, NUMPY)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps([1, 2, 3])[:-3], b"\x80\xff.", b"\x80\x04."])
def test_what_is_no_pickle_is_refused(read, content):
    with pytest.raises(DataError, match="Expected a pickle of plain values"):
        read(content, {})


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04]r\xff\xff\xff\x7f.",  # LONG_BINPUT: two thousand million slots
        b"]p4000000000\n.",  # PUT, in digits
        b"\x80\x05\x96\x00\x00\x00\x00\x10\x00\x00\x00.",  # BYTEARRAY8 of 64 GB
        b"\x80\x04\x8e\x00\x00\x00\x00\x10\x00\x00\x00.",  # BINBYTES8 of 64 GB
        b"\x80\x04\x8b\xff\xff\xff\x7f.",  # LONG4 of 2 GB
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x00N.",  # a frame beyond everything
        b"\x80\x05\x97.",  # NEXT_BUFFER
        b"\x80\x04P1\n.",  # PERSID
        b"\x80\x04\x82\x01.",  # EXT1
        b"(i" + b"builtins\nlist\n.",  # INST
    ],
)
def test_a_bomb_is_refused_before_it_takes_memory(content):
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="Expected a pickle of plain values"):
            unpickle_unknown(content, PANDAS)
        assert tracemalloc.get_traced_memory()[1] < 10**7
    finally:
        tracemalloc.stop()


def test_a_hundred_thousand_levels_are_no_danger():
    depth = 10**5
    nested = unpickle_unknown(b"\x80\x04" + b"]" * depth + b"a" * (depth - 1) + b".", {})
    assert isinstance(nested, list)
    with pytest.raises(DataError):
        number(nested)
    with pytest.raises(DataError):
        frame_columns(nested)


@given(content=st.binary(max_size=200))
def test_noise_is_read_or_refused(content):
    with suppress(DataError):
        unpickle_unknown(content, PANDAS)


@given(data=st.data())
def test_a_damaged_pickle_is_read_or_refused(data):
    content = bytearray(pickle.dumps({"a": [np.float64(1.5)] * 3, "b": "text"}))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] = data.draw(st.integers(0, 255))
    with suppress(DataError):
        unpickle_unknown(bytes(content), NUMPY)


@pytest.mark.parametrize("value", [np.float64(1.5), np.float32(1.5), np.int64(3), np.int32(-3), 4, 2.5])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_numbers_of_numpy_are_read_as_they_are(value, protocol):
    # Before protocol 3 bytes are made by a function, which is not admitted.
    content = pickle.dumps(value, protocol=protocol)
    if b"_codecs" in content:
        with pytest.raises(DataError, match=r"it asks for _codecs\.encode"):
            unpickle_unknown(content, NUMPY)
    else:
        assert number(unpickle_unknown(content, NUMPY)) == float(value)


@pytest.mark.parametrize("value", [None, "1", True, float("nan"), float("inf"), [1.0], np.float64("nan"), np.bool_(1)])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(DataError):
        number(unpickle_unknown(pickle.dumps(value), NUMPY))


def test_numpys_own_constructors_are_never_called(monkeypatch):
    """The stand-ins read the bytes themselves: a hostile state never reaches `numpy.dtype.__setstate__`."""
    content = pickle.dumps(np.float64(1.0)).replace(b"f8", b"O8")
    with pytest.raises(DataError, match="another type"):
        number(unpickle_unknown(content, NUMPY))


def test_the_operations_of_the_stated_list_exist():
    """A misspelt name would refuse files that are sound."""
    from optiproxy.tables.store import pickles

    assert {code.name for code in pickletools.opcodes} >= pickles._OPERATIONS
