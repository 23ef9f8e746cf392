"""What every task keeps to."""

from __future__ import annotations

import math
import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from optiproxy.spaces import Architecture
from optiproxy.task.task import Task

MEASURED_TIME = {"s", "ms"}
"""Units of metrics that come from a clock, so that no two measurements are equal."""

Evaluations = dict[Architecture, dict[str, float]]


class TaskConformance:
    """Subclasses define the fixture ``task``, which returns the `Task` to test: a class method with the scope of the class.

    Two architectures are evaluated at the cheapest fidelity, one of them twice.
    """

    @pytest.fixture(scope="class")
    @classmethod
    def evaluations(cls, task: Task) -> Evaluations:
        """Two architectures and what was measured."""
        samples = task.space.sample(np.random.default_rng(0), 2)
        return {architecture: task.evaluate(architecture, fidelity=_cheapest(task)) for architecture in samples}

    def test_has_an_id_for_the_command_line(self, task: Task) -> None:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9.]+)*", task.name)

    def test_says_where_its_values_come_from(self, task: Task) -> None:
        assert task.source.name
        assert task.source.description
        assert re.fullmatch(r"(sha256:[0-9a-f]{64})?", task.source.digest)

    def test_declares_each_metric_once_and_all_that_its_goal_reads(self, task: Task) -> None:
        names = [metric.name for metric in task.metrics]
        assert len(set(names)) == len(names)
        task.goal.check(task.metrics)

    def test_lists_its_fidelities_cheapest_first(self, task: Task) -> None:
        assert all(fidelity > 0 for fidelity in task.fidelities)
        assert sorted(set(task.fidelities)) == list(task.fidelities)

    def test_evaluation_returns_the_declared_metrics(self, task: Task, evaluations: Evaluations) -> None:
        declared = {metric.name for metric in task.metrics}
        objectives = {objective.metric for objective in task.goal.objectives}
        for metrics in evaluations.values():
            # What could not be had is left out: a network may not compile for a device. But there is something to search for.
            assert objectives <= set(metrics) <= declared
            assert all(type(value) is float and math.isfinite(value) for value in metrics.values())

    def test_the_same_seed_gives_the_same_values_up_to_measured_times(
        self, task: Task, evaluations: Evaluations
    ) -> None:
        architecture, metrics = next(iter(evaluations.items()))
        again = task.evaluate(architecture, fidelity=_cheapest(task))
        assert _without_times(task, again) == _without_times(task, metrics)

    def test_free_metrics_are_those_of_the_evaluation(self, task: Task, evaluations: Evaluations) -> None:
        declared = {metric.name for metric in task.metrics if metric.free}
        for architecture, metrics in evaluations.items():
            free = task.free_metrics(architecture)
            expected = {name: value for name, value in metrics.items() if name in declared}
            assert set(free) == set(expected)
            assert _without_times(task, free) == _without_times(task, expected)

    def test_works_in_another_process(self, task: Task, evaluations: Evaluations) -> None:
        architecture = next(iter(evaluations))
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            free = pool.submit(task.free_metrics, architecture).result()
        assert _without_times(task, free) == _without_times(task, task.free_metrics(architecture))

    def test_nothing_is_better_than_the_optimum(self, task: Task, evaluations: Evaluations) -> None:
        if task.optimum is None:
            pytest.skip("the optimum of this task is not known")
        objective = task.goal.objectives[0]
        best = objective.gain({objective.metric: task.optimum})
        assert all(objective.gain(metrics) <= best for metrics in evaluations.values() if task.goal.feasible(metrics))


def _cheapest(task: Task) -> int | None:
    return task.fidelities[0] if task.fidelities else None


def _without_times(task: Task, metrics: dict[str, float]) -> dict[str, float]:
    timed = {metric.name for metric in task.metrics if metric.unit in MEASURED_TIME}
    return {name: value for name, value in metrics.items() if name not in timed}
