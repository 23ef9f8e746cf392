"""The program that made the table trains as the task `digits` does."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from optiproxy.training.tasks import recipes
from optiproxy.training.tasks.digits import DigitsTask
from optiproxy.training.tasks.network_task import reproducible

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "benchmarks" / "digits_table"
CELLS = [
    (3, 3, 3, 3, 3, 3),
    (4, 2, 3, 1, 4, 3),
    (1, 3, 0, 4, 2, 3),
    (2, 4, 1, 2, 3, 4),
    (0, 0, 0, 0, 0, 0),
]
EPOCHS = 3


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    """The module of the scripts, its program compiled in double precision."""
    if shutil.which("c++") is None:
        pytest.skip("needs a C++ compiler")
    with pytest.MonkeyPatch.context() as environment:
        environment.syspath_prepend(FOLDER)
        import trainer

        folder = tmp_path_factory.mktemp("program")
        yield lambda **arguments: trainer.Trainer(trainer.build(folder, real=np.float64), **arguments)
        del sys.modules["trainer"]


def trained_by_torch(cell, seed):
    """Losses, and right answers on validation and test images, in double precision."""
    task = DigitsTask()
    data, recipe = task.data(), task.recipe()
    with reproducible(seed):
        network = task.build(task.arguments(task.space.canonical(cell))).double()
        optimizer, schedule = recipes.descent(network.parameters(), recipe=recipe, steps=EPOCHS * 10)
        losses = []
        for images, labels in recipes.batches(
            data.train.images, data.train.labels, recipe=recipe, epochs=EPOCHS, seed=seed
        ):
            loss = functional.cross_entropy(network(images.double()), labels)
            losses.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        network.eval()
        with torch.no_grad():
            right = [
                int((network(part.images.double()).argmax(1) == part.labels).sum())
                for part in (data.validation, data.test)
            ]
    return losses, right


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("seed", [0, 7])
def test_every_loss_and_every_answer_is_that_of_torch(trainer, cell, seed):
    curve = trainer(seed=seed, measured=(EPOCHS,), epochs=EPOCHS).train(cell)
    losses, right = trained_by_torch(cell, seed)
    assert curve.losses == pytest.approx(np.array(losses), abs=1e-9)
    assert [curve.validation.tolist(), curve.test.tolist()] == [[count] for count in right]
