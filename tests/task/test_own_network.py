"""A search of a network of one's own, from the module to the record."""

from __future__ import annotations

import math
import sys
from decimal import Decimal
from fractions import Fraction

import cloudpickle
import numpy as np
import pytest
import torch
from torch import nn

from optiproxy.errors import SearchFailed, UsageError
from optiproxy.nn import Choice, Repeat, Value
from optiproxy.searching.load import load
from optiproxy.searching.search import search
from optiproxy.spaces import FlatSpace, Space
from optiproxy.task.training_trial import TrainingTrial

# Else each worker would import what the tests import.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


def model():
    width = Value([2, 4, 3], name="width")
    return nn.Sequential(
        nn.Linear(4, width),
        Repeat(lambda i: Choice([nn.ReLU, nn.Tanh], name=f"activation{i}"), [1, 2], name="depth"),
        Choice({"fits": lambda: nn.Linear(width, 1), "four": lambda: nn.Linear(4, 1)}, name="head"),
    )


def parameters(network):
    return float(sum(weights.numel() for weights in network.parameters()))


def train(network, trial):
    for epoch in range(3):
        trial.report(epoch / (1 + trial.number), epoch)
    network(torch.zeros(1, 4))
    return {"accuracy": parameters(network), "seed": float(trial.seed)}


def find(space, evaluate, **arguments):
    return search(space, evaluate, **{"budget": 12, "algorithm": "random", **arguments})


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_the_function_gets_the_network_and_its_trial(workers):
    space = Space.from_model(model)
    result = find(space, train, workers=workers, seed=5)
    assert result.stopped == "budget"
    for record in result.records:
        if space.values(record.architecture)["head"] == "fits" or space.values(record.architecture)["width"] == 4:
            assert record.metrics == {"accuracy": parameters(space.build(record.architecture)), "seed": 5.0}
        else:
            # What does not fit together costs one query; the record says which it was, and what it got to report.
            assert record.reason.startswith("RuntimeError: mat1 and mat2 shapes cannot be multiplied")
            shown = ", ".join(f"{name}={value}" for name, value in space.values(record.architecture).items())
            assert record.reason.endswith(f" ({shown})")
        assert record.curve == {epoch: epoch / (1 + record.number) for epoch in range(3)}
    assert {record.state for record in result.records} == {"complete", "failed"}
    assert len({space.canonical(record.architecture) for record in result.records}) == 12


@pytest.mark.slow
def test_curves_are_kept_in_the_study(tmp_path):
    storage = f"sqlite:///{tmp_path}/study.db"
    space = Space.from_model(model)
    objectives = ["accuracy", "seed:min"]
    first = find(space, train, storage=storage, budget=4, objectives=objectives)
    assert [record.curve for record in load(storage).records] == [record.curve for record in first.records]
    whole = find(space, train, storage=storage, objectives=objectives)
    assert whole.records[:4] == first.records
    assert whole.records == find(space, train, storage=storage, objectives=objectives).records


def test_a_combination_that_cannot_be_built_is_one_failed_query_that_names_it():
    def attention():
        return nn.MultiheadAttention(Value([4, 6], name="width"), Value([2, 4], name="heads"))

    result = find(Space.from_model(attention), parameters, budget=9)
    failed = [record for record in result.records if record.state == "failed"]
    assert [record.reason.partition(" (")[0] for record in failed] == ["UsageError: Cannot build width=6, heads=4"]
    assert (len(result.records), result.stopped) == (4, "exhausted")


def test_a_rule_keeps_what_breaks_it_from_being_trained():
    space = Space.from_model(model).where(lambda values: values["head"] == "fits" or values["width"] == 4)
    result = find(space, train, budget=50)
    assert [record.state for record in result.records] == ["complete"] * len(result.records)
    # head fits: 3 widths; head four: 1 width; one activation or two
    assert (len(result.records), result.stopped) == (4 * (2 + 4), "exhausted")


@pytest.mark.slow
def test_the_search_learns_to_avoid_what_does_not_fit():
    """Of all combinations seven in eight fail; queries of the search fail much less often, the later ones too."""

    def misfit():
        sizes = [Value([4, 8], name=f"size{i}") for i in range(4)]
        kernel, width = Value([1, 3, 5], name="kernel"), Value([2, 3, 5, 7], name="width")
        layers = [nn.Linear(before, after) for before, after in zip(sizes[:3], [4, 8, 4], strict=True)]
        return nn.Sequential(*layers, nn.Linear(kernel, width))

    def run(network):
        return network[:3](torch.zeros(1, network[0].in_features)).sum().item() + network[3].weight.numel()

    space = Space.from_model(misfit)
    result = find(space, run, algorithm="optiproxy", budget=24)
    failed = [record.state == "failed" for record in result.records]
    assert sum(failed) < 24 * 0.6
    assert sum(failed[12:]) < 12 * 0.6


def elastic():
    """Blocks of a depth, an expansion and a kernel of their own, as in once-for-all networks; 10^10 of them."""

    def block(i, j, width):
        wide = width * Value([2, 4, 8], name=f"expand{i}{j}")
        kernel = Value([3, 5, 7], name=f"kernel{i}{j}")
        return nn.Sequential(
            nn.Conv2d(width, wide, 1), nn.Conv2d(wide, wide, kernel, groups=wide), nn.Conv2d(wide, width, 1)
        )

    return nn.Sequential(
        *(
            Repeat(lambda j, i=i, width=width: block(i, j, width), [1, 2, 3], name=f"depth{i}")
            for i, width in enumerate((8, 16, 32))
        )
    )


@pytest.fixture(scope="module")
def sizes():
    """Parameters of 500 networks, drawn at random; the smallest that there is has 6,664."""
    space = Space.from_model(elastic)
    with torch.device("meta"):
        return [parameters(space.build(a)) for a in space.sample(np.random.default_rng(0), 500)]


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["random", "optiproxy"])
@pytest.mark.parametrize("bound", [11_000, 7_600])
def test_a_limit_that_hardly_any_network_keeps_costs_no_training(algorithm, bound, sizes):
    """0.6 % keep the one limit, and none of many thousands the other."""
    space = Space.from_model(elastic)
    assert sum(size <= bound for size in sizes) <= (10 if bound > 10_000 else 0)
    result = search(
        space,
        parameters,
        budget=2,
        algorithm=algorithm,
        free={"parameters": parameters},
        limits=[f"parameters<={bound}"],
    )
    assert (len(result.records), result.stopped) == (2, "budget")
    assert all(record.metrics["parameters"] <= bound for record in result.records)


@pytest.mark.parametrize("algorithm", ["random", "regularized-evolution", "local-search", "optuna-tpe"])
def test_a_rule_that_nothing_keeps_is_told_before_any_training(algorithm):
    space = Space.from_model(model).where(lambda values: values["width"] > 1000)
    with pytest.raises(
        SearchFailed, match=r"Found no architecture of 'model' that keeps its rules, among \d+ combinations"
    ):
        find(space, lambda _: pytest.fail("nothing may be trained"), algorithm=algorithm)


def test_a_rule_that_is_wrong_is_told_at_once():
    space = Space.from_model(model).where(lambda values: values["with"] > 1)
    with pytest.raises(UsageError, match=r"rule fails for .*width.* \(KeyError: 'with'\)"):
        find(space, train)


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        ("0.9", "Expected a number for 'accuracy', got str '0.9'."),
        (math.inf, "The objective 'accuracy' is inf."),
        (math.nan, "The objective 'accuracy' is nan."),
        (None, "Expected a number for 'accuracy', got NoneType None."),
        (True, "Expected a number for 'accuracy', got bool True."),
        (np.True_, "Expected a number for 'accuracy', got bool np.True_."),
        (torch.tensor(True), "Expected a number for 'accuracy', got Tensor tensor(True)."),
        (torch.ones(2), "Expected a number for 'accuracy', got Tensor tensor([1., 1.])."),
        (np.ones(2), "Expected a number for 'accuracy', got ndarray array([1., 1.])."),
        (1j, "Expected a number for 'accuracy', got complex 1j."),
        (10**400, "Expected a number for 'accuracy', got int 1" + 59 * "0" + "."),
        ({}, "The objective 'accuracy' is missing among []."),
        ({"loss": 1.0}, "The objective 'accuracy' is missing among ['loss']."),
        ({"accuracy": [0.5]}, "Expected a number for 'accuracy', got list [0.5]."),
    ],
)
def test_what_is_no_result_is_a_failed_query(returned, reason):
    result = find(Space.from_model(model), lambda _: returned, budget=2)
    assert [record.reason for record in result.records] == [reason] * 2
    assert not result.has_best


@pytest.mark.parametrize(
    "returned",
    [
        np.float32(0.5),
        np.array(0.5),
        torch.tensor(0.5),
        torch.tensor([[0.5]]),
        torch.tensor(0.5, requires_grad=True),
        torch.tensor(0.5, dtype=torch.bfloat16),
        Fraction(1, 2),
        Decimal("0.5"),
        {"accuracy": torch.tensor(0.5), "loss": np.float64(2.0)},
    ],
    ids=repr,
)
def test_every_kind_of_scalar_is_a_number(returned):
    (record,) = find({"a": [1]}, lambda _: returned).records
    assert (record.reason, record.metrics["accuracy"], type(record.metrics["accuracy"])) == ("", 0.5, float)


@pytest.mark.parametrize("value", [math.nan, -math.inf, "0.5", None, True, torch.ones(2)])
def test_a_report_that_is_no_number_fails_the_training(value):
    def evaluate(_, trial):
        trial.report(0.5, 0)
        trial.report(value, 1)

    (record,) = find({"a": [1]}, evaluate).records
    assert record.reason.startswith("UsageError: Expected a finite number for step 1 of the learning curve, got ")
    assert record.curve == {0: 0.5}


@pytest.mark.parametrize("step", [-1, 0.5, "1", True, None])
def test_a_step_is_a_whole_number(step):
    with pytest.raises(UsageError, match="step of a learning curve to be a whole number"):
        TrainingTrial({}, seed=0).report(0.5, step)


def test_a_step_reported_again_is_replaced():
    def evaluate(_, trial):
        trial.report(torch.tensor(0.25), 3)
        trial.report(0.5, 3)
        return 1.0

    assert find({"a": [1]}, evaluate).records[0].curve == {3: 0.5}


def test_the_trial_knows_its_architecture():
    seen = []

    def evaluate(values, trial):
        seen.append((trial.number, trial.architecture == values))
        return 1.0

    find(FlatSpace({"a": [1, 2], "b": [3, 4]}), evaluate, budget=4)
    assert seen == [(number, True) for number in range(4)]


def test_an_argument_with_a_default_is_the_functions_own():
    def evaluate(values, epochs=3, *, rate=0.1):
        return values["a"] + epochs + rate

    assert find({"a": [1]}, evaluate).best.metrics == {"accuracy": 4.1}


@pytest.mark.parametrize("evaluate", [lambda a, b, c: 1.0, lambda a, *, key: 1.0])
def test_a_function_that_needs_more_is_refused_at_once(evaluate):
    with pytest.raises(UsageError, match=r"\(architecture\) or \(architecture, trial\), got \(a"):
        find({"a": [1]}, evaluate)
