from __future__ import annotations

import json
import sys

import pytest
import torch
from torch import nn

from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Objective
from optiproxy.nn import Value
from optiproxy.spaces import Space
from optiproxy.task.task import Source
from optiproxy.training.export.network_files import export
from optiproxy.training.tasks.own_network import OwnNetwork


class Adding(nn.Module):
    """Two inputs; its first layer learns from them how wide they are."""

    def __init__(self, width) -> None:
        super().__init__()
        self.layer = nn.LazyLinear(width)

    def forward(self, x, y):
        return self.layer(x) + y.sum(1, keepdim=True)


EXAMPLE = (torch.zeros(1, 3), torch.zeros(1, 2))
pytestmark = pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")


def task(evaluate, example=None):
    space = Space.from_model(lambda: Adding(Value([2, 4], name="width")), example=example)
    goal = Goal((Objective("accuracy", "max"),))
    return OwnNetwork(space, evaluate, goal=goal, example=EXAMPLE, name="function", source=Source("function", ""))


def test_the_network_that_was_trained_is_kept_in_evaluation_mode_with_its_metrics():
    seen = []

    def train(network, trial):
        seen.append(network)
        network.train()
        return {"accuracy": torch.tensor(0.5), "seed": trial.seed, "width": trial.architecture["width"], "path": "a.pt"}

    trained = task(train, EXAMPLE).train((1,), seed=3)
    assert [trained.network] == seen
    assert not trained.network.training
    # A path is no metric.
    assert trained.metrics == {"accuracy": 0.5, "seed": 3, "width": 4}


def test_the_weights_of_lazy_modules_depend_on_the_seed_alone():
    weights = [task(lambda _: 1.0, EXAMPLE).train((0,), seed=seed).network.layer.weight.detach() for seed in (0, 0, 1)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.slow
def test_a_network_with_several_inputs_is_written_with_their_shapes(tmp_path):
    done = export(task(lambda _: 0.5), (1,), tmp_path, seed=0, metrics={"accuracy": 0.25}, formats=["python", "torch"])
    told = json.loads(done.architecture.read_text())
    assert told["network"]["input_shape"] == [[3], [2]]
    assert "accuracy is 0.5 instead of 0.25" in done.note
    assert "random numbers that the training does not seed" in done.note
    assert [file.shapes for file in done.files] == [((3,), (2,))] * 2


@pytest.mark.parametrize(
    ("evaluate", "message"),
    [
        (lambda _: 1 / 0, r"^Training the network again failed with ZeroDivisionError: division by zero\."),
        (lambda _: sys.exit(3), r"^Training the network again failed with SystemExit: 3\."),
    ],
)
def test_a_training_that_fails_is_told_in_a_sentence(evaluate, message):
    with pytest.raises(UsageError, match=message):
        task(evaluate).train((0,))


def test_epochs_are_the_functions_own():
    with pytest.raises(UsageError, match="decides how long it trains, got 5 epochs"):
        task(lambda _: 1.0).train((0,), epochs=5)
