from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from optiproxy.errors import DataError, UsageError
from optiproxy.training.export.network_files import export
from optiproxy.training.tasks import pydoc_chars
from optiproxy.training.tasks.latency_limited import LSTM
from optiproxy.training.tasks.network_task import single_thread
from optiproxy.training.tasks.pydoc_chars import PydocCharsTask
from optiproxy.training.tasks.recipes import TextRecipe, bits_per_character, fit_language_model

pytestmark = pytest.mark.slow

RECIPE = TextRecipe(batch=8, window=8, rate=0.03, clip=1.0)


class Brief(PydocCharsTask):
    """The real task on a piece of the text."""

    def data(self):
        whole = super().data()
        parts = {"train": whole.train[:8000], "validation": whole.validation[:20000], "test": whole.test[:20000]}
        return pydoc_chars.Text(characters=whole.characters, **parts)


@pytest.fixture(scope="module")
def task():
    return Brief()


@pytest.fixture(scope="module")
def lstm(task):
    return task.cells.architecture_of(LSTM)


def test_the_three_parts_are_the_whole_text_in_order_and_share_no_paragraph():
    text, data = pydoc_chars.topics(), pydoc_chars.load()
    assert len(data.train) + len(data.validation) + len(data.test) == len(text)
    paragraphs = text.split("\n\n")
    assert len(set(paragraphs)) == len(paragraphs)
    read = "".join(data.characters[number] for number in data.validation[:200])
    assert all(a in (b, pydoc_chars.UNKNOWN) for a, b in zip(read, text[len(data.train) :], strict=False))


def test_a_python_without_help_topics_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(DataError, match="whole standard library"):
        pydoc_chars.topics.__wrapped__()


def test_the_same_seed_gives_the_same_network_and_another_another(task, lstm):
    weights = [task.train(lstm, seed=seed, epochs=1).network.head.weight for seed in (0, 0, 1)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_training_learns(task, lstm):
    data = task.data()
    before = bits_per_character(task.untrained(lstm), data.validation)
    network = task.untrained(lstm)
    with single_thread():
        fit_language_model(network, data.train, recipe=RECIPE, epochs=2, seed=0)
    assert bits_per_character(network, data.validation) < before - 0.5


def test_knowing_nothing_is_worth_the_logarithm_of_the_number_of_characters(task, lstm):
    network = task.untrained(lstm)
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.zero_()
    bits = bits_per_character(network, task.data().validation)
    assert bits == pytest.approx(np.log2(len(network.characters)), abs=1e-6)


def test_a_training_that_explodes_has_failed(task, lstm):
    network = task.untrained(lstm)
    with torch.no_grad():
        network.head.weight.fill_(torch.inf)
    with pytest.raises(FloatingPointError, match="in step 1"):
        fit_language_model(network, task.data().train, recipe=RECIPE, epochs=1, seed=0)
    with pytest.raises(FloatingPointError, match="bits per character"):
        bits_per_character(network, task.data().validation)


def test_no_epochs_are_refused(task, lstm):
    with pytest.raises(UsageError, match="at least 1 epoch"):
        task.train(lstm, epochs=0)


def test_pickling_keeps_what_was_measured(task, lstm):
    measured = task.free_metrics(lstm)
    assert pickle.loads(pickle.dumps(task)).free_metrics(lstm) == measured


def test_listing_the_task_loads_no_torch():
    code = (
        "import sys; from optiproxy import registry; registry.task('pydoc-chars-latency'); "
        "print('torch' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def test_the_winner_is_written_as_python_and_as_a_program(task, lstm, tmp_path):
    metrics = task.evaluate(lstm, fidelity=1)
    exported = export(task, lstm, tmp_path, seed=0, metrics=metrics, epochs=1, formats=("python", "torch"))
    assert exported.note == ""
    assert [file.path.name for file in exported.files] == ["network.py", "network.pt2"]
    assert all(file.difference <= 1e-5 for file in exported.files)


def test_one_place_in_turn_begins_anew(task, lstm, monkeypatch):
    network, seen = task.untrained(lstm), []
    read = network.read
    monkeypatch.setattr(network, "read", lambda numbers, states: seen.append(states) or read(numbers, states))
    with single_thread():
        fit_language_model(network, task.data().train[:400], recipe=RECIPE, epochs=1, seed=0)
    assert len(seen) == 6
    for step, states in enumerate(seen[1:], start=1):
        begins = torch.stack([(state == 0).all(1) for state in states])
        assert torch.equal(begins, (torch.arange(8) == step).expand_as(begins))
