"""Mistakes in what users write themselves: one sentence each, at once, and nothing is left behind."""

from __future__ import annotations

import sys

import pytest

TRAIN = """
from torch import nn

from optiproxy.nn import Value

space = {"depth": [1, 2, 3]}
number = 7


def model():
    return nn.Linear(3, Value([4, 8], name="width"))


def wrong_model():
    return nn.Linear("three", Value([4, 8], name="width"))


def fit(network):
    return 1.0
"""

FILE = """evaluate = "train:fit"
budget = 4

[space]
depth = [1, 2, 3]
rate = { low = 1e-4, high = 0.1, log = true }
"""


@pytest.fixture
def refused(optiproxy, tmp_path, monkeypatch):
    """Runs a command that has to fail; returns the one line that it says."""
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    monkeypatch.delitem(sys.modules, "train", raising=False)
    (tmp_path / "train.py").write_text(TRAIN)
    before = {path.name for path in tmp_path.iterdir()}

    def run(*arguments):
        done = optiproxy(*arguments)
        assert done.exit_code == 2, done.output
        assert done.stdout == ""
        assert done.stderr.startswith("Error: ")
        assert done.stderr.count("\n") == 1
        left = {path.name for path in tmp_path.iterdir()} - before
        assert not {name for name in left if not name.endswith((".toml", ".py", "__pycache__"))}
        return done.stderr

    yield run
    sys.modules.pop("train", None)


FIT = ("--evaluate", "train:fit")

LINES = {
    "neither name nor target": (
        ["digts"],
        "MODULE:NAME, a space or a model together with --evaluate MODULE:NAME, or as a TOML",
    ),
    "a space alone": (["train:space"], "goes together with the function that trains it, --evaluate MODULE:NAME"),
    "a model alone": (["train:model"], "goes together with the function that trains it, --evaluate MODULE:NAME"),
    "the wrong way round": (["train:fit", "--evaluate", "train:model"], "Expected a function that trains"),
    "a number as training": (["train:space", "--evaluate", "train:number"], "got int 'train:number'"),
    "no such training": (["train:space", "--evaluate", "train:ft"], "has no attribute 'ft'. Did you mean 'fit'?"),
    "no such module": (["trian:space", *FIT], "There is no module 'trian'"),
    "no such file": (["trian.py:space", *FIT], "There is no module 'trian'"),
    "a number as space": (["train:number", *FIT], "Expected a space, a mapping of choices or a function that builds"),
    "a training as space": (["train:fit", *FIT], "without being given anything, got function 'train:fit'"),
    "a model that fails": (["train:wrong_model", *FIT], '(train.py, line 15): return nn.Linear("three"'),
    "a task with training": (["digits", *FIT], "leave the training function out"),
    "counted without an example": (["train:model", *FIT, "--free", "flops"], "Name one as example"),
    "counted and misspelt": (["train:model", *FIT, "--free", "parms"], "Did you mean 'params'?"),
    "counted and no network": (["train:space", *FIT, "--free", "params"], "this space builds dict"),
    "no measure": (["train:model", *FIT, "--free", "params=train:number"], "Expected a function of one argument"),
    "measured twice": (["train:model", *FIT, "--free", "params", "--free", "params"], "may be given once"),
    "no example": (
        ["train:model", *FIT, "--free", "flops", "--example", "train:number"],
        "Expected a tensor, a tuple of tensors",
    ),
    "a measure of a task": (["digits", "--free", "params=train:fit"], "measures by itself"),
    "no file": (["nowhere.toml"], "Cannot read nowhere.toml: No such file or directory"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", LINES)
def test_a_wrong_line_is_one_sentence(refused, case):
    arguments, told = LINES[case]
    assert told in refused("search", *arguments, "--budget", 3, "--algorithm", "random")


FILES = {
    "key": ("budget", "buget", "Unknown key 'buget'. Did you mean 'budget'?"),
    "type": ("budget = 4", "budget = 4.5", "Expected budget to be a whole number, got 4.5"),
    "truth": ("budget = 4", "budget = true", "Expected budget to be a whole number, got True"),
    "key of a number": ("low", "lo", "rate: Unknown key 'lo'. Did you mean 'low'?"),
    "half a number": ("low = 1e-4, ", "", "got no low"),
    "an empty range": ("low = 1e-4", "low = 1", "rate: Expected low <= high"),
    "type of a number": ("log = true", 'type = "real"', "Expected the type 'int' or 'float', got 'real'"),
    "log": ("log = true", "log = 1", "Expected log to be true or false"),
    "choices": ("[1, 2, 3]", "3", "Expected depth to be a list of choices"),
    "text for choices": ("[1, 2, 3]", '"deep"', "Expected MODULE:NAME of a list of choices"),
    "no space": ("[space]\ndepth = [1, 2, 3]\nrate", "timeout = 3\n# ", "has no space"),
    "no training": ('evaluate = "train:fit"', "", "Give --evaluate MODULE:NAME"),
    "no TOML": ("budget = 4", "budget =", "is no TOML"),
    "no text": ('"train:fit"', "3", "Expected evaluate to be"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_wrong_file_is_one_sentence(refused, tmp_path, case):
    before, after, told = FILES[case]
    assert before in FILE
    (tmp_path / "search.toml").write_text(FILE.replace(before, after))
    assert told in refused("search", "search.toml", "--algorithm", "random")


def test_a_module_that_fails_is_told_with_its_own_line(refused, tmp_path):
    (tmp_path / "failing_of_this_test.py").write_text("import json\n\nsettings = json.loads('{')\n")
    told = refused("search", "failing_of_this_test:space", *FIT)
    assert "JSONDecodeError" in told
    assert "(failing_of_this_test.py, line 3): settings = json.loads('{')" in told


def test_a_file_with_the_name_of_another_module_is_told(refused, tmp_path):
    (tmp_path / "json.py").write_text("space = {'a': [1, 2]}\n")
    assert "json.py has the name of another module" in refused("search", "json:space", *FIT)


def test_two_files_are_one_too_many(refused, tmp_path):
    (tmp_path / "a.toml").write_text(FILE)
    assert "Expected one file and nothing beside it" in refused("compare", "a.toml", "digits", "--out", "out")


def test_a_space_alone_has_nothing_to_improve(refused):
    assert "nothing to improve" in refused("profile", "train:space", "--objective", "accuracy")
