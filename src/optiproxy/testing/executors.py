"""What every executor keeps to that is to run evaluations."""

from __future__ import annotations

import math
from concurrent.futures import Executor, Future, as_completed

import pytest

from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.searching.search import search
from optiproxy.spaces import Architecture, FlatSpace
from optiproxy.task.task import Source, Task

LONGEST = 120.0
"""Seconds that the start of a worker and a small call may take together."""


class ExecutorConformance:
    """Subclasses define the fixture ``executor``, which returns an open `concurrent.futures.Executor` and closes it.

    Functions, tasks and architectures are handed over as they are; an executor on other machines sends them by pickle or
    cloudpickle.
    """

    def test_a_future_holds_what_the_call_returns(self, executor: Executor) -> None:
        future = executor.submit(math.ldexp, 3.0, 4)
        assert isinstance(future, Future)
        assert future.result(LONGEST) == 48.0

    def test_arguments_may_be_named(self, executor: Executor) -> None:
        assert executor.submit(int, "11", base=2).result(LONGEST) == 3

    def test_every_call_is_answered_by_its_own_future(self, executor: Executor) -> None:
        futures = {executor.submit(math.sqrt, float(n * n)): n for n in range(5)}
        answers = {futures[future]: future.result() for future in as_completed(futures, LONGEST)}
        assert answers == {n: float(n) for n in range(5)}

    def test_an_exception_belongs_to_its_call_alone(self, executor: Executor) -> None:
        """It is not raised by `submit`, keeps its type and text, and the executor goes on."""
        failed = executor.submit(math.sqrt, -1.0)
        with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
            failed.result(LONGEST)
        assert executor.submit(math.sqrt, 4.0).result(LONGEST) == 2.0

    def test_a_search_finds_what_it_finds_without_an_executor(self, executor: Executor) -> None:
        """A training that fails is a failed query on any executor."""
        task = _Small()
        here, there = (
            search(task, algorithm="random", budget=4, max_failures=None, verbose=False, executor=where)
            for where in (None, executor)
        )
        assert [(record.architecture, record.metrics, record.reason) for record in there.records] == [
            (record.architecture, record.metrics, record.reason) for record in here.records
        ]
        assert any(record.reason for record in there.records)


class _Small(Task):
    """Four architectures, one of which fails."""

    name = "small"
    space = FlatSpace({"a": [1, 2], "b": [1, 2]})
    metrics = (Metric(name="score", direction="max"),)
    goal = Goal((Objective("score"),))
    source = Source("formula", "made up for the conformance suite")
    isolated = False

    def evaluate(self, architecture: Architecture, *, seed: int = 0, fidelity: int | None = None) -> dict[str, float]:
        self.check_fidelity(fidelity)
        if architecture == (1, 1):
            raise ValueError("does not train")
        return {"score": float(seed + sum(architecture))}
