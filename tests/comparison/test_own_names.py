"""Tasks and algorithms of the user's own, which are given as ``MODULE:NAME`` or by their file."""

from __future__ import annotations

import sys

import pytest

from optiproxy.comparison.compare import compare
from optiproxy.errors import UsageError

pytestmark = pytest.mark.slow

OWN = '''
import numpy as np

from optiproxy.baselines import RandomSearch, RegularizedEvolution
from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces import FlatSpace
from optiproxy.tables import TableTask
from optiproxy.task.task import Source

CELLS = np.array([[a, b] for a in range(4) for b in range(4)])


def draws(space, goal, *, seed):
    return RandomSearch(space, goal, seed=seed)


class Steps(RegularizedEvolution):
    """Another algorithm of the same file."""


def table():
    return TableTask(
        "sixteen",
        FlatSpace({"a": [*range(4)], "b": [*range(4)]}),
        metrics=(Metric(name="accuracy", direction="max"),),
        goal=Goal((Objective("accuracy"),)),
        source=Source("made-up", "sixteen rows"),
        architectures=CELLS,
        columns={"accuracy": CELLS.sum(1) + 0.1 * CELLS[:, 0]},
    )
'''

TASK, ALGORITHMS = "research.own_search:table", ["research.own_search:draws", "research.own_search:Steps"]
BY_FILE = "research/own_search.py"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A current folder with a module in a folder of its own."""
    (tmp_path / "research").mkdir()
    (tmp_path / BY_FILE).write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield tmp_path
    for name in ("research", "research.own_search"):
        sys.modules.pop(name, None)


def small(out, task=TASK, algorithms=ALGORITHMS, **changes):
    return compare([task], algorithms=algorithms, out=out, **{"seeds": 2, "budget": 5, "workers": 2, **changes})


def test_two_algorithms_of_ones_own_are_compared_and_resumed_however_they_are_spelled(folder):
    out = folder / "out"
    by_file = [f"{BY_FILE}:{name}" for name in ("draws", "Steps")]
    made = small(out, task=f"{BY_FILE}:table", algorithms=by_file, seeds=1)
    assert made.tasks == (TASK,)
    assert made.algorithms == tuple(ALGORITHMS)
    parts = {path.name: path.read_bytes() for path in (out / "parts").iterdir()}
    assert len(parts) == 2
    assert not any(set(name) & set(":/\\") for name in parts)
    grown = small(out)
    assert [len(result.queries) for result in grown.results] == [5] * 4
    assert {name: (out / "parts" / name).read_bytes() for name in parts} == parts
    alone = small(folder / "at-once")
    for one, other in zip(grown.results, alone.results, strict=True):
        assert one.run == other.run
        assert [row.architecture for row in one.queries] == [row.architecture for row in other.queries]


def test_a_module_outside_of_the_current_folder_is_found_by_the_workers(folder, monkeypatch):
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    file = f"../{BY_FILE}"
    made = small(elsewhere / "out", task=f"{file}:table", algorithms=[f"{file}:draws", "random"], seeds=1)
    assert made.algorithms == ("own_search:draws", "random")
    sys.modules.pop("own_search", None)


def test_one_algorithm_in_two_spellings_is_given_twice(folder):
    with pytest.raises(UsageError, match=r"'research\.own_search:draws' 2 times"):
        small(folder / "out", algorithms=[ALGORITHMS[0], f"{BY_FILE}:draws"])
