"""The files of HW-GPT-Bench's networks: what is taken out of them, and files of other networks."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch

from optiproxy.errors import DataError
from optiproxy.tables.convert.hwgpt import convert
from optiproxy.tables.store.datasets import DATASETS
from optiproxy.tables.store.files import arrays_digest

DATASET = DATASETS["hwgpt_surrogate"]
ONE = "hwgpt_perplexity_s.pt"


@pytest.fixture(scope="module")
def files(raw_folder):
    return {file.name: (raw_folder / file.name).read_bytes() for file in DATASET.files}


def test_the_weights_are_those_of_the_independent_conversion(files, data_folder):
    arrays = convert(files)
    assert arrays_digest(arrays) == DATASET.digest
    assert len(arrays) == 3 * 3 * 5 * 2
    with np.load(data_folder / "hwgpt.npz") as expected:
        for name, array in arrays.items():
            what, family, layer, part = name.split("_")
            published = "bfloat16_memory" if what == "memory" else what
            np.testing.assert_array_equal(
                array, expected[f"{published}_{family}/fc{int(layer) + 1}.{part}"], strict=True
            )


@pytest.mark.parametrize("missing", [file.name for file in DATASET.files])
def test_all_files_are_needed(files, missing):
    with pytest.raises(DataError, match=f"Expected the file {missing} among .*Fetch them all"):
        convert({name: content for name, content in files.items() if name != missing})


def changed(files, **tensors):
    network = torch.load(io.BytesIO(files[ONE]), map_location="cpu", weights_only=True)
    saved = io.BytesIO()
    torch.save({**network, **{name.replace("_", "."): tensor for name, tensor in tensors.items()}}, saved)
    return {**files, ONE: saved.getvalue()}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"fc1_weight": torch.zeros(128, 79)}, "from 80 to 128 in layer 1"),
        ({"fc5_weight": torch.zeros(2, 128), "fc5_bias": torch.zeros(2)}, "from 128 to 1 in layer 5"),
        ({"fc2_bias": torch.zeros(127)}, "in layer 2"),
        ({"fc3_bias": torch.full((128,), torch.nan)}, "finite 32-bit weights"),
        ({"fc3_bias": torch.zeros(128, dtype=torch.float64)}, "finite 32-bit weights"),
        ({"fc3_bias": 7}, "a network of 5 layers"),
    ],
)
def test_networks_of_another_form_are_refused(files, tensors, message):
    assert len(convert(changed(files))) == 90
    with pytest.raises(DataError, match=f"{message}.* {ONE}"):
        convert(changed(files, **tensors))


class Hostile:
    def __reduce__(self):
        return print, ("run",)


def test_files_that_are_no_network_are_refused(files, capsys):
    hostile = io.BytesIO()
    torch.save({"fc1.weight": Hostile()}, hostile)
    for content in (b"", files[ONE][:1000], hostile.getvalue()):
        with pytest.raises(DataError, match=f"a network of 5 layers in {ONE}. Get the file again"):
            convert({**files, ONE: content})
    assert capsys.readouterr().out == ""
