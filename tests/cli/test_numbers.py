"""A search over numbers from the command line to the files that it leaves."""

from __future__ import annotations

import csv
import json

import pytest

OWN = """
import math

import optiproxy
from optiproxy.metrics import Goal, Objective
from optiproxy.task.function import FunctionTask


def accuracy(values):
    return {"accuracy": values["depth"] - (math.log10(values["rate"]) + 2.5) ** 2}


space = optiproxy.FlatSpace(
    {"rate": optiproxy.Float(1e-4, 0.1, log=True), "act": ["relu", "gelu"], "depth": optiproxy.Int(1, 4)}
)
task = FunctionTask(space, accuracy, goal=Goal((Objective("accuracy"),)), isolated=False)
"""


@pytest.fixture
def task(tmp_path, request):
    """A task of one's own under a name that no other test imports."""
    name = f"numbers_of_{request.node.name.partition('[')[0]}"
    (tmp_path / f"{name}.py").write_text(OWN)
    return f"{name}:task"


@pytest.mark.slow
def test_a_search_over_numbers_resumes_and_leaves_its_files(optiproxy, task, tmp_path):
    for budget in (4, 7):
        done = optiproxy("search", task, "--algorithm", "optuna-tpe", "--budget", budget, "--out", "run")
        assert done.exit_code == 0, done.stderr
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    rates = [record["architecture"]["rate"] for record in result["trials"]]
    assert len(set(rates)) == 7
    assert all(1e-4 <= rate <= 0.1 for rate in rates)
    best = result["best"]["architecture"]
    page = (tmp_path / "run" / "report.html").read_text()
    assert str(best["rate"]) in page


@pytest.mark.slow
def test_a_comparison_over_numbers_writes_every_query(optiproxy, task, tmp_path):
    done = optiproxy(
        "compare",
        task,
        "--algorithm",
        "random",
        "--algorithm",
        "local-search",
        "--seeds",
        1,
        "--budget",
        3,
        "--out",
        "cmp",
    )
    assert done.exit_code == 0, done.stderr
    with (tmp_path / "cmp" / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert all(1e-4 <= json.loads(row["architecture"])["rate"] <= 0.1 for row in rows)
