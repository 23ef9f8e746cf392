from __future__ import annotations

import subprocess
import sys

import pytest

from optiproxy import registry
from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Objective
from optiproxy.spaces import FlatSpace


def test_names_are_unique_and_described():
    for entries in (registry.algorithms(), registry.tasks()):
        assert len({entry.name for entry in entries}) == len(entries)
        assert all(entry.description and "\n" not in entry.description for entry in entries)


@pytest.mark.parametrize("entry", registry.algorithms(), ids=lambda entry: entry.name)
def test_every_algorithm_can_be_built_and_asked(entry):
    if problem := registry.missing_package(entry.name):
        pytest.skip(problem)
    algorithm = registry.algorithm(entry.name)(FlatSpace({"a": [1, 2]}), Goal((Objective("accuracy"),)), seed=0)
    assert len(algorithm.propose(1)) == 1


def test_unknown_names_come_with_the_nearest():
    with pytest.raises(UsageError, match=r"Unknown algorithm 'optiproxi'. Did you mean 'optiproxy'"):
        registry.algorithm("optiproxi")
    with pytest.raises(UsageError, match=r"Unknown task 'digit'. Did you mean 'digits'"):
        registry.task("digit")


def test_a_task_is_built_under_its_own_name():
    assert registry.task("digits").name == "digits"
    with pytest.raises(UsageError, match="one source only"):
        registry.task("digits", source="elsewhere")


def test_listing_loads_nothing_heavy():
    code = (
        "import sys; from optiproxy import registry; registry.tasks(); registry.algorithms(); "
        "print(sorted({'torch', 'optuna', 'sklearn', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
