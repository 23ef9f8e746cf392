"""The short form of the fault suite: the rows that need no luck."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def rows(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "benchmarks" / "faults")
    import rows

    yield rows
    for name in ("rows", "attack"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("fault", "count"), [("main_killed", 1), ("group_killed", 2), ("terminated", 1), ("failing", 20)]
)
def test_nothing_is_lost_nor_trained_twice(rows, fault, count, tmp_path):
    attacked = getattr(rows, fault)(tmp_path, count)
    row = attacked.row(fault, count, 0.0)
    wrong = {name: row[name] for name in ("trials lost", "duplicates", "budget missed", "processes left")}
    assert wrong == dict.fromkeys(wrong, 0), row
    # A kill of everything may meet a worker in the midst of writing.
    assert row["returned but lost"] <= (1 if fault == "group_killed" else 0), row
