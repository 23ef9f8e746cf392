from __future__ import annotations

from itertools import count, product

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.errors import UsageError
from optiproxy.spaces import Space


def conditions(space):
    return {
        space.decisions[of_block[0]].name: {space.decisions[d].name: set(choices) for d, choices in when.items()}
        for _, of_block, when in space._parts
    }


def asked_for(suggest, values):
    """What the function really asks for with these values, by Optuna itself."""
    trial = optuna.trial.FixedTrial(values)
    suggest(trial)
    return trial.params


def check_exact(suggest, space):
    for architecture in product(*(range(len(decision.choices)) for decision in space.decisions)):
        values = space.values(architecture)
        assert space.build(architecture) == asked_for(suggest, values)


def plain(trial):
    trial.suggest_int("depth", 1, 3)
    trial.suggest_categorical("activation", ["relu", None])


def branches(trial):
    if trial.suggest_categorical("model", ["mlp", "tree", "linear"]) == "mlp":
        for i in range(trial.suggest_int("layers", 1, 3)):
            trial.suggest_categorical(f"width{i}", [8, 16])
    elif trial.params["model"] == "tree":
        trial.suggest_int("leaves", 2, 6, step=2)
    trial.suggest_categorical("scale", [True, False])


def both(trial):
    a, b = (trial.suggest_categorical(name, [0, 1, 2]) for name in "ab")
    if a == 1 and b == 2:
        trial.suggest_categorical("rare", [0, 1])


def either(trial):
    a, b = (trial.suggest_categorical(name, [0, 1, 2]) for name in "ab")
    if a == 1 or b == 2:
        trial.suggest_categorical("c", [0, 1])


def lost(trial):
    if trial.suggest_categorical("a", [0, 1, 2]) == 0 and trial.suggest_categorical("b", [0, 1]) == 0:
        trial.suggest_categorical("c", [0, 1])


@pytest.mark.parametrize("suggest", [plain, branches, both, either, lost], ids=lambda f: f.__name__)
def test_the_space_asks_for_what_the_function_asks_for(suggest):
    check_exact(suggest, Space.from_optuna(suggest))


def test_a_decision_knows_when_it_matters():
    assert conditions(Space.from_optuna(branches)) == {
        "model": {},
        "layers": {"model": {0}},
        "width0": {"model": {0}},
        "width1": {"model": {0}, "layers": {1, 2}},
        "width2": {"model": {0}, "layers": {2}},
        "leaves": {"model": {1}},
        "scale": {},
    }


@st.composite
def trees(draw, depth=2):
    """Name -> (choices, what follows each of them): nested decisions, as code with branches has them."""
    return [
        (draw(st.integers(1, 3)), draw(st.lists(trees(depth=depth - 1), max_size=2)) if depth else [])
        for _ in range(draw(st.integers(1, 2)))
    ]


@given(tree=trees())
def test_any_nesting_is_found(tree):
    def suggest(trial):
        def walk(nodes, prefix):
            for i, (options, branches) in enumerate(nodes):
                name = f"{prefix}{i}"
                chosen = trial.suggest_int(name, 0, options - 1)
                if chosen < len(branches):
                    walk(branches[chosen], f"{name}.{chosen}.")

        walk(tree, "")

    space = Space.from_optuna(suggest)
    if space.size <= 200:
        check_exact(suggest, space)


def test_a_large_space_is_opened_with_one_run_per_choice():
    runs = []

    def suggest(trial):
        runs.append(trial)
        for i in range(64):
            trial.suggest_categorical(f"layer{i}", ["a", "b", "c"])

    assert Space.from_optuna(suggest).size == 3**64 > 10**30
    assert len(runs) < 2 + 64 * 2 + 10


def test_chance_is_noticed():
    names = map(str, count())
    with pytest.raises(UsageError, match="asks for other decisions each time"):
        Space.from_optuna(lambda trial: trial.suggest_int(next(names), 0, 1))


def test_a_choice_that_fails_is_left_to_the_search():
    def suggest(trial):
        if trial.suggest_categorical("a", [0, 1]):
            raise ValueError("no")
        trial.suggest_categorical("b", [0, 1])

    assert conditions(Space.from_optuna(suggest)) == {"a": {}, "b": {}}


def test_numbers_are_scales_and_objects_come_back_as_themselves():
    suggested = []

    def suggest(trial):
        suggested.append(trial.suggest_categorical("act", [str.upper, str.lower]))
        trial.suggest_float("lr", 1e-4, 1e-1, log=True)
        trial.suggest_int("width", 1, 1000)
        trial.suggest_categorical("batch", [16, 32, 64])

    space = Space.from_optuna(suggest)
    assert set(suggested) == {str.upper, str.lower}
    assert [str(d.scale) for d in space.decisions[1:]] == [
        "Float(0.0001, 0.1, log=True)",
        "Int(1, 1000)",
        "Ordered([16, 32, 64])",
    ]
    assert space.build((1, 0, 0, 0)) == {"act": str.lower, "lr": 1e-4, "width": 1, "batch": 16}


def _on_a_large_rate(trial):
    if trial.suggest_float("rate", 0, 1) > 0.8:
        trial.suggest_categorical("extra", [1, 2])


def _on_a_middling_rate(trial):
    if 0.2 < trial.suggest_float("rate", 0, 1) < 0.4:
        trial.suggest_categorical("extra", [1, 2])


def _on_a_rate_within_a_branch(trial):
    if trial.suggest_categorical("kind", ["a", "b"]) == "b" and trial.suggest_int("rate", 1, 1000) > 500:
        trial.suggest_categorical("extra", [1, 2])


@pytest.mark.parametrize("suggest", [_on_a_large_rate, _on_a_middling_rate, _on_a_rate_within_a_branch])
def test_a_condition_on_a_number_with_many_values_is_refused(suggest):
    with pytest.raises(
        UsageError, match=r"depends on the number 'rate', which has \d+ values. Let it depend on a category"
    ):
        Space.from_optuna(suggest)


def test_a_number_with_which_the_function_fails_is_left_to_the_search():
    def suggest(trial):
        if trial.suggest_float("rate", 0, 1) > 0.5:
            raise ValueError("no")
        trial.suggest_categorical("b", [0, 1])

    assert conditions(Space.from_optuna(suggest)) == {"rate": {}, "b": {}}


@pytest.mark.parametrize(
    ("suggest", "message"),
    [
        (lambda _: None, "at least one decision"),
        (lambda t: t.suggest_float("rate", 1.0, 0.1), "Expected low <= high, .* got 1 and 0.1"),
        (
            lambda t: t.suggest_categorical("a", "relu"),
            r"'a' needs a list of choices, got the text 'relu'\. Write \['relu'\]",
        ),
        (lambda t: [t.suggest_int("a", 1, 2), t.suggest_categorical("a", [1, 2])], "Two decisions are named 'a'"),
        (
            lambda t: [t.suggest_float("a", 0, 1), t.suggest_int("a", 0, 1)],
            r"choices Float\(0.0, 1.0\) and one with \[0, 1\]",
        ),
        (lambda t: [t.suggest_int("a", 1, 2), t.suggest_int("a", 1, 3)], "Two decisions are named 'a'"),
        (lambda t: t.suggest_categorical("a", []), "'a' needs at least one choice"),
        (lambda t: 1 / t.suggest_int("a", 0, 1), "With the first choice of every decision it fails with ZeroDivision"),
    ],
)
def test_what_cannot_be_a_space_is_refused(suggest, message):
    with pytest.raises(UsageError, match=message):
        Space.from_optuna(suggest)
