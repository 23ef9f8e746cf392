"""Plain choices stay what they are, other objects get labels, and what no study could find again is refused."""

from __future__ import annotations

import enum
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import optiproxy
from optiproxy.errors import UsageError
from optiproxy.spaces import Decision, FlatSpace, Ordered
from optiproxy.spaces.choices import MOST, in_order, labelled


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Shade(enum.StrEnum):
    DARK = "dark"


class Config:
    """Prints with its address only."""


def warmup(step):
    return step


LABELS = [
    ([nn.ReLU, nn.GELU], ["ReLU", "GELU"]),
    ([(3, 3), (5, 5)], ["(3, 3)", "(5, 5)"]),
    ([[1, 2], [1]], ["[1, 2]", "[1]"]),
    ([{"lr": 0.1}, {"lr": 1}], ["{'lr': 0.1}", "{'lr': 1}"]),
    ([Color.RED, Color.BLUE], ["Color.RED", "Color.BLUE"]),
    ([Level.LOW, Shade.DARK], ["Level.LOW", "Shade.DARK"]),
    ([warmup, None, 3], ["warmup", None, 3]),
    ([lambda: 1, lambda: 2], ["<lambda>", "<lambda> 2"]),
    ([torch.float32, torch.bfloat16], ["torch.float32", "torch.bfloat16"]),
    ([partial(nn.LeakyReLU, 0.1), (nn.Conv2d, 3)], ["functools.partial(LeakyReLU, 0.1)", "(Conv2d, 3)"]),
    ([partial(warmup, 1), partial(lambda x: x, 2)], ["functools.partial(warmup, 1)", "functools.partial(<lambda>, 2)"]),
    ([Config(), Config()], [f"<{__name__}.Config object>", f"<{__name__}.Config object> 2"]),
    (
        [nn.ReLU(), nn.Sequential(nn.Linear(1, 2))],
        ["ReLU()", "Sequential( (0): Linear(in_features=1, out_features=2, bias…"],
    ),
    ([nn.ReLU, "ReLU", "ReLU 2"], ["ReLU 3", "ReLU", "ReLU 2"]),
    ([(1, 2), "(1, 2)"], ["(1, 2) 2", "(1, 2)"]),
    ([np.array([1, 2]), np.array([1, 3])], ["array([1, 2])", "array([1, 3])"]),
]


@pytest.mark.parametrize(("given", "labels"), LABELS, ids=[str(labels) for _, labels in LABELS])
def test_an_object_has_a_label_and_the_function_is_given_the_object(given, labels):
    space = FlatSpace({"a": given})
    (decision,) = space.decisions
    assert list(decision.choices) == labels
    for position, expected in enumerate(given):
        assert space.build((position,))["a"] is expected
        assert space.values((position,)) == {"a": decision.choices[position]}
        assert space.architecture(space.values((position,))) == (position,)
        assert space.architecture(space.objects((position,))) == (position,)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.arange(3), [0, 1, 2]),
        (np.array([0.5, 0.25]), [0.5, 0.25]),
        (np.array(["a", "b"]), ["a", "b"]),
        ([np.int64(3), np.float64(0.5), np.bool_(True), np.str_("x")], [3, 0.5, True, "x"]),
        (torch.tensor([1, 2]), [1, 2]),
        ([torch.tensor(2.0), torch.tensor(False)], [2.0, False]),
        (range(2, 8, 3), [2, 5]),
        ((n * n for n in range(3)), [0, 1, 4]),
        ({"b": 1, "a": 2}.keys(), ["b", "a"]),
        ([None, True, 1, "1", "None", 0, False, "True"], [None, True, 1, "1", "None", 0, False, "True"]),
        ([float("inf"), 1.0], [float("inf"), 1.0]),
    ],
)
def test_scalars_become_pythons_and_whatever_has_an_order_is_a_list(given, expected):
    space = FlatSpace({"a": given})
    (decision,) = space.decisions
    assert list(decision.choices) == expected
    assert list(map(type, decision.choices)) == list(map(type, expected))
    # The function is given Python's scalars, too.
    assert [type(space.build((i,))["a"]) for i in range(len(expected))] == list(map(type, expected))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("relu", r"^Decision 'a' needs a list of choices, got the text 'relu'\. Write \['relu'\]\.$"),
        (b"relu", r"needs a list of choices, got b'relu'\. Write a list of texts\.$"),
        (0.1, r"got the number 0\.1\. Write \[0\.1\], or Int\(low, high\) or Float\(low, high\) for a range\.$"),
        (3, r"got the number 3\. Write \[3\]"),
        (True, r"got the number True\. Write \[True\]"),
        (None, r"got None\. Write a list\.$"),
        (nn.ReLU, r"got <class 'torch.*ReLU'>\. Write a list\.$"),
        (Color, r"got <enum 'Color'>\. Write a list\.$"),
        (lambda: 1, r"got <function .*>\. Write a list\.$"),
        (np.array(3), r"got array\(3\)\. Write \[array\(3\)\]\.$"),
        (torch.tensor(3), r"got tensor\(3\)\. Write \[tensor\(3\)\]\.$"),
        ({"x", "y"}, r"got a set, which has another order in each process\. Write a list\.$"),
        (frozenset("x"), r"got a set, which"),
        ({"x": {"y": 1}}, r"got a mapping\. Write a list, or a decision for each of its keys\.$"),
        (iter(int, 1), rf"got more than {MOST:,} of them\. Write Int"),
        ([], r"^Decision 'a' needs at least one choice, got none\.$"),
        ((n for n in ()), "needs at least one choice"),
        ([1.0, float("nan")], r"^Decision 'a' lists NaN, which equals nothing\. Use None or a text\.$"),
        (np.array([np.nan, 1]), "lists NaN"),
        ([b"x"], r"lists the bytes b'x'\. Decode them to a text\.$"),
        ([{"x"}, 1], r"lists a set, which has another order in each process\. Use a tuple\.$"),
        ([1, "x", 1], r"^Decision 'a' lists a choice twice: 1 and 1 are equal\.$"),
        ([None, True, 1, 1.0, "1", "None"], r"^Decision 'a' lists a choice twice: 1 and 1\.0 are equal\.$"),
        ([0.0, -0.0], r"twice: 0\.0 and -0\.0 are equal"),
        ([np.int64(2), 2], r"twice: 2 and 2"),
        ([nn.ReLU, nn.ReLU], r"twice: <class 'torch.*ReLU'>\.$"),
        ([(1, 2), (1, 2)], r"twice: \(1, 2\)\.$"),
        ([{"a": 1}, {"a": 1}], "twice"),
        ([Color.RED, Color.RED], "twice"),
    ],
)
def test_what_cannot_be_chosen_among_is_refused_in_one_sentence(given, message):
    with pytest.raises(UsageError, match=message):
        optiproxy.search({"a": given}, lambda _: 0.0, budget=1)


def test_what_does_not_print_is_refused():
    class Silent:
        def __repr__(self):
            raise RuntimeError("no")

    with pytest.raises(UsageError, match=r"lists a Silent that does not print \(RuntimeError: no\)"):
        FlatSpace({"a": [Silent(), 1]})


@pytest.mark.parametrize("name", [1, None, ("a",)])
def test_names_are_texts(name):
    with pytest.raises(UsageError, match="Expected the name of a decision to be a text"):
        FlatSpace({name: [1, 2]})


def test_a_list_of_decisions_is_no_space():
    with pytest.raises(UsageError, match=r"Expected decisions by name, like \{'depth': \[2, 4, 8\]\}, got \['a'\]"):
        FlatSpace(["a"])


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["random", "optuna-tpe"])
def test_a_search_among_objects_trains_with_them_and_stores_their_labels(algorithm, tmp_path):
    given = []

    def evaluate(architecture, trial):
        given.append(architecture["act"])
        assert trial.architecture == architecture
        return float(isinstance(architecture["act"](), nn.GELU)) + architecture["size"][0]

    def search(budget):
        return optiproxy.search(
            {"act": [nn.ReLU, nn.GELU], "size": [(1, 2), (3, 4)], "odd": [None, True, 1, "1", "None"]},
            evaluate,
            budget=budget,
            algorithm=algorithm,
            storage=f"sqlite:///{tmp_path}/s.db",
        )

    search(10)
    result = search(20)  # resumed
    assert len(given) == 20
    assert set(given) == {nn.ReLU, nn.GELU}
    assert {key: result.best_architecture[key] for key in ("act", "size")} == {"act": "GELU", "size": "(3, 4)"}


def test_labels_are_the_same_in_another_process():
    program = (
        "from optiproxy.spaces import FlatSpace\n"
        "class Config: pass\n"
        "def f(): pass\n"
        "print(FlatSpace({'a': [Config(), f, lambda: 1, (f, {'x': Config}), {'k': 'v', 'l': Config()}]}).fingerprint)"
    )
    found = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("given", "ordered"),
    [
        ([16, 32, 64, 128], True),
        ([128, 32, 16], True),
        ([0.1, 1, 10], True),
        (range(5), True),
        (np.array([1.0, 2.5, 3.0]), True),
        ([1, 2, 3, float("inf")], True),
        ([16, 32], False),
        ([16, 64, 32], False),
        ([False, 1, 2], False),
        (["1", "2", "3"], False),
        ([1, 2, "3"], False),
        ([Level.LOW, Level.HIGH, 3], False),
        ([1, 2, nn.ReLU], False),
        ([1, 2, None], False),
    ],
)
def test_three_numbers_in_their_order_are_an_order(given, ordered):
    space = FlatSpace({"a": given})
    assert isinstance(space.decisions[0].choices, Ordered) == ordered
    # Which architectures there are is the same either way, so studies on disk go on.
    assert space.decisions[0].signature == Decision("a", given).signature
    assert in_order(labelled(given, "Decision 'a'")[0]) == ordered
    assert Decision("a", given).scale is None


def test_an_order_may_be_one_of_objects():
    space = FlatSpace({"a": Ordered([nn.ReLU, nn.GELU, nn.SiLU])})
    assert space.values((1,)) == {"a": "GELU"}
    assert space.build((1,)) == {"a": nn.GELU}
    assert space.decisions[0].scale.unit(1) == 0.5
    with pytest.raises(UsageError, match=r"An Ordered lists a choice twice: 2 and 2\.0"):
        Ordered([2, 2.0])
    with pytest.raises(UsageError, match="An Ordered needs a list of choices, got the text 'sml'"):
        Ordered("sml")
