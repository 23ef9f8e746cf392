"""Times are measured while no worker of the search trains."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from optiproxy.searching.search import search
from optiproxy.task.quiet import quiet

pytestmark = pytest.mark.slow

CHOICES = {"width": [1, 2, 3, 4], "depth": [1, 2, 3]}


def overlapping(marks: Path) -> list[tuple[str, str]]:
    """Trainings and measurements that ran at the same time, by their files' names and contents."""
    spans = [(path.name, *map(float, path.read_text().split())) for path in marks.iterdir()]
    measured = [span for span in spans if span[0].startswith("measured")]
    trained = [span for span in spans if span[0].startswith("trained")]
    assert len(measured) >= len(trained) >= 6
    return [(m[0], t[0]) for m in measured for t in trained if m[1] < t[2] and t[1] < m[2]]


def functions(marks: Path):
    def spend(kind: str, seconds: float) -> None:
        start = time.time()
        time.sleep(seconds)
        # One file for each, because processes write them.
        (marks / f"{kind}-{os.getpid()}-{start}").write_text(f"{start} {time.time()}")

    def train(choices):
        spend("trained", 0.3 + 0.1 * choices["depth"])
        return choices["width"]

    def measure(choices):
        spend("measured", 0.02)
        # Both are read, because architectures that agree in all that is read are measured once.
        return choices["depth"] + 0 * choices["width"]

    return train, measure


@pytest.mark.parametrize("limits", [("ms<=2",), ()], ids=["limited", "recorded"])
def test_nothing_is_timed_beside_a_training(limits, tmp_path):
    train, measure = functions(tmp_path)
    result = search(CHOICES, train, free={"ms": quiet(measure)}, limits=limits, budget=6, algorithm="random", workers=2)
    assert overlapping(tmp_path) == []
    assert [record.reason for record in result.records] == [""] * 6
    assert all(record.metrics["ms"] == result.space.values(record.architecture)["depth"] for record in result.records)
    # All by the process that searches.
    assert {path.name.split("-")[1] for path in tmp_path.glob("measured*")} == {str(os.getpid())}


def test_what_is_not_marked_waits_for_nothing(tmp_path):
    train, measure = functions(tmp_path)
    search(CHOICES, train, free={"ms": measure}, limits=["ms<=2"], budget=6, algorithm="random", workers=2)
    assert overlapping(tmp_path) != []


def test_what_cannot_be_measured_fails_its_own_query_alone(tmp_path):
    train, _ = functions(tmp_path)

    @quiet
    def broken(choices):
        if choices["width"] == 1:
            raise RuntimeError("shapes do not fit")
        return 1.0

    result = search(CHOICES, train, free={"ms": broken}, budget=12, algorithm="random", workers=2)
    reasons = [record.reason for record in result.records if result.space.values(record.architecture)["width"] == 1]
    assert len(reasons) == 3
    assert all("shapes do not fit" in reason for reason in reasons)
    assert sum(not record.reason for record in result.records) == 9
