"""Free metrics of one's own: measured before any training, once per network, whatever becomes of the device."""

from __future__ import annotations

import math
import os
import shlex
import sys

import cloudpickle
import pytest
import torch
from torch import nn

from optiproxy.errors import DeviceError, SearchFailed
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.nn import Value
from optiproxy.searching.search import search
from optiproxy.spaces import FlatSpace, NASBench201, Space
from optiproxy.task.free_metrics import FreeLimits
from optiproxy.task.function import FunctionTask
from optiproxy.training.costs import Costs, DeviceRunner
from optiproxy.training.export.file_format import Loaded

# Else each worker would import what the tests import.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

GOAL = Goal((Objective("accuracy"),), (Limit("cost", 2.0),))
CHOICES = {"width": [1, 2, 3, 4], "depth": [1, 2, 3], "pool": ["max", "avg"]}


def params(choices):
    return choices["width"] * choices["depth"]


def find(evaluate=lambda choices: choices["width"], space=None, **arguments):
    return search(space or CHOICES, evaluate, **{"budget": 20, "algorithm": "random", **arguments})


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["random", "regularized-evolution", "optiproxy"])
def test_what_breaks_a_limit_is_never_trained(algorithm):
    trained = []

    def evaluate(choices):
        trained.append(choices)
        return choices["width"]

    result = find(evaluate, free={"params": params}, limits=["params<=4"], algorithm=algorithm, budget=12)
    assert trained
    assert all(params(choices) <= 4 for choices in trained)
    assert all(record.metrics["params"] <= 4 for record in result.records)
    assert result.best.metrics == {"accuracy": 4.0, "params": 4.0}


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_free_metrics_are_recorded_without_a_limit_and_count_as_objectives(workers):
    result = find(free={"params": params}, objectives=["accuracy", "params:min"], workers=workers, budget=24)
    assert all(r.metrics["params"] == params(result.space.values(r.architecture)) for r in result.records)
    assert {(r.metrics["accuracy"], r.metrics["params"]) for r in result.front} == {(w, w) for w in (1, 2, 3, 4)}


def test_each_network_is_measured_once_and_isomorphic_ones_are_one():
    space, measured = NASBench201(), []

    def cost(choices):
        measured.append(space.canonical(space.architecture(choices)))
        return 1.0

    find(lambda _: 1.0, space, free={"cost": cost}, limits=["cost<=2"], budget=10)
    assert len(measured) == len(set(measured)) >= 10


def test_what_is_measured_beside_a_limit_is_not_measured_again_for_the_record():
    measured = []

    def size(choices):
        measured.append(tuple(choices.values()))
        return 1.0

    result = find(free={"params": params, "size": size}, limits=["params<=4"])
    assert result.stopped == "exhausted"
    assert len(measured) == len(set(measured)) <= 24
    assert all(record.metrics.keys() == {"accuracy", "params", "size"} for record in result.records)


def test_whether_an_architecture_is_admitted_is_the_same_however_often_it_is_asked():
    """Also where the device answers something else each time."""
    answers = iter([1.0, 9.0, 1.0])
    task = FunctionTask(
        FlatSpace({"a": [1, 2]}), lambda _: 1.0, goal=GOAL, isolated=False, free={"cost": lambda _: next(answers)}
    )
    limits = FreeLimits(task, GOAL, ["cost"])
    assert [limits.admits((0,)) for _ in range(3)] == [True] * 3
    assert [limits.admits((1,)) for _ in range(3)] == [False] * 3
    assert limits.measured((0,)) == {"cost": 1.0}
    assert next(answers) == 1.0


def test_networks_are_measured_as_they_are_built():
    def model():
        return nn.Sequential(nn.Linear(4, Value([2, 4, 8], name="width")), nn.ReLU())

    space = Space.from_model(model)
    costs = Costs(torch.zeros(1, 4), seconds=0.001)
    free = {"params": costs.params, "flops": costs.flops, "latency_ms": costs.latency_ms, "memory_mb": costs.memory_mb}
    result = find(lambda _: 1.0, space, free=free, limits=["params<=20", "latency_ms<=1e6"], budget=5)
    assert sorted(record.metrics["params"] for record in result.records) == [10, 20]
    assert all(record.metrics.keys() == {"accuracy", *free} for record in result.records)
    assert result.stopped == "exhausted"


@pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")
def test_networks_with_lazy_modules_are_measured_and_searched():
    def model():
        return nn.Sequential(nn.LazyConv2d(Value([2, 4, 8], name="width"), 3), nn.Flatten(), nn.LazyLinear(3))

    costs = Costs(torch.zeros(1, 3, 8, 8))
    free = {"params": costs.params, "flops": costs.flops, "memory_mb": costs.memory_mb}
    result = find(lambda _: 1.0, Space.from_model(model), free=free, limits=["params<=600"], budget=5)
    assert sorted(record.metrics["params"] for record in result.records) == [56 + 219, 112 + 435]
    assert not any(record.reason for record in result.records)


def test_what_cannot_be_measured_is_infeasible_and_never_trained():
    def cost(choices):
        if choices["pool"] == "max":
            raise RuntimeError("shapes do not fit")
        return math.nan if choices["width"] == 1 else 1.0

    result = find(free={"cost": cost}, limits=["cost<=2"], budget=100)
    values = [result.space.values(record.architecture) for record in result.records]
    assert len(values) == 9
    assert all(choices["pool"] == "avg" and choices["width"] > 1 for choices in values)


def test_what_cannot_be_measured_as_an_objective_is_never_trained_either():
    def cost(choices):
        return math.nan if choices["pool"] == "max" else params(choices)

    result = find(free={"cost": cost}, objectives=["accuracy", "cost:min"], budget=24)
    assert [record.state for record in result.records] == ["complete"] * 12
    assert all(result.space.values(record.architecture)["pool"] == "avg" for record in result.records)
    assert result.stopped == "exhausted"


def test_without_a_limit_a_failed_measurement_fails_the_query_before_its_training():
    trained = []

    def cost(choices):
        if choices["pool"] == "max":
            raise RuntimeError("shapes do not fit")
        return 1.0

    result = find(lambda choices: trained.append(choices) or 1.0, free={"cost": cost}, budget=24)
    failed = [record for record in result.records if record.state == "failed"]
    assert len(failed) == len(trained) == 12
    assert all("shapes do not fit" in record.reason for record in failed)


@pytest.mark.parametrize("value", ["fast", None, True])
def test_a_measurement_that_is_no_number_is_told(value):
    with pytest.raises(SearchFailed, match=r"Measuring failed with: .*Expected a number for 'cost'"):
        find(free={"cost": lambda _: value}, limits=["cost<=2"])


class Plain:
    """A stand-in for real formats, which take seconds: one weight as text."""

    name = filename = "plain"
    use = ""

    def write(self, network, inputs, path):
        path.write_text(str(network.weight.numel()))

    def read(self, path):
        return Loaded(None)


def linear():
    return nn.Linear(4, Value([1, 2, 3, 4, 5, 6, 7, 8], name="width"))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the command is POSIX")
@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import time; time.sleep(60)", r"gave no measurement within 0\.3 seconds and was stopped"),
        ("print('no idea')", r"Expected a measurement .*got 'no idea'"),
    ],
)
@pytest.mark.parametrize("wanted", [{"limits": ["size<=24"]}, {"objectives": ["accuracy", "size:min"]}])
def test_a_device_that_hangs_or_prints_rubbish_ends_the_search_before_any_training(program, told, wanted):
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(program)} {{model}}"
    board = DeviceRunner(command, torch.zeros(1, 4), timeout=0.3, file_format=Plain())
    with pytest.raises(DeviceError, match=told):
        find(lambda _: pytest.fail("nothing may be trained"), Space.from_model(linear), free={"size": board}, **wanted)


@pytest.mark.skipif(os.name == "nt", reason="the command is POSIX")
def test_a_device_that_goes_away_ends_the_search_and_the_same_call_resumes(tmp_path):
    (tmp_path / "device").write_text("on")
    program = f"import sys; open({str(tmp_path / 'device')!r}); print(open(sys.argv[1]).read())"
    board = DeviceRunner(
        f"{shlex.quote(sys.executable)} -c {shlex.quote(program)} {{model}}", torch.zeros(1, 4), file_format=Plain()
    )
    trained = []

    def train(network):
        trained.append(network)
        if len(trained) == 2:
            (tmp_path / "device").unlink()
        return float(network.out_features)

    def call():
        space = Space.from_model(linear)
        limits, storage = ["size<=24"], f"sqlite:///{tmp_path}/study.db"
        return find(train, space, free={"size": board}, limits=limits, storage=storage, budget=6)

    with pytest.raises(DeviceError, match=r"failed with exit code 1.*Check the device"):
        call()
    kept = len(trained)
    assert kept < 6
    (tmp_path / "device").write_text("on again")
    result = call()
    assert len(result.records) == len(trained) == 6
    assert result.best.metrics == {"accuracy": 6.0, "size": 24.0}
