from __future__ import annotations

import json
import math

import pytest

from optiproxy.execution.evaluation import Evaluation
from optiproxy.execution.receipts import read, with_receipt

FULL = Evaluation(
    metrics={"score": 0.1 + 0.2, "other": math.inf},
    reason="",
    seconds=1.5,
    curve={1: 0.5, 20: math.nan},
    attributes={"path": "a/b", "list": [1, None, {"deep": True}], "text": "\ud800 é\n"},
    missing=("size",),
    kind="k",
    traceback="t",
    output="o\x1b[2J",
    notes={"optiproxy:judged": 3},
)


def test_what_is_written_down_is_what_is_handed_back(tmp_path):
    path = tmp_path / "receipt.json"
    assert with_receipt(path, lambda *, seed: FULL if seed else None, seed=1) is FULL
    assert repr(read(path, folder=None)) == repr(FULL)
    assert path.stat().st_mode & 0o077 == 0
    assert [*tmp_path.iterdir()] == [path]


def test_a_folder_that_is_not_there_costs_nothing(tmp_path):
    path = tmp_path / "elsewhere" / "receipt.json"
    assert with_receipt(path, lambda: FULL) is FULL
    assert not path.parent.exists()
    assert read(path, folder=None) is None


def test_no_path_that_a_file_names_is_followed(tmp_path):
    path, own = tmp_path / "receipt.json", tmp_path / "running-0"
    with_receipt(path, lambda: Evaluation(metrics={"score": 1.0}, folder=tmp_path / ".." / "etc"))
    assert read(path, folder=own).folder == own


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"metrics": 3}', json.dumps({"metrics": {"a": "b"}}), "\x00", "9" * 9999]
)
def test_what_cannot_be_read_is_said_and_tried_again(tmp_path, text):
    path = tmp_path / "receipt.json"
    path.write_text(text)
    with pytest.warns(UserWarning, match="cannot be read"):
        assert read(path, folder=None) is None
