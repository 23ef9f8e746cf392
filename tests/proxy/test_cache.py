"""What is pretrained once is pretrained once, in this process and in the next."""

from __future__ import annotations

import numpy as np
import pytest

from optiproxy.proxy import cache

WEIGHTS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(0, dtype=np.float32)}


@pytest.fixture(autouse=True)
def _new_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    another_process()
    yield
    another_process()


def another_process():
    cache._memory.cache_clear()


def made(name="one"):
    """How often the weights are made to recall them once, and that they are right."""
    calls = []

    def make():
        calls.append(name)
        return WEIGHTS

    found = cache.recall(name, make)
    assert found.keys() == WEIGHTS.keys()
    assert all(np.array_equal(found[key], WEIGHTS[key]) for key in WEIGHTS)
    return len(calls)


def test_is_made_once_in_a_process_and_once_on_disk():
    assert [made(), made()] == [1, 0]
    another_process()
    assert made() == 0


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"\x80\x04N."])
def test_a_damaged_file_is_made_again_and_mended(content):
    made()
    (cache.folder() / "one.npz").write_bytes(content)
    another_process()
    assert made() == 1
    another_process()
    assert made() == 0


def test_pickles_are_not_read():
    cache.folder().mkdir(parents=True)
    np.savez(cache.folder() / "one.npz", a=np.array([{}], dtype=object))
    assert made() == 1


def test_does_without_a_folder_to_write_to(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert [made(), made()] == [1, 0]


def test_the_oldest_files_go(monkeypatch):
    monkeypatch.setattr(cache, "FILES", 3)
    for i in range(5):
        made(f"file{i}")
    assert len(list(cache.folder().iterdir())) == 3


def test_equal_arguments_have_equal_names():
    names = [
        cache.key(np.arange(3), "x"),
        cache.key(np.arange(3), "x"),
        cache.key(np.arange(3).reshape(3, 1), "x"),
        cache.key(np.arange(3.0), "x"),
        cache.key(np.arange(3), "y"),
    ]
    assert names[0] == names[1]
    assert len(set(names)) == 4
