"""What users write themselves on the command line: spaces, models, training functions, measures, and a TOML file of all that."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

TRAIN = """
import optiproxy
from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.task.task import Source, Task

space = {"depth": [1, 2, 3], "act": ["relu", "gelu"]}


def fit_choices(values):
    return values["depth"] + (values["act"] == "gelu")


class OwnTask(Task):
    name = "mine"
    space = optiproxy.FlatSpace({"depth": [1, 2, 3]})
    metrics = (Metric(name="accuracy", direction="max"),)
    goal = Goal((Objective("accuracy"),))
    source = Source("made-up", "made up")
    isolated = False

    def evaluate(self, architecture, *, seed=0, fidelity=None):
        return {"accuracy": float(sum(architecture))}
"""

# Apart from the above, as every process that imports it imports torch.
NETWORK = """
import torch
from torch import nn

from optiproxy.nn import Choice, Value

example = torch.zeros(1, 3)


def model():
    width = Value([4, 8, 16], name="width")
    return nn.Sequential(nn.Linear(3, width), Choice([nn.ReLU, nn.GELU], name="act"), nn.Linear(width, 2))


def fit(network, trial):
    return {"accuracy": sum(p.numel() for p in network.parameters()), "seed": trial.seed}


def count(network):
    return float(len(list(network.parameters())))
"""

FILE = """
evaluate = "train:fit_choices"
objectives = ["accuracy"]
budget = 4
seed = 1
algorithm = "random"

[space]
depth = [1, 2, 3]
act = ["relu", "gelu"]
rate = { low = 1e-4, high = 0.1, log = true }
width = { low = 8, high = 64, step = 8 }
"""


@pytest.fixture
def own(optiproxy, tmp_path, monkeypatch):
    """The command line in the folder of a user's script; it imports the one of this test."""
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    for name, content in {"train": TRAIN, "network": NETWORK}.items():
        monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / f"{name}.py").write_text(content)
    yield optiproxy
    for name in ("train", "network"):
        sys.modules.pop(name, None)


def result(folder):
    return json.loads((folder / "result.json").read_text())


RANDOM = ("--algorithm", "random", "--budget", 3)


@pytest.mark.slow
def test_a_model_is_searched_with_its_training_function(own, tmp_path):
    limits = ("--limit", "params<=60", "--free", "params", "--free", "parts=network.py:count")
    done = own("search", "./network.py:model", "--evaluate", "network.py:fit", *RANDOM, *limits, "--out", "out")
    assert done.exit_code == 0, done.stderr
    found = result(tmp_path / "out")
    assert found["task"] == "network:fit on model"
    assert found["study"] == "network_fit_on_model-random-seed0-params-at-most-60.0"
    assert len(found["trials"]) == 3
    for trial in found["trials"]:
        assert trial["metrics"]["params"] == trial["metrics"]["accuracy"] <= 60
        assert trial["metrics"]["parts"] == 4
    # However it is spelled, it is the same search.
    again = own("search", "network:model", "--evaluate", "network:fit", *RANDOM, *limits, "--out", "out")
    assert again.exit_code == 0
    assert result(tmp_path / "out")["trials"] == found["trials"]


@pytest.mark.slow
def test_the_script_itself_finds_the_module_of_the_folder(tmp_path):
    (tmp_path / "train.py").write_text(TRAIN)
    command = [sys.executable, "-m", "optiproxy", "search", "train:space", "--evaluate", "train:fit_choices"]
    done = subprocess.run(
        [*command, *map(str, RANDOM), "--workers", "2"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "Best architecture" in done.stdout
    assert (tmp_path / "runs/train_fit_choices_on_space-random-seed0/report.html").exists()


@pytest.mark.slow
def test_a_task_of_ones_own_needs_no_training_function(own, tmp_path):
    assert own("search", "train:OwnTask", *RANDOM, "--out", "out").exit_code == 0
    assert result(tmp_path / "out")["best"]["metrics"] == {"accuracy": 2.0}
    refused = own("search", "train:OwnTask", "--evaluate", "train:fit_choices", *RANDOM)
    assert refused.exit_code == 2
    assert "leave the training function out" in refused.stderr


@pytest.mark.slow
def test_a_file_says_the_same_as_a_line_and_the_line_wins(own, tmp_path):
    (tmp_path / "search.toml").write_text(FILE)
    done = own("search", "search.toml")
    assert done.exit_code == 0, done.stderr
    folder = tmp_path / "runs/train_fit_choices_on_its_choices-random-seed1"
    found = result(folder)
    assert (found["budget"], found["seed"], found["algorithm"]) == (4, 1, "random")
    assert {*found["best"]["architecture"]} == {"depth", "act", "rate", "width"}
    assert all(trial["architecture"]["width"] % 8 == 0 for trial in found["trials"])
    assert own("search", "search.toml", "--budget", 5, "--seed", 2, "--limit", "accuracy>=0").exit_code == 0
    other = result(tmp_path / "runs/train_fit_choices_on_its_choices-random-seed2-accuracy-at-least-0.0")
    assert (other["budget"], other["seed"], other["algorithm"]) == (5, 2, "random")
    # The file stands for its search wherever a search is asked for.
    assert own("report", "search.toml").stdout == f"Report: {(folder / 'report.html').relative_to(tmp_path)}\n"
    assert own("export", "search.toml", "--format", "json").exit_code == 0
    assert (folder / "export/architecture.json").exists()


@pytest.mark.slow
def test_a_file_elsewhere_names_what_lies_beside_it(own, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/beside.py").write_text("space = {'a': [1, 2, 3]}\ndef fit(values): return values['a']\n")
    (tmp_path / "deep/own.toml").write_text('space = "beside:space"\nevaluate = "beside:fit"\nout = "here"\n')
    done = own("search", "deep/own.toml", *RANDOM)
    assert done.exit_code == 0, done.stderr
    assert result(tmp_path / "here")["best"]["metrics"] == {"accuracy": 3.0}
    assert own("report", "deep/own.toml").stdout == "Report: here/report.html\n"


@pytest.mark.slow
def test_algorithms_are_compared_on_ones_own_code(own, tmp_path):
    (tmp_path / "search.toml").write_text(FILE)
    line = ("network:model", "--evaluate", "network:fit", "--limit", "params<=60", "--free", "params")
    for name, what in (("line", (*line, "--budget", 3)), ("file", ("search.toml",))):
        done = own("compare", *what, "--algorithm", "random", "--seeds", 1, "--out", name)
        assert done.exit_code == 0, done.stderr
    summary = json.loads((tmp_path / "line/summary.json").read_text())
    assert summary["network:fit on model"]["random"]["feasible_share"] == 1
    for name, again in (
        ("line", "network:model --evaluate network:fit --objective accuracy:max --limit &#39;params&lt;=60&#39;"),
        ("file", "FILE.toml"),
    ):
        assert f"optiproxy compare {again} --algorithm random" in (tmp_path / name / "report.html").read_text()
    assert (
        json.loads((tmp_path / "file/summary.json").read_text())["train:fit_choices on its choices"]["random"]["budget"]
        == 4
    )
    refused = own("compare", "digits-table", "--limit", "params<=1", "--out", "other")
    assert refused.exit_code == 2
    assert "A task is compared on its own goal" in refused.stderr


@pytest.mark.slow
def test_what_was_searched_is_found_by_its_name(own, tmp_path):
    search = ("search", "train:space", "--evaluate", "train:fit_choices", *RANDOM)
    assert own(*search).exit_code == 0
    for name in ("train:space", "train.py:fit_choices"):
        assert own("report", name).stdout == "Report: runs/train_fit_choices_on_space-random-seed0/report.html\n"
    assert own("export", "train:space", "--format", "json").exit_code == 0
    card = (tmp_path / "runs/train_fit_choices_on_space-random-seed0/export/card.md").read_text()
    assert "Again: `optiproxy search train:space --evaluate train:fit_choices --algorithm random" in card
    assert "No search of train:fit is in runs" in own("report", "train:fit").stderr
    assert own(*search, "--seed", 1).exit_code == 0
    several = own("export", "train:space", "--format", "json")
    assert several.exit_code == 2
    assert "runs has several searches of train:space. Give one of them: runs/" in several.stderr
    assert own("search", "train:OwnTask", *RANDOM).exit_code == 0
    assert own("report", "train:OwnTask").stdout == "Report: runs/mine-random-seed0/report.html\n"


def test_a_profile_counts_and_measures(own):
    counted = own("profile", "network:model", "--free", "params", "--limit", "params<=60", "--json")
    assert counted.exit_code == 0, counted.stderr
    told = json.loads(counted.stdout)
    assert told["feasible"]["share"] == 4 / 6
    measured = own(
        "profile", "network:model", "--free", "flops", "--free", "n=network:count", "--example", "network:example"
    )
    assert "flops: 44 to 176" in measured.stdout
    assert "n: 4 to 4" in measured.stdout


@pytest.mark.slow
def test_a_profile_of_a_file_times_one_training(own, tmp_path):
    (tmp_path / "search.toml").write_text(FILE)
    done = own("profile", "search.toml")
    assert done.exit_code == 0, done.stderr
    assert "One query takes" in done.stdout
    assert "4 queries take about" in done.stdout


PAGE = (Path(__file__).parents[2] / "docs" / "own-network.md").read_text(encoding="utf-8")

OF_THE_PAGE = """
blocks = ["plain", "residual"]


def model():
    from torch import nn

    from optiproxy.nn import Value

    return nn.Linear(3, Value([4, 8], name="width"))


def train(built):
    return 1.0
"""


@pytest.mark.slow
@pytest.mark.parametrize("content", re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
def test_the_files_of_the_page_are_searched(own, tmp_path, content):
    (tmp_path / "train.py").write_text(OF_THE_PAGE)
    (tmp_path / "search.toml").write_text(content)
    done = own("search", "search.toml", "--algorithm", "random", "--budget", 2)
    assert done.exit_code == 0, done.stderr
