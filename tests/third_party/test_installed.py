"""A space, a metric, an algorithm, a task and an executor of an installed package, used with no edit of ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from optiproxy.searching.search import search

pytestmark = pytest.mark.slow

PACKAGE = "optiproxy-example"
TASK, ALGORITHM, SPACE = "example-stack", "near-the-best", "stack"
BY_MODULE = {
    TASK: "optiproxy_example.task:StackTask",
    ALGORITHM: "optiproxy_example.algorithm:NearTheBest",
    SPACE: "optiproxy_example.space:StackSpace",
}

SPELLED = pytest.mark.parametrize("spelled", [dict.get, lambda _, name: name], ids=["by-module", "by-name"])


def done(result):
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_the_package_passes_its_own_tests(installed):
    """The conformance suites, which ship with optiproxy."""
    tests = Path(__file__).parent / "optiproxy_example" / "tests"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tests), str(tests)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout


def test_names_are_listed_with_their_package_and_nothing_is_imported(optiproxy):
    for command, key, name in (("tasks", "id", TASK), ("algorithms", "name", ALGORITHM)):
        (line,) = [line for line in done(optiproxy(command)).splitlines() if line.split()[0] == name]
        assert f"from the package {PACKAGE}" in line
        (entry,) = [entry for entry in json.loads(done(optiproxy(command, "--json"))) if entry[key] == name]
        assert entry["package"] == PACKAGE
    assert not [name for name in sys.modules if name.startswith("optiproxy_example")]


@SPELLED
def test_a_task_is_searched_by_an_algorithm_within_a_limit_on_its_metric(optiproxy, tmp_path, spelled):
    task, algorithm = (spelled(BY_MODULE, name) for name in (TASK, ALGORITHM))
    limit = "parameters<=9000"
    done(optiproxy("search", task, "--algorithm", algorithm, "--budget", 12, "--limit", limit, "--out", "out"))
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (result["task"], result["algorithm"], len(result["trials"])) == (TASK, algorithm, 12)
    assert all(trial["metrics"]["parameters"] <= 9000 for trial in result["trials"])
    assert "report.html" in done(optiproxy("report", "out"))


@SPELLED
def test_a_task_and_an_algorithm_are_compared_with_ours(optiproxy, tmp_path, spelled):
    task, algorithm = (spelled(BY_MODULE, name) for name in (TASK, ALGORITHM))
    algorithms = ("--algorithm", algorithm, "--algorithm", "random")
    done(optiproxy("compare", task, *algorithms, "--seeds", 2, "--budget", 8, "--out", "out"))
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert {name: set(told) for name, told in summary.items()} == {task: {algorithm, "random"}}
    assert "report.html" in done(optiproxy("report", "out"))


@pytest.mark.parametrize("subject", [TASK, SPACE, *(BY_MODULE[name] for name in (TASK, SPACE))])
def test_a_task_and_a_space_are_profiled(optiproxy, subject):
    told = done(optiproxy("profile", subject, "--samples", 20))
    assert "256 combinations of 4 decisions" in told
    assert ("parameters: " in told) == (subject in (TASK, BY_MODULE[TASK]))


def test_a_metric_is_handed_to_a_search_of_ones_own_function(installed):
    from optiproxy_example.metric import parameters
    from optiproxy_example.space import StackSpace

    found = search(
        StackSpace(),
        lambda layers: {"accuracy": float(len(set(layers.values())))},
        budget=5,
        algorithm="random",
        free={"parameters": parameters},
        limits=["parameters<=9000"],
    )
    assert len(found.records) == 5
    assert all(record.metrics["parameters"] <= 9000 for record in found.records)


def test_an_executor_runs_the_evaluations(optiproxy, tmp_path):
    there = ("--executor", "optiproxy_example.executor:CommandExecutor")
    for out, options in {"here": (), "there": there}.items():
        done(optiproxy("search", TASK, "--algorithm", "random", "--budget", 3, "--out", out, *options))
    here, elsewhere = (json.loads((tmp_path / out / "result.json").read_text())["trials"] for out in ("here", "there"))
    assert [trial["metrics"] for trial in here] == [trial["metrics"] for trial in elsewhere]
    refused = optiproxy("search", TASK, "--budget", 3, "--out", "none", "--executor", BY_MODULE[TASK])
    assert refused.exit_code == 2
    assert "an executor" in refused.stderr
