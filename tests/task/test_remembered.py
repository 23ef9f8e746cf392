"""Free metrics are measured once for all architectures that they cannot tell apart."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import optiproxy
from optiproxy.nn import Value
from optiproxy.spaces import FlatSpace, Float, Space
from optiproxy.task.remembered import Remembered

SPACE = FlatSpace({"kind": ["a", "b"], "wide": [[8], [16]], "deep": [1, 2], "lr": Float(1e-4, 1e-1, log=True)})


def branches(values):
    return values["wide"][0] if values["kind"] == "a" else 10.0 * values["deep"]


@given(st.lists(st.tuples(*(st.integers(0, 1) for _ in range(3)), st.integers(0, 99)), min_size=1))
def test_what_is_remembered_is_what_would_be_measured(architectures):
    calls = []

    def measure(values):
        calls.append(values["kind"])
        return branches(values)

    remembered = Remembered("cost", measure)
    names = [decision.name for decision in SPACE.decisions]
    for architecture in architectures:
        values = SPACE.build(architecture)
        assert remembered(values, dict(zip(names, architecture, strict=True))) == branches(values)
    # Two kinds, and of each the one decision beside it that is read.
    assert len(calls) <= 4


def test_a_learning_rate_is_no_reason_to_measure_again():
    measured = []

    def latency(values):
        measured.append((values["wide"], values["deep"]))
        return 1.0 + values["deep"]

    result = optiproxy.search(
        SPACE, lambda v: v["lr"], budget=12, algorithm="random", free={"ms": latency}, limits=["ms<=3"], verbose=False
    )
    assert len({record.values["lr"] for record in result.records}) == 12
    assert len(measured) <= 4
    assert all(record.metrics["ms"] == 1.0 + record.values["deep"] for record in result.records)


def test_what_fails_is_not_remembered_and_what_reads_nothing_is_measured_each_time():
    answers = iter([1.0, 2.0])
    remembered = Remembered("cost", lambda _: next(answers))
    assert [remembered({"a": i}, {"a": i}) for i in (0, 1, 0, 1)] == [1.0, 2.0, 1.0, 2.0]

    def fails(values):
        raise RuntimeError(values["a"])

    failing = Remembered("cost", fails)
    for i in (0, 0, 1):
        with pytest.raises(RuntimeError, match=str(i)):
            failing({"a": i}, {"a": i})


def test_a_decision_that_is_not_reached_is_another_answer():
    remembered = Remembered("cost", lambda values: values.get("kernel", 0.0))
    assert remembered({"depth": 1}, {"depth": 0, "kernel": 0}) == 0.0
    assert remembered({"depth": 2, "kernel": 5.0}, {"depth": 1, "kernel": 0}) == 5.0


class Settings(nn.Sequential):
    """A network that knows its learning rate."""

    def __init__(self, width, dropout, lr):
        super().__init__(nn.Linear(4, width), nn.Dropout(dropout), nn.ReLU(), nn.Linear(width, 2))
        self.lr = lr


def test_networks_that_compute_the_same_are_timed_once_and_others_are_not(monkeypatch):
    timed, time = [], optiproxy.Costs.latency
    monkeypatch.setattr(optiproxy.Costs, "latency", lambda *given: timed.append(given[1]) or time(*given))
    costs = optiproxy.Costs(torch.zeros(1, 4), seconds=0.001, tolerance=1e9)
    remembered = Remembered("latency_ms", costs.latency_ms)
    networks = [Settings(*given) for given in [(2, 0.1, 1.0), (2, 0.5, 1.0), (2, 0.1, 3.0), (3, 0.1, 1.0)]]
    found = [remembered(network, {}) for network in networks]
    assert found[0] == found[1] == found[2]
    assert timed == [networks[0], networks[3]]
    # Outside of a search each call measures.
    costs.latency_ms(networks[0])
    assert len(timed) == 3


def test_weights_that_no_input_meets_still_count():
    class Idle(nn.Linear):
        def __init__(self, idle):
            super().__init__(4, 2)
            self.idle = nn.Linear(idle, 1)

    space = Space.from_model(lambda: Idle(Value([1, 2, 3], name="idle")))
    costs = optiproxy.Costs(torch.zeros(1, 4))
    result = optiproxy.search(
        space, lambda _: 1.0, budget=3, algorithm="random", free={"params": costs.params}, verbose=False
    )
    assert sorted(record.metrics["params"] for record in result.records) == [12.0, 13.0, 14.0]
