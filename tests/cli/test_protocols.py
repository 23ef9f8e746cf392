"""Free and queried limits, and searches at a lower fidelity, as a user asks for them."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from optiproxy import registry
from optiproxy.metrics import Goal, Limit, Metric, Objective
from optiproxy.spaces import FlatSpace
from optiproxy.tables import TableTask
from optiproxy.task.task import Source

CELLS = np.array([[a, b] for a in range(6) for b in range(6)])


def device():
    """A table under a latency limit that most networks break, known only after a query."""
    return TableTask(
        "device",
        FlatSpace({"a": [*range(6)], "b": [*range(6)]}),
        metrics=(
            Metric(name="val_accuracy", direction="max"),
            Metric(name="latency_ms", direction="min", unit="ms", free=True),
        ),
        goal=Goal((Objective("val_accuracy"),), (Limit("latency_ms", 2.0),)),
        source=Source("made-up", "36 values"),
        architectures=CELLS,
        columns={
            "val_accuracy": np.stack([CELLS.sum(1), 10.0 + CELLS.sum(1)], axis=1),
            "latency_ms": np.where(CELLS[:, 0] == 5, np.nan, CELLS.sum(1)),
        },
        fidelities=(12, 200),
        queried=("latency_ms",),
    )


def short():
    """The same without a limit, searched at 12 epochs by itself."""
    task = device()
    task.name, task.goal, task.search_fidelity, task.promote = "short", Goal(task.goal.objectives), 12, 3
    task.optimum = 20.0
    return task


@pytest.fixture
def cli(optiproxy, monkeypatch):
    tasks = {"device": device, "short": short}
    # Where the commands look it up, and where a stored study does.
    for place in (registry, registry.names):
        monkeypatch.setattr(place, "task", lambda name, source=None: tasks[name]())
    return lambda command, task, *arguments: optiproxy(command, task, "--algorithm", "random", *arguments)


def read(path):
    return json.loads((path / "result.json").read_text())


@pytest.mark.slow
def test_a_limit_is_queried_unless_it_is_asked_to_be_free(cli, tmp_path):
    queried = cli("search", "device", "--budget", 20)
    assert "Known only after a query (queried): latency_ms." in queried.stdout
    freed = cli("search", "device", "--budget", 20, "--free", "latency_ms")
    assert "Known before a query (free), so that none is spent on what breaks a limit: latency_ms." in freed.stdout
    one, other = tmp_path / "runs/device-random-seed0", tmp_path / "runs/device-random-seed0-free-latency_ms"
    assert not all(trial["feasible"] for trial in read(one)["trials"])
    assert read(one)["protocol"]["queried"] == ["latency_ms"]
    # Only six of the 36 keep the limit.
    assert [trial["feasible"] for trial in read(other)["trials"]] == [True] * 6
    assert (read(other)["protocol"]["free"], read(other)["stopped"]) == (["latency_ms"], "exhausted")
    assert "queried" in (one / "report.html").read_text()
    assert "(free)" in (other / "report.html").read_text()


@pytest.mark.slow
def test_the_other_protocol_does_not_resume_a_study(cli):
    assert cli("search", "device", "--budget", 20, "--study", "s").exit_code == 0
    refused = cli("search", "device", "--budget", 20, "--study", "s", "--free", "latency_ms")
    assert refused.exit_code == 2
    assert "free metrics none, not latency_ms" in refused.stderr


def test_a_lower_fidelity_and_promotions_are_counted_and_reported(cli, optiproxy, tmp_path):
    found = cli("search", "device", "--budget", 30, "--fidelity", 12, "--promote", 2, "--free", "latency_ms")
    assert found.exit_code == 0, found.stderr
    assert "30 queries at fidelity 12, then the best 2 again at 200; the answer is one of these." in found.stdout
    assert "(6 at fidelity 12 and 2 at 200, 472 epochs in all)" in found.stdout
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name == "device-random-seed0-free-latency_ms-fidelity12"
    content = read(folder)
    assert [trial["fidelity"] for trial in content["trials"]] == [12] * 6 + [200] * 2
    assert (content["epochs"], content["best"]["fidelity"]) == (472, 200)
    assert content["best"]["metrics"]["val_accuracy"] == 12.0
    page = (folder / "report.html").read_text()
    assert "measured at fidelity 12" in page
    assert "measured at fidelity 200" in page
    assert optiproxy("report", folder.relative_to(tmp_path)).exit_code == 0
    assert optiproxy("export", folder, "--format", "json").exit_code == 0
    exported = json.loads((folder / "export/architecture.json").read_text())
    assert exported["metrics"]["recorded"]["val_accuracy"] == 12.0
    assert (folder / "report.html").read_text() == page


@pytest.mark.slow
def test_a_task_that_is_searched_cheaply_needs_no_options(cli, tmp_path):
    found = cli("search", "short", "--budget", 5, "--out", "out")
    assert "(5 at fidelity 12 and 3 at 200, 660 epochs in all)" in found.stdout
    assert "optimum" in (tmp_path / "out/report.html").read_text()
    resumed = cli("search", "short", "--budget", 9, "--out", "out")
    assert resumed.exit_code == 0
    cli("search", "short", "--budget", 9, "--out", "whole")
    low = [[t for t in read(tmp_path / out)["trials"] if t["fidelity"] == 12] for out in ("out", "whole")]
    assert [t["architecture"] for t in low[0]] == [t["architecture"] for t in low[1]]
    in_full = cli("search", "short", "--budget", 5, "--fidelity", 200)
    assert "Finished: 5 of 5 queries spent." in in_full.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--free", "val_accuracy"), "known only after training, so it cannot be free. Metrics that can: latency_ms."),
        (("--free", "latency"), "Did you mean 'latency_ms'"),
        (("--fidelity", "13"), "has the fidelities 12, 200, got 13"),
        (("--fidelity", "12", "--promote", "0"), "at least 1 architecture"),
        (("--promote", "3"), "at the full one already"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_written(cli, tmp_path, arguments, told):
    refused = cli("search", "device", *arguments)
    assert refused.exit_code == 2
    assert told in refused.stderr
    assert not (tmp_path / "runs").exists()


def test_compare_refuses_what_cannot_be_free(cli, tmp_path):
    refused = cli("compare", "short", "--free", "val_accuracy", "--out", tmp_path / "out")
    assert refused.exit_code == 2
    assert "known only after training" in refused.stderr
    assert not (tmp_path / "out").exists()


def test_nothing_feasible_in_full_fails_the_search(cli):
    found = cli(
        "search", "device", "--budget", 30, "--fidelity", 12, "--limit", "val_accuracy<=5", "--free", "latency_ms"
    )
    assert found.exit_code == 1
    assert "No feasible architecture was found at fidelity 200." in found.stdout


@pytest.mark.slow
@pytest.mark.parametrize("free", [(), ("--free", "latency_ms")], ids=["queried", "free"])
def test_published_hardware_tasks_are_compared_under_either_protocol(
    optiproxy, tmp_path, monkeypatch, data_folder, free
):
    monkeypatch.setenv("OPTIPROXY_DATA", str(data_folder))
    settings = ("--algorithm", "random", "--seeds", 2, "--budget", 20, "--out", "out")
    done = optiproxy("compare", "hwnasbench-edgegpu-2ms", *settings, *free)
    assert done.exit_code == 0, done.stderr
    (figures,) = json.loads((tmp_path / "out/summary.json").read_text())["hwnasbench-edgegpu-2ms"].values()
    assert (figures["feasible_share"] == 1) == bool(free)
    assert (figures["free"], figures["queried"]) == ((["latency_ms"], []) if free else ([], ["latency_ms"]))
    other = optiproxy("compare", "hwnasbench-edgegpu-2ms", *settings, *([] if free else ["--free", "latency_ms"]))
    assert other.exit_code == 2
    assert "free of hwnasbench-edgegpu-2ms" in other.stderr
    page = (tmp_path / "out/report.html").read_text()
    assert ("(free)" in page, "(queried)" in page) == (bool(free), not free)


@pytest.mark.slow
def test_published_cheap_trainings_are_compared_by_their_full_values(optiproxy, tmp_path, monkeypatch, data_folder):
    monkeypatch.setenv("OPTIPROXY_DATA", str(data_folder))
    task = "nasbench201-cifar10-12epochs"
    done = optiproxy("compare", task, "--algorithm", "random", "--seeds", 1, "--budget", 20, "--out", "out")
    assert done.exit_code == 0, done.stderr
    with (tmp_path / "out/results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["fidelity"] for row in rows] == ["12"] * 20 + ["200"] * 10
    assert [int(row["epochs"]) for row in rows][-1] == 20 * 12 + 10 * 200
    assert {row["best_so_far"] for row in rows[:20]} == {""}
    full = [json.loads(row["metrics"])["val_accuracy"] for row in rows[20:]]
    assert [float(row["best_so_far"]) for row in rows[20:]] == np.maximum.accumulate(full).tolist()
    (figures,) = json.loads((tmp_path / "out/summary.json").read_text())[task].values()
    assert (figures["fidelity"], figures["promote"], figures["epochs_mean"]) == (12, 10, 2240)
    assert figures["best_mean"] == max(full)
    assert figures["optimum"] > 91
    assert figures["queries_to_optimum_mean"] <= 30
