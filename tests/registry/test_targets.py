from __future__ import annotations

import os
import re
import sys

import pytest

from optiproxy.errors import DataError, UsageError
from optiproxy.registry.targets import load, normalized


def test_a_module_of_the_current_folder_is_found(module):
    assert load(f"{module('answer = 42')}:answer", "a number") == 42


def test_an_installed_module_is_found_and_names_may_have_dots(folder):
    assert load("os:path.join", "a function") is os.path.join


def test_a_file_is_the_module_of_its_path(folder):
    (folder / "deep").mkdir()
    (folder / "deep" / "own-file.py").write_text("answer = 42")
    assert load("deep/own-file.py:answer", "a number") == 42
    assert normalized("deep/own-file.py:answer") == normalized("./deep/own-file.py:answer") == "deep.own-file:answer"


def test_a_file_elsewhere_is_found_beside_its_siblings(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "its_sibling.py").write_text("answer = 42")
    (elsewhere / "lies_elsewhere.py").write_text("from its_sibling import answer")
    assert load(f"{elsewhere}/lies_elsewhere.py:answer", "a number") == 42
    relative = os.path.relpath(elsewhere / "lies_elsewhere.py")
    assert normalized(f"{relative}:answer") == "lies_elsewhere:answer"


def refused(target, told):
    with pytest.raises(UsageError, match=told) as caught:
        load(target, "a task")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("target", ["", ":", ":name", "module:", "module:a b", "module:a.", "module"])
def test_what_is_no_target_is_refused(folder, target):
    refused(target, r"Expected MODULE:NAME of a task, for example my_search:\w+, got ")


def test_a_missing_module_is_told_with_the_folder(folder):
    refused(
        "nowhere_at_all:x", rf"There is no module 'nowhere_at_all': neither in {re.escape(str(folder))} nor installed"
    )
    refused("os.nowhere:x", "Importing 'os.nowhere' failed|There is no module 'os.nowhere'")


def test_a_missing_name_is_told_with_the_nearest(module):
    name = module("search_task = 1")
    refused(f"{name}:serch_task", f"The module '{name}' has no attribute 'serch_task'. Did you mean 'search_task'")
    refused(f"{name}:zzz", "has no attribute 'zzz'.$")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("x = 1\ny = 1 / 0", r"ZeroDivisionError: division by zero \(own_module_\d+.py, line 2\)"),
        (
            "import no_such_package_at_all",
            r"ModuleNotFoundError: No module named 'no_such_package_at_all' \(own_module_\d+.py, line 1\)",
        ),
        ("from os import no_such_name", "ImportError: cannot import name 'no_such_name'"),
        ("x = (", r"SyntaxError: '\(' was never closed \(own_module_\d+.py, line 1\)"),
        ("raise SystemExit", r"SystemExit \(own_module_\d+.py, line 1\)"),
        ("assert False", r"AssertionError \(own_module_\d+.py, line 1\)"),
    ],
)
def test_a_module_that_fails_is_told_with_error_and_place(module, source, told):
    name = module(source)
    refused(f"{name}:x", rf"Importing '{name}' failed: {told}")


def test_an_error_of_ours_in_the_module_passes(module):
    name = module("from optiproxy.errors import DataError\nraise DataError('No data.')")
    with pytest.raises(DataError, match=r"^No data\.$"):
        load(f"{name}:x", "a task")


def test_the_path_grows_once(module):
    name = module("a = b = 1")
    load(f"{name}:a", "a task")
    before = list(sys.path)
    load(f"{name}:b", "a task")
    assert sys.path == before
