from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import optuna
import pytest
from optuna.artifacts import get_all_artifact_meta

pytestmark = pytest.mark.slow

TABLE = "digits-table"
QUICK = ("search", TABLE, "--algorithm", "regularized-evolution")

# Whoever started the tests may ignore Ctrl-C, and that is inherited.
HEEDING_CTRL_C = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("optiproxy", run_name="__main__", alter_sys=True)
"""


def read(path):
    return json.loads((path / "result.json").read_text())


def untimed(trials):
    return [{key: value for key, value in trial.items() if not key.endswith("_seconds")} for trial in trials]


def test_a_search_prints_the_best_and_leaves_result_report_and_study(optiproxy, tmp_path):
    result = optiproxy(*QUICK, "--budget", 6)
    assert result.exit_code == 0
    folder = tmp_path / f"runs/{TABLE}-regularized-evolution-seed0"
    assert {"study.db", "result.json", "report.html"} <= {path.name for path in folder.iterdir()}
    content = read(folder)
    assert content["task"] == TABLE
    assert content["source"]["name"].startswith("digits-table")
    assert content["goal"] == {"objectives": ["val_accuracy:max"], "limits": []}
    assert (content["stopped"], content["budget"], len(content["trials"])) == ("budget", 6, 6)
    best = max(content["trials"], key=lambda trial: trial["metrics"]["val_accuracy"])
    assert content["best"] == best
    assert content["front"] == [best]
    for decision, choice in best["architecture"].items():
        assert any(line.split() == [decision, choice] for line in result.stdout.splitlines())
    assert "report.html" in result.stdout


def test_the_dashboard_is_left_the_picture_of_the_best_architecture(optiproxy, tmp_path):
    assert optiproxy(*QUICK, "--budget", 3, "--out", "mine").exit_code == 0
    storage = f"sqlite:///{tmp_path / 'mine/study.db'}"
    study = optuna.load_study(study_name=read(tmp_path / "mine")["study"], storage=storage)
    (artifact,) = get_all_artifact_meta(study_or_trial=study)
    (folder,) = (tmp_path / "mine/study-files").iterdir()
    assert (folder / artifact.artifact_id).read_text().startswith("<svg")
    text = study._storage.get_study_system_attrs(study._study_id)["dashboard:note_str:0"]
    assert f"![The best architecture](/artifacts/{study._study_id}/{artifact.artifact_id})" in text


def test_the_same_command_resumes_to_a_larger_budget_as_if_never_interrupted(optiproxy, tmp_path):
    for budget, out in ((5, "parts"), (9, "parts"), (9, "whole")):
        assert optiproxy(*QUICK, "--budget", budget, "--out", out).exit_code == 0
    assert untimed(read(tmp_path / "parts")["trials"]) == untimed(read(tmp_path / "whole")["trials"])


def test_optiproxy_searches_by_default_and_resumes_as_if_never_interrupted(optiproxy, tmp_path):
    for budget, out in ((2, "parts"), (6, "parts"), (6, "whole")):
        assert optiproxy("search", TABLE, "--seed", 1, "--budget", budget, "--out", out).exit_code == 0
    parts, whole = (read(tmp_path / out) for out in ("parts", "whole"))
    assert parts["algorithm"] == whole["algorithm"] == "optiproxy"
    assert untimed(parts["trials"]) == untimed(whole["trials"])
    assert whole["trials"][-1]["predicted"].keys() == whole["trials"][-1]["intervals"].keys() == {"val_accuracy"}
    # Fewer queries than a model would speak on, or than intervals are counted of.
    assert (whole["recommended"], whole["calibration"]) == (whole["best"], None)


def test_a_finished_search_spends_nothing_more(optiproxy, tmp_path):
    optiproxy(*QUICK, "--budget", 5, "--out", "out")
    before = read(tmp_path / "out")
    assert optiproxy(*QUICK, "--budget", 5, "--out", "out").exit_code == 0
    assert read(tmp_path / "out") == before


def test_limits_are_kept_and_part_of_the_name(optiproxy, tmp_path):
    result = optiproxy(*QUICK, "--budget", 8, "--limit", "params<=5000", "--limit", "val_accuracy>=50")
    assert result.exit_code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.endswith("seed0-params-at-most-5000.0-val_accuracy-at-least-50.0")
    content = read(folder)
    assert all(trial["metrics"]["params"] <= 5000 for trial in content["trials"])
    assert content["best"]["metrics"]["val_accuracy"] >= 50


def test_an_objective_takes_the_direction_of_its_metric(optiproxy, tmp_path):
    optiproxy(*QUICK, "--budget", 8, "--objective", "params", "--out", "out")
    content = read(tmp_path / "out")
    assert content["goal"]["objectives"] == ["params:min"]
    assert content["best"]["metrics"]["params"] == min(t["metrics"]["params"] for t in content["trials"])


def test_two_objectives_print_the_front(optiproxy, tmp_path):
    result = optiproxy(*QUICK, "--budget", 12, "--objective", "val_accuracy", "--objective", "params", "--out", "out")
    assert result.exit_code == 0
    front = read(tmp_path / "out")["front"]
    assert f"Front of {len(front)} architectures" in result.stdout
    for trial in front:
        assert f"#{trial['number']}" in result.stdout
    assert optiproxy("export", "out", "--format", "json", "--front").exit_code == 0
    for trial in front:
        folder = tmp_path / f"out/export/query-{trial['number']}"
        assert json.loads((folder / "architecture.json").read_text())["architecture"] == trial["architecture"]
        assert f"query {trial['number']}" in (folder / "card.md").read_text()


def test_report_and_export_find_a_search_by_folder_name_file_and_url(optiproxy, tmp_path):
    optiproxy(*QUICK, "--budget", 4)
    name = f"{TABLE}-regularized-evolution-seed0"
    folder = tmp_path / "runs" / name
    original = (folder / "report.html").read_text()
    for target in (folder, name, folder / "study.db", f"sqlite:///{folder}/study.db"):
        assert optiproxy("report", target, "--out", "again.html").exit_code == 0
        assert (tmp_path / "again.html").read_text().count("<tr") == original.count("<tr")
        assert optiproxy("export", target, "--format", "json", "--out", "exported").exit_code == 0
        exported = json.loads((tmp_path / "exported/architecture.json").read_text())
        assert exported["architecture"] == read(folder)["best"]["architecture"]
        assert exported["metrics"]["recorded"] == read(folder)["best"]["metrics"]


def test_a_moved_folder_still_reports(optiproxy, tmp_path):
    optiproxy(*QUICK, "--budget", 4, "--out", "here")
    (tmp_path / "here").rename(tmp_path / "there")
    assert optiproxy("report", "there").exit_code == 0


def test_a_study_stored_elsewhere_is_found_through_its_folder(optiproxy, tmp_path, monkeypatch):
    """A folder decides nothing: it says what to type, unless the environment has named the same storage."""
    storage = f"sqlite:///{tmp_path}/team.db"
    optiproxy(*QUICK, "--budget", 4, "--out", "out", "--storage", storage)
    assert not (tmp_path / "out/study.db").exists()
    refused = optiproxy("report", "out")
    assert refused.exit_code == 2
    typed = re.search(r"if you trust that: (\S+ --study \S+);", refused.stderr)
    assert typed, refused.stderr
    assert storage in typed[1]
    assert optiproxy("report", *typed[1].split()).exit_code == 0
    monkeypatch.setenv("OPTIPROXY_STORAGE", storage)
    assert optiproxy("report", "out").exit_code == 0


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_search_keeps_what_finished_and_resumes(optiproxy, tmp_path, number):
    command = [sys.executable, "-c", HEEDING_CTRL_C, *QUICK, "--budget", "5000", "--out", "out"]
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        for _ in range(3):
            process.stderr.readline()
        process.send_signal(number)
        told = process.stderr.read()
    if number != signal.SIGKILL:
        assert process.returncode == 1
        assert "the same command" in told
        assert "Traceback" not in told
        assert read(tmp_path / "out")["stopped"] == "interrupted"
    assert optiproxy("report", "out").exit_code == 0
    resumed = optiproxy(*QUICK, "--budget", 4, "--out", "out")
    assert resumed.exit_code == 0
    assert len(read(tmp_path / "out")["trials"]) >= 3
