"""Export and retraining of a search of one's own, of which the command line names the code."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing

import pytest
import torch

from optiproxy.searching.search import search

pytestmark = pytest.mark.slow

CODE = """
import torch
from torch import nn
from optiproxy import Space
from optiproxy.nn import Choice, Value



def model():
    width = Value([2, 4], name="width")
    return nn.Sequential(nn.Linear(3, width), Choice([nn.ReLU, nn.Tanh], name="activation"), nn.Linear(width, 1))


def train(network, trial):
    torch.manual_seed(trial.seed)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    inputs = torch.randn(32, 3)
    for _ in range(20):
        loss = ((network(inputs) - inputs.sum(1, keepdim=True)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {"loss": float(loss.detach()), "seed": trial.seed}


def broken(network):
    raise RuntimeError("no such file")


def example():
    return torch.zeros(1, 3)


space = Space.from_model(model, example=example())
ruled = space.where(lambda values: values["width"] > 1)
other = Space.from_model(lambda: nn.Linear(3, Value([2, 5], name="width")))
choices = {"width": [2, 4], "activation": ["ReLU", "Tanh"]}
text = "nothing to run through a network"
"""


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    """A module of one's own on Python's path."""
    # Imported modules stay in the process, so it has a name of its own.
    name = f"own_{uuid.uuid4().hex}"
    folder = tmp_path_factory.mktemp("code")
    (folder / f"{name}.py").write_text(CODE)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield name


@pytest.fixture(scope="module")
def finished(module, tmp_path_factory):
    """The file of a study, and the finished search of the module that it is of."""
    path = tmp_path_factory.mktemp("finished") / "study.db"
    code = __import__(module)
    result = search(
        code.space,
        code.train,
        budget=3,
        seed=5,
        algorithm="random",
        objectives=["loss:min"],
        workers=1,
        storage=path,
    )
    return path, result


@pytest.fixture
def searched(finished, tmp_path):
    """The search, whose study lies in the current folder."""
    path, result = finished
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(tmp_path / "study.db"),))
    return result


def test_the_trained_network_is_exported_and_repeats_the_search(optiproxy, module, searched, tmp_path):
    own = ("--space", f"{module}:space", "--evaluate", f"{module}:train")
    done = optiproxy("export", "study.db", *own, "--out", "out")
    assert done.exit_code == 0, done.stderr
    assert "The repeated training differs" not in done.stderr
    told = json.loads((tmp_path / "out/architecture.json").read_text())
    assert told["architecture"] == dict(searched.best_architecture)
    assert told["metrics"]["repeated"] == told["metrics"]["recorded"] == dict(searched.best.metrics)
    assert (told["epochs"], told["network"]) == (None, {"arguments": None, "input_shape": [3]})
    assert "optiproxy retrain --space MODULE:NAME --evaluate MODULE:NAME" in (tmp_path / "out/card.md").read_text()
    # The file needs torch alone and holds the trained weights.
    count = "import sys, torch, network; n = network.load(); torch.save(n(torch.ones(1, 3)), 'o.pt'); print('optiproxy' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", count], cwd=tmp_path / "out", capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["False"]
    code = __import__(module)
    network = code.space.build(searched.best.architecture, seed=searched.seed)

    class Trial:
        seed = searched.seed

    code.train(network, Trial)
    answer = torch.load(tmp_path / "out/o.pt", weights_only=True)
    torch.testing.assert_close(answer, network(torch.ones(1, 3)), rtol=0, atol=1e-5)


def test_a_model_function_takes_its_example_from_the_command_line(optiproxy, module, searched, tmp_path):
    own = ("--space", f"{module}:model", "--evaluate", f"{module}:train")
    without = optiproxy("export", "study.db", *own)
    assert without.exit_code == 2
    assert f"Expected an input of the networks of '{module}:model', got none. Give --example" in without.stderr
    # A rule changes nothing about which networks there are, and the space below it has an example.
    ruled = ("--space", f"{module}:ruled", "--evaluate", f"{module}:train")
    retrained = optiproxy("retrain", "study.db", *ruled, "--seed", 7)
    assert retrained.exit_code == 0, retrained.stderr
    folder = tmp_path / f"retrain/query-{searched.best.number}-seed-7"
    told = json.loads((folder / "architecture.json").read_text())
    assert told["metrics"]["repeated"]["seed"] == 7
    assert (folder / "weights.pt").exists()
    # Beside the study the card finds the retraining, and knows a spread.
    again = optiproxy("export", "study.db", *own, "--example", f"{module}:example", "--format", "python")
    assert again.exit_code == 0, again.stderr
    assert "with the seeds 5, 7" in (tmp_path / "export/card.md").read_text()


@pytest.mark.parametrize(
    ("space", "evaluate", "options", "message"),
    [
        ("other", "train", [], "differs in activation, width from that of the study"),
        (
            "choices",
            "train",
            ["--example", "{}:example"],
            "to build a torch.nn.Module, as Space.from_model does, got dict",
        ),
        (
            "space",
            "text",
            [],
            "Expected a function that trains: of what the space builds, (network), or of that and its trial",
        ),
        ("space", "missing", [], "has no attribute 'missing'"),
        ("space", "broken", [], "failed with RuntimeError: no such file. Mend the training function"),
        ("space", "train", ["--example", "{}:text"], "Expected a tensor, a tuple of tensors, or a function"),
        ("space", "train", ["--example", "{}:model"], "Expected '{}:model' to make a tensor or a tuple of tensors"),
    ],
)
@pytest.mark.usefixtures("searched")
def test_code_that_does_not_fit_is_refused_in_a_sentence(
    optiproxy, module, tmp_path, space, evaluate, options, message
):
    named = [option.format(module) for option in options]
    own = ("--space", f"{module}:{space}", "--evaluate", f"{module}:{evaluate}")
    done = optiproxy("export", "study.db", *own, *named, "--out", "out")
    assert done.exit_code == 2
    assert message.format(module) in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("searched")
def test_a_function_of_ones_own_has_no_epochs(optiproxy, module):
    own = ("--space", f"{module}:space", "--evaluate", f"{module}:train")
    done = optiproxy("retrain", "study.db", *own, "--epochs", 3)
    assert done.exit_code == 2
    assert "decides how long it trains, got 3 epochs" in done.stderr


@pytest.mark.usefixtures("searched")
def test_nothing_is_imported_that_the_user_does_not_name(optiproxy, module, monkeypatch):
    monkeypatch.delitem(sys.modules, module)
    for command in (
        ["export", "study.db"],
        ["retrain", "study.db"],
        ["export", "study.db", "--evaluate", f"{module}:train"],
    ):
        done = optiproxy(*command)
        assert done.exit_code == 2
        assert "Name your code, --space MODULE:NAME --evaluate MODULE:NAME" in done.stderr
    assert module not in sys.modules


def test_a_task_with_a_name_takes_no_code_of_the_users(optiproxy, module):
    assert optiproxy("search", "digits-table", "--algorithm", "random", "--budget", 2, "--out", "out").exit_code == 0
    done = optiproxy("export", "out", "--space", f"{module}:space")
    assert done.exit_code == 2
    assert "is of the task 'digits-table'; leave out --space" in done.stderr
