from __future__ import annotations

import hashlib

import pytest

from optiproxy.errors import DataError
from optiproxy.tables.store.files import read_verified, replacing

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
