from __future__ import annotations

import os
import sqlite3

import pytest

from optiproxy.searching import search as searching
from optiproxy.searching.load import load

TABLE = "digits-table"
PUBLISHED = "nasbench201-cifar10"

USAGE = {
    "no command": (["bogus"], "No such command 'bogus'"),
    "no such option": (["search", TABLE, "--bogus"], "No such option: --bogus"),
    "no task": (["search"], "Missing argument 'TASK'"),
    "task": (["search", "digit"], "Unknown task 'digit'. Did you mean 'digits'?"),
    "algorithm": (["search", TABLE, "--algorithm", "rando"], "Unknown algorithm 'rando'. Did you mean 'random'?"),
    "metric of a limit": (["search", TABLE, "--limit", "weight<=3"], "Unknown metric 'weight'"),
    "metric of an objective": (["search", TABLE, "--objective", "accuracy"], "Unknown metric 'accuracy'"),
    "direction": (
        ["search", TABLE, "--objective", "params:low"],
        "Expected an objective like 'accuracy:max', got 'params:low'",
    ),
    "objective twice": (["search", TABLE, "--objective", "params", "--objective", "params:max"], "may be given once"),
    "limit with =": (
        ["search", TABLE, "--limit", "params=3"],
        "Expected a limit like 'latency_ms<=2.5', got 'params=3'",
    ),
    "limit with <": (["search", TABLE, "--limit", "params<3"], "Expected a limit"),
    "limit without value": (["search", TABLE, "--limit", "params<="], "Expected a limit"),
    "limit of NaN": (["search", TABLE, "--limit", "params<=nan"], "Expected a limit"),
    "limit twice": (["search", TABLE, "--limit", "params<=1", "--limit", "params<=1"], "may be given once"),
    "budget of 0": (["search", TABLE, "--budget", "0"], "as budget, got 0"),
    "negative budget": (["search", TABLE, "--budget", "-5"], "got -5"),
    "budget in words": (["search", TABLE, "--budget", "ten"], "Invalid value for '--budget'"),
    "workers": (["search", TABLE, "--workers", "0"], "as workers, got 0"),
    "timeout": (["search", TABLE, "--timeout", "0"], "more than 0 seconds, got 0"),
    "seed": (["search", TABLE, "--seed", "-1"], "as seed, got -1"),
    "storage": (["search", TABLE, "--algorithm", "random", "--storage", "nodb://x"], "Expected a storage like"),
    "compare without out": (["compare", TABLE], "Missing option '--out'"),
    "compare unknown task": (["compare", "nope", "--algorithm", "random", "--out", "c"], "Unknown task 'nope'"),
    "compare unknown algorithm": (["compare", TABLE, "--algorithm", "nope", "--out", "c"], "Unknown algorithm 'nope'"),
    "compare twice the same": (["compare", TABLE, TABLE, "--out", "c"], "Each task may be given once"),
    "compare budget": (["compare", TABLE, "--budget", "0", "--out", "c"], "Expected budget to be at least 1, got 0"),
    "compare seeds": (["compare", TABLE, "--seeds", "0", "--out", "c"], "Expected seeds to be at least 1, got 0"),
    "compare workers": (["compare", TABLE, "--workers", "0", "--out", "c"], "Expected workers to be at least 1, got 0"),
    "report of nothing": (["report", "nowhere"], "There is no study at 'nowhere'"),
    "report of an empty folder": (["report", "."], "holds no study"),
    "report of no database": (["report", "sqlite:///none.db"], "There is no study database"),
    "export of nothing": (["export", "nowhere"], "There is no study at 'nowhere'"),
    "retrain of nothing": (["retrain", "nowhere"], "There is no study at 'nowhere'"),
    "export format": (
        ["export", "nowhere", "--format", "exe"],
        "'exe' is not one of 'torch', 'onnx', 'python', 'json'",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", USAGE)
def test_bad_usage_is_a_plain_message_and_exit_code_2_and_writes_nothing(optiproxy, tmp_path, case):
    arguments, message = USAGE[case]
    result = optiproxy(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert list(tmp_path.rglob("*")) == []


def search(optiproxy, *options, task=TABLE, budget=3):
    return optiproxy("search", task, "--algorithm", "random", "--budget", budget, *options)


@pytest.mark.slow
def test_limits_that_nothing_keeps_are_a_failed_search(optiproxy):
    result = search(optiproxy, "--limit", "params<=0.0001")
    assert result.exit_code == 1
    assert "Found no architecture" in result.stderr
    assert "params<=0.0001" in result.stderr


@pytest.mark.slow
def test_a_search_without_anything_feasible_fails_but_leaves_its_report(optiproxy, tmp_path):
    result = search(optiproxy, "--limit", "val_accuracy>=99.9", "--out", "out")
    assert result.exit_code == 1
    assert "None of the architectures was feasible" in result.stderr
    assert {"study.db", "result.json", "report.html"} <= {path.name for path in (tmp_path / "out").iterdir()}


@pytest.mark.slow
def test_a_space_smaller_than_the_budget_ends_early_and_says_so(optiproxy):
    result = search(optiproxy, "--limit", "latency_ms<=8", "--limit", "params<=0.0735", task=PUBLISHED, budget=50)
    assert result.exit_code == 0
    assert "Finished after 4 of 50 queries: the space holds no further architecture." in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("storage", ["sqlite:///broken.db", "broken.db"])
def test_a_corrupt_database_is_named_and_left_alone(optiproxy, tmp_path, storage):
    (tmp_path / "broken.db").write_bytes(b"this is no database" * 100)
    result = search(optiproxy, "--storage", storage)
    assert result.exit_code == 2
    assert "file is not a database" in result.stderr
    assert (tmp_path / "broken.db").read_bytes() == b"this is no database" * 100
    assert optiproxy("report", "broken.db").exit_code == 2


@pytest.mark.slow
def test_a_read_only_database_is_named_and_stays_as_it_was(optiproxy, tmp_path):
    assert search(optiproxy, "--out", "out").exit_code == 0
    # Read-only by the URL: file permissions would not stop a test that runs as root.
    result = search(optiproxy, "--out", "out", "--storage", "sqlite:///file:out/study.db?mode=ro&uri=true", budget=5)
    assert result.exit_code == 2
    assert "readonly" in result.stderr
    assert len(load(f"sqlite:///{tmp_path}/out/study.db").records) == 3


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(optiproxy, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    result = search(optiproxy, "--out", "locked/out")
    assert result.exit_code == 2
    assert "locked" in result.stderr


@pytest.mark.slow
def test_a_file_in_the_way_of_the_folder_is_named(optiproxy, tmp_path):
    (tmp_path / "out").write_text("a file")
    for arguments in (["search", TABLE], ["compare", TABLE]):
        result = optiproxy(*arguments, "--algorithm", "random", "--budget", 2, "--out", "out")
        assert result.exit_code == 2
        assert "out" in result.stderr
    assert (tmp_path / "out").read_text() == "a file"


@pytest.mark.slow
def test_a_study_of_another_task_is_refused(optiproxy):
    shared = ("--storage", "sqlite:///shared.db", "--study", "mine")
    assert search(optiproxy, *shared, "--out", "a").exit_code == 0
    result = search(optiproxy, *shared, "--out", "b", task="nasbench201-cifar10")
    assert result.exit_code == 2
    assert "was made for task 'digits-table', not 'nasbench201-cifar10'" in result.stderr


@pytest.mark.slow
def test_a_study_that_is_not_ours_is_refused(optiproxy, tmp_path):
    import optuna

    optuna.logging.disable_default_handler()
    study = optuna.create_study(study_name="other", storage=f"sqlite:///{tmp_path}/other.db")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert "not one of optiproxy's" in optiproxy("report", "other.db").stderr
    result = search(optiproxy, "--storage", "sqlite:///other.db", "--study", "other")
    assert result.exit_code == 2
    assert "other" in result.stderr


@pytest.mark.slow
def test_a_folder_keeps_one_search(optiproxy, tmp_path):
    assert search(optiproxy, "--out", "out").exit_code == 0
    before = (tmp_path / "out/result.json").read_text()
    result = search(optiproxy, "--out", "out", "--seed", 1)
    assert result.exit_code == 2
    assert "out holds the search" in result.stderr
    assert (tmp_path / "out/result.json").read_text() == before


@pytest.mark.slow
def test_several_studies_in_one_database_need_a_name(optiproxy):
    for seed in (0, 1):
        assert search(optiproxy, "--storage", "sqlite:///both.db", "--seed", seed).exit_code == 0
    result = optiproxy("report", "both.db")
    assert result.exit_code == 2
    assert f"{TABLE}-random-seed0, {TABLE}-random-seed1" in result.stderr
    assert optiproxy("report", "both.db", "--study", f"{TABLE}-random-seed1").exit_code == 0


def test_a_database_without_a_study_is_named(optiproxy, tmp_path):
    sqlite3.connect(tmp_path / "empty.db").close()
    assert optiproxy("report", "empty.db").exit_code == 2


def test_missing_data_is_named(optiproxy, monkeypatch):
    monkeypatch.setenv("OPTIPROXY_DATA", "no-such-folder")
    result = optiproxy("search", PUBLISHED, "--budget", 3)
    assert result.exit_code == 2
    assert "no-such-folder" in result.stderr


def test_damaged_data_is_named(optiproxy, monkeypatch, tmp_path):
    (tmp_path / "nasbench201.npz").write_bytes(b"PK truncated")
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    result = optiproxy("search", PUBLISHED, "--budget", 3)
    assert result.exit_code == 2
    assert "nasbench201.npz" in result.stderr
    listed = optiproxy("tasks")
    assert listed.exit_code == 0
    assert "not available" in listed.stdout


@pytest.mark.slow
def test_nothing_to_export_is_a_failed_search(optiproxy):
    search(optiproxy, "--limit", "val_accuracy>=99.9", "--out", "out")
    result = optiproxy("export", "out", "--format", "json")
    assert result.exit_code == 1
    assert "no feasible architecture" in result.stderr


@pytest.mark.slow
def test_a_table_cannot_be_exported_as_a_network(optiproxy):
    search(optiproxy, "--out", "out")
    result = optiproxy("export", "out", "--format", "torch")
    assert result.exit_code == 2
    assert TABLE in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", [("export", "--format", "torch"), ("export", "--format", "onnx"), ("retrain",)])
def test_networks_of_a_function_of_ones_own_are_built_by_its_own_code(optiproxy, command):
    searching.search({"depth": [1, 2]}, lambda values: values["depth"], budget=2, algorithm="random", storage="own.db")
    name, *options = command
    done = optiproxy(name, "own.db", *options)
    assert done.exit_code == 2
    assert "a training function of your own" in done.stderr
    assert "space.build(result.best.architecture" in done.stderr
    assert optiproxy("export", "own.db", "--format", "json").exit_code == 0
