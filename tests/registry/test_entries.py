from __future__ import annotations

import sys
import warnings

import pytest

from optiproxy import registry
from optiproxy.baselines import RandomSearch
from optiproxy.errors import UsageError


def test_names_of_other_packages_follow_ours_and_are_used_by_name(register):
    register("algorithm", theirs="optiproxy.baselines:RandomSearch")
    *ours, theirs = registry.algorithms()
    assert (theirs.name, theirs.package, theirs.target) == ("theirs", "theirs", "optiproxy.baselines:RandomSearch")
    assert not any(entry.package for entry in ours)
    assert registry.algorithm("theirs") is RandomSearch
    assert registry.algorithm_name("theirs") == "theirs"
    assert registry.missing_package("theirs") == ""


def test_a_task_and_a_space_of_another_package_are_built(register):
    register("task", their_digits="optiproxy.training.tasks.digits:DigitsTask")
    assert registry.task("their-digits").name == "digits"
    assert registry.space_or_task("their-digits").name == "digits"
    register("space", cell="optiproxy.spaces:NASBench201")
    assert registry.space("cell").name == registry.space_or_task("cell").name == "nasbench201"


def test_a_name_that_is_taken_loses_with_a_warning(register):
    register("algorithm", random="no_such_module:X")
    with pytest.warns(UserWarning, match="The algorithm 'random' of the package theirs is left out: optiproxy has one"):
        entries = registry.algorithms()
    assert [entry.package for entry in entries if entry.name == "random"] == [""]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert registry.algorithm("random") is RandomSearch


def test_a_broken_entry_point_costs_an_error_only_when_it_is_used(register):
    register("task", broken="no_such_module_of_theirs:X", other="optiproxy.training.tasks.digits:DigitsTask")
    assert [entry.name for entry in registry.tasks()][-2:] == ["broken", "other"]
    assert "no_such_module_of_theirs" not in sys.modules
    assert registry.task("other").name == "digits"
    with pytest.raises(
        UsageError, match=r"The task .broken. of the package theirs cannot be used\. There is no module"
    ):
        registry.task("broken")


def test_an_entry_point_without_a_name_in_its_module_is_told(register):
    register("task", broken="json")
    with pytest.raises(UsageError, match="The task 'broken' of the package theirs cannot be used"):
        registry.task("broken")
