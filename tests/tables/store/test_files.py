"""Data files: what was written is read, and no file from outside can do more than be refused."""

from __future__ import annotations

import hashlib
import io
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from optiproxy.errors import DataError
from optiproxy.tables.store import files as module
from optiproxy.tables.store.files import arrays_digest, read_arrays, read_verified, replacing, write_arrays

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


def test_a_file_that_cannot_be_read_is_told_plainly(tmp_path):
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(DataError, match=r"Cannot read the data file .*: .* Fetch it\."):
            read_verified(path, sha256=SHA256, remedy="Fetch it.")


def test_no_more_is_read_than_the_file_may_be_long(tmp_path):
    (tmp_path / "table").write_bytes(CONTENT + b"x" * 10**6)
    with pytest.raises(DataError, match=rf"\({len(CONTENT) + 1} bytes\)"):
        read_verified(tmp_path / "table", sha256=SHA256, size=len(CONTENT), remedy="")


def test_a_file_is_replaced_when_all_of_it_is_written(tmp_path):
    path = tmp_path / "folder" / "made"
    for content in (b"first", b"second"):
        with replacing(path) as file:
            file.write(content)
            assert not path.exists() or path.read_bytes() == b"first"
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_what_is_interrupted_leaves_the_old_file_and_nothing_else(tmp_path, error):
    (tmp_path / "made").write_bytes(b"old")

    def interrupted():
        with replacing(tmp_path / "made") as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        interrupted()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("made", b"old")]


def test_a_folder_that_cannot_be_made_is_told_plainly(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(DataError, match=r"Cannot write made to the data folder .*file"),
        replacing(tmp_path / "file" / "made"),
    ):
        pass


ARRAYS = {"a": np.arange(6.0).reshape(2, 3), "b": np.array(["x", "yz"]), "c": np.array(7, dtype=np.uint8)}


def test_what_was_written_is_read(tmp_path):
    write_arrays(tmp_path / "new" / "made.npz", ARRAYS)
    found = read_arrays(tmp_path / "new" / "made.npz", remedy="")
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
        assert not found[name].flags.writeable
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["made.npz"]


def test_numpy_reads_the_same(tmp_path):
    write_arrays(tmp_path / "made.npz", ARRAYS)
    with np.load(tmp_path / "made.npz", allow_pickle=False) as file:
        assert arrays_digest({name: file[name] for name in file.files}) == arrays_digest(ARRAYS)


def test_columns_first_and_big_endian_are_read_and_have_the_same_digest(tmp_path):
    wide = {"a": np.asfortranarray(ARRAYS["a"]).astype(">f8"), **{k: v for k, v in ARRAYS.items() if k != "a"}}
    np.savez(tmp_path / "made.npz", **wide)
    found = read_arrays(tmp_path / "made.npz", remedy="")
    np.testing.assert_array_equal(found["a"], ARRAYS["a"])
    assert arrays_digest(found) == arrays_digest(wide) == arrays_digest(ARRAYS)


simple = arrays_of.arrays(
    dtype=st.sampled_from([np.dtype("f8"), np.dtype("u1"), np.dtype("U3")]),
    shape=arrays_of.array_shapes(min_dims=0, max_dims=2, max_side=3),
)
named = st.dictionaries(st.text("abc", min_size=1, max_size=2), simple, max_size=3)


@given(first=named, second=named)
def test_the_digest_is_equal_for_equal_arrays_alone(first, second):
    def plain(arrays):
        return {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in arrays.items()}

    assert (arrays_digest(first) == arrays_digest(second)) == (plain(first) == plain(second))
    assert arrays_digest(dict(reversed(first.items()))) == arrays_digest(first)


def _npy(array, **changes):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    content = buffer.getvalue()
    for old, new in changes.get("replace", ()):
        content = content.replace(old, new)
    return content


def _zip(members, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


class _Harmful:
    def __reduce__(self):
        return print, ("this must not be printed",)


def _bomb():
    """A thousand times as large as it looks, with a directory that tells the truth."""
    return _zip({f"{i}.npy": b"\0" * 10**7 for i in range(3)})


def _lying():
    """The directory says 100 bytes; the stream holds ten million."""
    content = bytearray(_zip({"a.npy": b"\0" * 10**7}))
    for at in (content.rfind(b"PK\x01\x02") + 24, content.find(b"PK\x03\x04") + 22):
        content[at : at + 4] = (100).to_bytes(4, "little")
    return bytes(content)


HOSTILE = {
    "empty": b"",
    "no archive": b"PK\x03\x04 something else",
    "another archive": _zip({"a.txt": b"text"}),
    "a pickle": pickle.dumps(_Harmful()),
    "objects": _zip({"a.npy": _npy(np.array([_Harmful()], dtype=object))}),
    "objects in a record": _zip({"a.npy": _npy(np.zeros(1, dtype=[("f", "O")]))}),
    "a shape beyond the content": _zip({"a.npy": _npy(np.zeros(3), replace=[(b"(3,)", b"(9,)")])}),
    "a shape beyond memory": _zip({"a.npy": _npy(np.zeros(3), replace=[(b"(3,), }         ", b"(999999999999,)}")])}),
    "a negative shape": _zip({"a.npy": _npy(np.zeros(4), replace=[(b"(4,), } ", b"(-4,), }")])}),
    "no shape": _zip({"a.npy": _npy(np.zeros(3), replace=[(b"'shape': (3,)", b"'shape': 'abc'")])}),
    "code in a header": _zip({"a.npy": _npy(np.zeros(3), replace=[(b"(3,)", b"f(3)")])}),
    "a member cut short": _zip({"a.npy": _npy(np.zeros(3))[:-4]}),
    "another compression": _zip({"a.npy": _npy(np.zeros(3))}, zipfile.ZIP_BZIP2),
    "a lying directory": _lying(),
    "cut short": _zip({"a.npy": _npy(np.arange(1000.0))})[:-50],
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_are_refused_and_do_nothing(tmp_path, content, capsys):
    (tmp_path / "made.npz").write_bytes(content)
    with pytest.raises(
        DataError, match=r"Expected .*made\.npz to be an \.npz file of plain arrays, .* Get it anew\."
    ) as refused:
        read_arrays(tmp_path / "made.npz", remedy="Get it anew.")
    assert "\n" not in str(refused.value)
    assert capsys.readouterr().out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["made.npz"]


def test_a_bomb_is_refused_before_it_expands(tmp_path, monkeypatch):
    (tmp_path / "made.npz").write_bytes(_bomb())
    monkeypatch.setattr(module, "MAX_BYTES", 2 * 10**7)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="it would expand to 29 MB"):
            read_arrays(tmp_path / "made.npz", remedy="")
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


def test_names_that_lead_elsewhere_are_names_and_nothing_else(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "made.npz").write_bytes(_zip({"../escaped.npy": _npy(np.zeros(3))}))
    assert list(read_arrays(tmp_path / "in" / "made.npz", remedy="")) == ["../escaped"]
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@given(position=st.integers(0, 10**6), value=st.integers(0, 255))
def test_any_changed_byte_is_refused_or_changes_nothing(tmp_path_factory, position, value):
    """Values are guarded by the archive's checksums; elsewhere a byte may be without meaning."""
    folder = tmp_path_factory.mktemp("changed")
    write_arrays(folder / "made.npz", ARRAYS)
    content = bytearray((folder / "made.npz").read_bytes())
    content[position % len(content)] = value
    (folder / "made.npz").write_bytes(content)
    try:
        found = read_arrays(folder / "made.npz", remedy="")
    except DataError:
        return
    same = {name: np.array_equal(found[name], array) for name, array in ARRAYS.items() if name in found}
    assert all(same.values())


def test_arrays_that_cannot_be_read_are_told_plainly(tmp_path):
    for path in (tmp_path / "missing.npz", tmp_path):
        with pytest.raises(DataError, match=r"Cannot read the data file .*: .* Get it\."):
            read_arrays(path, remedy="Get it.")


def test_objects_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle"):
        write_arrays(tmp_path / "made.npz", {"a": np.array([{}], dtype=object)})
    assert list(tmp_path.iterdir()) == []
