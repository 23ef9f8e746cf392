"""Published files that lie in the data folder serve as they are: converted in memory, and nothing is written."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from optiproxy.errors import DataError
from optiproxy.tables.store.datasets import DATASETS, PUBLISHED, load, problem
from optiproxy.tables.store.fetching import Mirror, fetch
from optiproxy.tables.store.files import arrays_digest

NAME = "lcbench_surrogate"


@pytest.fixture
def folder(tmp_path, monkeypatch, raw_folder):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    (tmp_path / PUBLISHED).mkdir()
    for file in DATASETS[NAME].files:
        shutil.copyfile(raw_folder / file.name, tmp_path / PUBLISHED / file.name)
    return tmp_path


def test_published_files_are_converted_in_memory(folder):
    arrays = load(NAME)
    assert arrays_digest(arrays) == DATASETS[NAME].digest
    assert problem(NAME) == ""
    assert [path.name for path in folder.iterdir()] == [PUBLISHED]
    fetch(DATASETS[NAME], Mirror(folder / PUBLISHED), lambda count: None)
    for name, array in load(NAME).items():
        np.testing.assert_array_equal(array, arrays[name], strict=True)


def test_some_of_the_files_are_not_enough(folder):
    (folder / PUBLISHED / DATASETS[NAME].files[-1].name).unlink()
    with pytest.raises(DataError, match=f"{NAME} is not in .*optiproxy data fetch {NAME}"):
        load(NAME)


def test_a_wrong_file_is_refused(folder):
    path = folder / PUBLISHED / DATASETS[NAME].files[0].name
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(DataError, match=f"to have the sha256 .*optiproxy data fetch {NAME}"):
        load(NAME)


def test_what_is_damaged_is_never_made_again_in_secret(folder):
    (folder / f"{NAME}.npz").write_bytes(b"damaged")
    with pytest.raises(DataError, match=f"{NAME}.npz to be an .npz file"):
        load(NAME)
