from __future__ import annotations

import hashlib
import pickle
from collections import OrderedDict
from fractions import Fraction

import numpy as np
import pytest

from optiproxy.benchmarks.files import plain_pickle, read_verified
from optiproxy.errors import DataError

CONTENT = b"values"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def test_a_file_with_the_right_digest_is_read(tmp_path):
    (tmp_path / "table").write_bytes(CONTENT)
    assert read_verified(tmp_path / "table", sha256=SHA256, remedy="") == CONTENT


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"\n", b"valueZ"])
def test_a_damaged_file_is_refused_with_what_to_do(tmp_path, content):
    (tmp_path / "table").write_bytes(content)
    with pytest.raises(DataError, match=r"Expected .*table to have the sha256 .* got .* Fetch it again\."):
        read_verified(tmp_path / "table", sha256=SHA256, remedy="Fetch it again.")


def test_what_cannot_be_read_is_told_plainly(tmp_path):
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(DataError, match=r"Cannot read the data file .*: .* Fetch it\."):
            read_verified(path, sha256=SHA256, remedy="Fetch it.")


def test_plain_containers_are_read():
    plain = {"a": [1, 2.5, None, True], "b": ({"c": b"bytes"}, "text")}
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        if protocol > 2:  # bytes need a function before protocol 3
            assert plain_pickle(pickle.dumps(plain, protocol=protocol)) == plain


class _Harmful:
    def __reduce__(self):
        return print, ("this must not be printed",)


@pytest.mark.parametrize(
    "value",
    [_Harmful(), OrderedDict(a=1), Fraction(1, 2), np.zeros(1), print, {"deep": [(Fraction(1),)]}],
    ids=["reduce", "ordered-dict", "fraction", "numpy", "function", "nested"],
)
@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
def test_nothing_else_is_looked_up(value, protocol, capsys):
    with pytest.raises(DataError, match="it asks for"):
        plain_pickle(pickle.dumps(value, protocol=protocol))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps([1, 2, 3])[:-3], b"\x80\xff."])
def test_what_is_no_pickle_is_refused(content):
    with pytest.raises(DataError, match="Expected a pickle of plain containers"):
        plain_pickle(content)
