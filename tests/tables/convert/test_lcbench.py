"""The files of LCBench's surrogate: what is taken out of them, and files of another network."""

from __future__ import annotations

import json

import numpy as np
import pytest

from optiproxy.errors import DataError
from optiproxy.tables.convert.lcbench import convert
from optiproxy.tables.store.datasets import DATASETS
from optiproxy.tables.store.files import arrays_digest

MODEL, ENCODING, SPACE = (file.name for file in DATASETS["lcbench_surrogate"].files)


@pytest.fixture(scope="module")
def files(raw_folder):
    return {name: (raw_folder / name).read_bytes() for name in (MODEL, ENCODING, SPACE)}


def test_the_published_files_are_the_dataset(files):
    arrays = convert(files)
    assert arrays_digest(arrays) == DATASETS["lcbench_surrogate"].digest
    assert arrays["embeddings"].shape == (34, 24)
    # Tables that the surrogate never saw have rows in the encoding and none here.
    assert set(json.loads(files[ENCODING])["OpenML_task_id"]) - set(arrays["tasks"].tolist()) == {"#na#", "167083"}


@pytest.mark.parametrize("missing", [MODEL, ENCODING, SPACE])
def test_all_files_are_needed(files, missing):
    with pytest.raises(DataError, match=f"Expected the file {missing} among .*Fetch them all"):
        convert({name: content for name, content in files.items() if name != missing})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"layers.2.linear1.bias", b"layers.9.linear1.bias", "'layers.2.linear1.bias'"),
        (b"last_normalization.running_var", b"last_normalization.running_bar", "'last_normalization.running_var'"),
        (np.float32(32.23385).tobytes(), np.float32(np.nan).tobytes(), "one finite 32-bit numbers '205'"),
        (b"embds_fct.0.weight", b"embds_fct.1.weight", "'embds_fct.0.weight'"),
    ],
)
def test_models_of_another_form_are_refused(files, old, new, message):
    assert old in files[MODEL]
    with pytest.raises(DataError, match=f"Expected {MODEL} to hold .*{message}"):
        convert({**files, MODEL: files[MODEL].replace(old, new)})


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (ENCODING, {}),
        (ENCODING, []),
        (ENCODING, {"OpenML_task_id": {"3945": 34}}),
        (SPACE, {"hyperparameters": []}),
        (SPACE, {"hyperparameters": [{"name": "OpenML_task_id", "choices": ["x"]}]}),
        (SPACE, {"hyperparameters": [{"name": "OpenML_task_id", "choices": []}]}),
        (SPACE, 7),
    ],
)
def test_other_tasks_are_refused(files, file, content):
    with pytest.raises(DataError, match="Get the file"):
        convert({**files, file: json.dumps(content).encode()})


@pytest.mark.parametrize("row", [36, -1, "34", True, 1.0])
def test_rows_that_the_network_has_not_are_refused(files, row):
    encoding = json.loads(files[ENCODING])
    encoding["OpenML_task_id"]["3945"] = row
    with pytest.raises(DataError, match="Get the file"):
        convert({**files, ENCODING: json.dumps(encoding).encode()})


@pytest.mark.parametrize("file", [ENCODING, SPACE])
def test_what_is_no_json_is_refused(files, file):
    with pytest.raises(DataError, match=f"Expected {file} to be JSON"):
        convert({**files, file: b"["})
