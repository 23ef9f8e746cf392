from __future__ import annotations

import pytest

from optiproxy.errors import DataError
from optiproxy.tables.convert.nasbench201 import MEASURES
from optiproxy.tables.convert.nasbench201 import convert_hardware as convert
from optiproxy.tables.store.datasets import DATASETS

from ..conftest import CELLS

FILES = [file.name for file in DATASETS["hwnasbench"].files]


COLUMNS = tuple(MEASURES.values())


def _lines(cells=CELLS, columns=COLUMNS):
    """A file of the published form; values count up from 1."""
    yield ",".join(["net", *columns])
    for row, cell in enumerate(cells):
        yield ",".join([f'"{cell}"', *(str(row + 1 + 0.5 * i) for i in range(len(columns)))])


def _files(**changes):
    same = "\n".join(_lines(**changes)).encode()
    return dict.fromkeys(FILES, same)


@pytest.mark.slow
def test_cells_are_numbered_our_way():
    """The files order edges by their source and number operations otherwise: here 0->2 is a 1x1 convolution, 0->3 a pool."""
    cells = [(0, 3, 4, 1, 1, 1), *(cell for cell in CELLS if cell != (0, 3, 4, 1, 1, 1))]
    arrays = convert(_files(cells=cells))
    edges = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
    named = {edge: arrays["op_names"][operation] for edge, operation in zip(edges, arrays["ops"][0], strict=True)}
    assert named == {
        (0, 1): "skip_connect",
        (0, 2): "nor_conv_1x1",
        (0, 3): "avg_pool_3x3",
        **dict.fromkeys([(1, 2), (1, 3), (2, 3)], "none"),
    }
    assert arrays["cifar100_edgegpu_energy_mj"][0] == 1.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"Expected 15,625 cells in .*, got 0"),
        (b"\xff\xfe\x00", "cells and numbers in the columns"),
        ("\n".join(_lines(columns=("edgegpu_latency",))).encode(), "cells and numbers in the columns"),
        ("\n".join(_lines(cells=CELLS[:-1])).encode(), r"Expected 15,625 cells in .*, got 15,624"),
        ("\n".join(_lines(cells=CELLS[:-1] + CELLS[:1])).encode(), "Expected 15,625 cells"),
        ("\n".join(_lines()).replace(",1.0,", ",word,", 1).encode(), "cells and numbers"),
        ("\n".join(_lines()).replace(",1.0,", ",-3.0,", 1).encode(), "Expected positive values or -1"),
        ("\n".join(_lines()).replace(",1.0,", ",inf,", 1).encode(), "Expected positive values or -1"),
        ("\n".join(_lines()).replace("(0, 0, 0, 0, 0, 0)", "(0, 0, 0, 0, 0, 5)").encode(), "cells and numbers"),
        ("\n".join(_lines()).replace("(0, 0, 0, 0, 0, 0)", "__import__('os')").encode(), "cells and numbers"),
        (b"net,x\n" + b'"' + b"x" * 200_000, "cells and numbers"),
    ],
)
def test_files_that_are_not_what_they_should_be_are_refused(content, message):
    with pytest.raises(DataError, match=message):
        convert({**_files(), FILES[0]: content})


@pytest.mark.slow
def test_files_of_another_order_or_missing_are_refused():
    turned = "\n".join(_lines(cells=CELLS[::-1])).encode()
    with pytest.raises(DataError, match="in the order of the other files"):
        convert({**_files(), FILES[2]: turned})
    with pytest.raises(DataError, match=f"Expected the file {FILES[0]}"):
        convert({})
