"""The note on a finished search."""

from __future__ import annotations

import re

import optuna
import pytest
from torch import nn

import optiproxy
from optiproxy.nn import Value
from optiproxy.results.note import MOST, note


def stored_note(path):
    (summary,) = optuna.get_all_study_summaries(storage=f"sqlite:///{path}")
    study = optuna.load_study(study_name=summary.study_name, storage=f"sqlite:///{path}")
    found = study._storage.get_study_system_attrs(study._study_id)
    return "".join(found[key] for key in sorted(found) if key.startswith("dashboard:note_str:"))


def search(space, evaluate, **more):
    return optiproxy.search(space, evaluate, algorithm="random", verbose=False, **{"budget": 4, **more})


def test_a_stored_search_leaves_its_best_architecture_with_what_was_measured(tmp_path):
    path = tmp_path / "study.db"
    for budget in (2, 6):  # the later note replaces the earlier one
        result = search(
            {"width": list(range(9)), "act": ["relu", "gelu"]}, lambda a: a["width"] / 8, budget=budget, storage=path
        )
    told = stored_note(path)
    assert told.startswith(f"## accuracy {result.best.metrics['accuracy']:.5g}\n")
    assert f"Query {result.best.number}, the best of 6 queries by random for accuracy:max." in told
    assert f"| width | {result.best_architecture['width']} |" in told
    assert "    " not in told  # there is no network


def test_a_network_is_printed_as_torch_prints_it(tmp_path):
    space = optiproxy.Space.from_model(lambda: nn.Sequential(nn.Linear(4, Value([2, 3], name="width")), nn.ReLU()))
    result = search(space, lambda network: float(network[0].out_features), budget=2, storage=tmp_path / "study.db")
    assert "\n".join(f"    {line}" for line in str(space.build(result.best.architecture)).splitlines()) in stored_note(
        tmp_path / "study.db"
    )


def test_several_objectives_have_a_front():
    result = search(
        {"a": [0, 1, 2, 3]}, lambda v: {"good": v["a"], "cost": v["a"]}, objectives=["good", "cost:min"], budget=4
    )
    told = note(result, picture="/artifacts/1/abc")
    assert told.startswith("## Front of 4 architectures\n")
    assert len(re.findall(r"^\| [0-3] \| [0-3] \| [0-3] \|$", told, re.MULTILINE)) == 4
    assert "![The best architecture](/artifacts/1/abc)" in told


def test_where_nothing_is_feasible_the_note_says_why():
    told = note(search({"a": [1, 2]}, lambda v: {"accuracy": 1.0, "size": 9.0}, budget=2, limits=["size<=1"]))
    assert told.startswith("## Nothing feasible\n")
    assert "None of the 2 queries has size\\<=1" in told


def test_no_name_becomes_a_link_an_image_or_the_end_of_a_cell():
    hostile = "x|![](http://elsewhere) <img src=y>\n# h"
    told = note(search({hostile: [hostile, "b"]}, lambda v: 1.0, budget=2))
    assert not re.search(r"(?<!\\)[<!\[]", told)
    rows = [line for line in told.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 3 for row in rows)
    assert [line for line in told.splitlines() if line.startswith("#")] == ["## accuracy 1"]


@pytest.mark.parametrize("count", [MOST, MOST + 3])
def test_long_tables_are_cut(count):
    told = note(search({f"d{i}": [1, 2] for i in range(count)}, lambda v: 1.0, budget=1))
    assert len(re.findall(r"^\| d\d+ \|", told, re.MULTILINE)) == MOST
    assert ("| and 3 more |" in told) == (count > MOST)
