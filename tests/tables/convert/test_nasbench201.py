from __future__ import annotations

import pickle

import numpy as np
import pytest

from optiproxy.errors import DataError
from optiproxy.tables.convert.nasbench201 import convert, parse
from optiproxy.tables.nasbench201_sources import flops, parameters
from optiproxy.tables.store.datasets import DATASETS

from ..conftest import CELLS, cell_text

FULL = {
    "nb201_cifar10-valid_val_test_v1_0.pickle": "cifar10-valid",
    "nb201_cifar100_val_test_v1_0.pickle": "cifar100",
    "nb201_ImageNet16-120_val_test_v1_0.pickle": "ImageNet16-120",
}
SHORT = "nb201_mini_12epoch.pd"


@pytest.fixture(scope="module")
def published(raw_folder):
    return {file.name: (raw_folder / file.name).read_bytes() for file in DATASETS["nasbench201"].files}


@pytest.mark.slow
def test_exchanged_files_are_refused(published):
    first, second, _ = FULL
    with pytest.raises(DataError, match="Expected two accuracies"):
        convert({**published, first: published[second], second: published[first]})
    with pytest.raises(DataError, match=r"it asks for pandas\.core\.frame\.DataFrame"):
        convert({**published, first: published[SHORT]})
    with pytest.raises(DataError, match="Expected a pickled frame"):
        convert({**published, SHORT: published[first]})


@pytest.mark.parametrize("name", [next(iter(FULL)), SHORT])
def test_truncated_files_are_refused(published, name):
    with pytest.raises(DataError, match="Expected a pickle of plain values"):
        convert({**published, name: published[name][:-1000]})


def test_a_file_that_is_not_there_is_named(published):
    with pytest.raises(DataError, match=f"Expected the file {SHORT}"):
        convert({name: published[name] for name in FULL})


@pytest.fixture
def made(pickled_frame):
    """Small stand-ins of all four files, in another order of the cells than ours."""
    texts = [cell_text(cell) for cell in reversed(CELLS)]
    values = np.arange(len(texts), dtype=np.float64)

    def files(**changes):
        columns = {
            "arch": np.arange(len(texts)),
            "cellstr": np.array(texts, dtype=object),
            **{
                f"{d}-{s}": values / 300 + i
                for i, d in enumerate(("cifar10", "cifar100", "imagenet"))
                for s in ("test", "val")
            },
        }
        rows = {
            dataset: {text: {dataset: {"eval_acc1es": [np.float64(n / 200), n / 400]}} for n, text in enumerate(texts)}
            for dataset in FULL.values()
        }
        for part, change in changes.items():
            change({"columns": columns, "rows": rows}[part])
        return {
            SHORT: pickled_frame(columns),
            **{file: pickle.dumps(rows[dataset], protocol=4) for file, dataset in FULL.items()},
        }

    return files


@pytest.mark.slow
def test_rows_follow_the_order_of_the_frame_and_columns_their_split(made):
    arrays = convert(made())
    np.testing.assert_array_equal(arrays["ops"], CELLS[::-1])
    np.testing.assert_array_equal(arrays["cifar10_valid_200"], np.arange(15_625) / 200)
    np.testing.assert_array_equal(arrays["imagenet16_120_test_200"], np.arange(15_625) / 400)
    np.testing.assert_array_equal(arrays["imagenet16_120_test_12"], np.arange(15_625) / 300 + 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": lambda c: c["cellstr"].__setitem__(0, c["cellstr"][1])}, "Expected the 15,625 cells"),
        ({"columns": lambda c: c["cellstr"].__setitem__(0, "|none~0|")}, "Expected a cell like"),
        ({"columns": lambda c: c.pop("cellstr")}, "columns arch and cellstr"),
        ({"columns": lambda c: c.pop("cifar10-val")}, "Expected a column cifar10-val"),
        ({"rows": lambda r: r["cifar100"].popitem()}, "Expected two accuracies"),
        (
            {"rows": lambda r: r["cifar100"][cell_text(CELLS[7])]["cifar100"].update(eval_acc1es=[1.0])},
            "Expected two accuracies",
        ),
        (
            {"rows": lambda r: r["cifar100"][cell_text(CELLS[7])]["cifar100"].update(eval_acc1es=[float("nan"), 1.0])},
            "Expected a finite number",
        ),
    ],
)
def test_files_that_contradict_themselves_are_refused(made, changes, message):
    with pytest.raises(DataError, match=message):
        convert(made(**changes))


@pytest.mark.parametrize("cell", CELLS[::997])
def test_the_notation_is_read_back(cell):
    assert tuple(parse(cell_text(cell))) == cell


@pytest.mark.parametrize(
    "text", ["", "|none~0|", cell_text(CELLS[0]) + "|", cell_text(CELLS[0]).replace("none", "sep_conv", 1)]
)
def test_other_notations_are_refused(text):
    with pytest.raises(DataError, match="Expected a cell like"):
        parse(text)


def test_costs_are_counted_as_by_hand():
    """The network around the cells, and one convolution of 1x1 in each: 5 (16^2 32^2 + 32^2 16^2 + 64^2 8^2) products."""
    empty, one, three = np.zeros((3, 1, 6), dtype=np.uint8)
    one[0, 0], three[0, 0] = 2, 3
    assert flops(empty, classes=10) == [7.78304]
    assert flops(one, classes=10) - flops(empty, classes=10) == pytest.approx(5 * 3 * 2**18 / 1e6)
    assert flops(three, classes=10) - flops(empty, classes=10) == pytest.approx(9 * 5 * 3 * 2**18 / 1e6)
    assert flops(empty, classes=100) - flops(empty, classes=10) == pytest.approx(90 * 64 / 1e6)
    # Weights, and a scale and a shift for each channel.
    assert parameters(one, classes=10) - parameters(empty, classes=10) == pytest.approx(
        5 * (16**2 + 32**2 + 64**2 + 2 * (16 + 32 + 64)) / 1e6
    )
