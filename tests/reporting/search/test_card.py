from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path

import pytest

from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.reporting.search.card import card
from optiproxy.spaces import FlatSpace, Float
from optiproxy.task.protocol import QueryProtocol
from optiproxy.task.task import Source
from optiproxy.training.export.file_format import WrittenFile
from optiproxy.training.latency import Latency


def written(first: float, again: float, **changed) -> WrittenFile:
    told = {
        "path": Path("network.onnx"),
        "use": "It runs.",
        "difference": 2e-7,
        "batch": None,
        "shapes": ((16,),),
        **changed,
    }
    timed = [Latency(median=ms, p90=ms, iqr=0.1, spread=0.01, count=99, settled=True) for ms in (first, again)]
    return WrittenFile(latency=timed[0], again=timed[1], **told)


def text(result, **arguments) -> str:
    best = result.best
    return card(result, best, **{"trainings": {result.seed: best.metrics}, **arguments})


def test_the_card_says_what_was_chosen_how_good_and_how_it_was_found(result):
    found = text(result([{"accuracy": 90.0}, {"accuracy": 93.5, "test": 91.0}, "Error: broken"], budget=3))
    assert "architecture of query 1" in found
    assert "| kernel | 5 |" in found
    assert re.search(r"\| accuracy \| 93\.5 \|\n\| test \| 91 \|", found)
    assert "Maximize accuracy." in found
    assert "`random`, seed 3, budget 3" in found
    assert "1 evaluations failed; all together took 0.1 minutes" in found
    assert "torch 2." in found
    assert "optuna 5." in found


def test_one_training_has_no_spread_and_says_how_to_get_one(result):
    found = text(result([{"accuracy": 90.0}]))
    assert "±" not in found
    assert "optiproxy retrain" in found


def test_trainings_with_several_seeds_have_a_spread(result):
    trainings = {3: {"accuracy": 90.0}, 4: {"accuracy": 92.0}, 5: {"accuracy": 94.0}}
    found = text(result([{"accuracy": 90.0}]), trainings=trainings)
    assert "| accuracy | 90 | 92 ± 2 (n = 3) |" in found
    assert "with the seeds 3, 4, 5" in found


def test_files_are_listed_and_a_busy_machine_is_told(result):
    searched = result([{"accuracy": 90.0}])
    quiet = text(searched, files=[written(1.0, 1.1)])
    assert "| `network.onnx` | It runs. | any | 2e-07 | 1 ms (interquartile range 0.1 ms) |" in quiet
    assert "Inputs: of shape (rows, 16)." in quiet
    assert "busy" not in quiet
    assert "differ by 50%: the machine was busy" in text(searched, files=[written(1.5, 1.0)])
    assert "| 1 |" in text(searched, files=[written(1.0, 1.0, batch=1)])


def test_the_command_makes_the_same_search_again(result):
    goal = Goal((Objective("accuracy"), Objective("ms", "min")), (Limit("ms", 2.5), Limit("mb", 1.0, ">=")))
    searched = result([{"accuracy": 90.0, "ms": 2.0, "mb": 3.0}], goal=goal)
    (line,) = re.findall(r"- Again: `(.*)`", text(searched))
    words = shlex.split(line)
    assert words[:3] == ["optiproxy", "search", "task"]
    assert [words[i + 1] for i, word in enumerate(words) if word == "--limit"] == ["ms<=2.5", "mb>=1.0"]
    assert [words[i + 1] for i, word in enumerate(words) if word == "--objective"] == ["accuracy:max", "ms:min"]


def test_a_function_of_ones_own_has_no_command(result):
    searched = dataclasses.replace(result([{"accuracy": 90.0}], task="train"), source=Source("function", ""))
    assert "Again:" not in text(searched)


@pytest.mark.parametrize("value", ["a|b", "<b>", "`c`"])
def test_choices_cannot_break_the_table(result, value):
    space = FlatSpace({"kernel": [value, "other"]})
    found = text(result([{"accuracy": 90.0}], space=space))
    (row,) = [line for line in found.splitlines() if line.startswith("| kernel")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 3


def test_a_lower_fidelity_is_told(result):
    searched = dataclasses.replace(result([{"accuracy": 90.0}]), protocol=QueryProtocol(fidelity=5, promote=1, full=50))
    assert "--fidelity 5 --promote 1" in text(searched)


def test_a_continuous_space_has_no_number_of_combinations(result):
    space = FlatSpace({"rate": Float(1e-4, 0.1, log=True), "activation": ["relu", "gelu"]})
    found = text(result([{"accuracy": 90.0}, {"accuracy": 93.5}], space=space))
    assert "Space flat: 2 decisions, 1 of them continuous." in found
    assert "| rate | 0.00010001 |" in found
    assert "Space flat: 12 combinations of 2 decisions." in text(result([{"accuracy": 90.0}]))


def test_the_card_names_a_recommended_architecture_beside_the_best(lucky, result):
    assert f"Recommended: query #{lucky.recommended.number} (accuracy 85, " in text(lucky)
    assert "ecommended" not in text(result([{"accuracy": 90.0}]))
