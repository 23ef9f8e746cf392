from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def test_a_network_trained_for_real_is_searched_reported_and_exported(optiproxy, tmp_path):
    settings = ("--algorithm", "random", "--budget", 2, "--fidelity", 5, "--promote", 1)
    searched = optiproxy("search", "digits", *settings, "--out", "out")
    assert searched.exit_code == 0, searched.stderr
    content = json.loads((tmp_path / "out/result.json").read_text())
    assert [trial["fidelity"] for trial in content["trials"]] == [5, 5, 50]
    cheap = max(content["trials"][:2], key=lambda trial: trial["metrics"]["val_accuracy"])
    best = content["best"]
    assert best == content["trials"][2]
    assert best["architecture"] == cheap["architecture"]
    assert {"val_accuracy", "test_accuracy", "params", "flops", "latency_ms"} <= best["metrics"].keys()
    exported = optiproxy("export", "out", "--format", "torch")
    assert exported.exit_code == 0, exported.stderr
    folder = tmp_path / "out/export"
    assert "`network.pt2`" in (folder / "card.md").read_text()
    assert json.loads((folder / "architecture.json").read_text())["architecture"] == best["architecture"]
    count = (
        "import sys, network; print(sum(p.numel() for p in network.load().parameters()), 'optiproxy' in sys.modules)"
    )
    command = [sys.executable, "-c", count]
    loaded = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == [str(int(best["metrics"]["params"])), "False"]
    retrained = optiproxy("retrain", "out", "--seed", 7, "--epochs", 3)
    assert retrained.exit_code == 0, retrained.stderr
    again = tmp_path / f"out/retrain/query-{best['number']}-seed-7-epochs-3"
    content = json.loads((again / "architecture.json").read_text())
    assert (content["seed"], content["epochs"], content["architecture"]) == (7, 3, best["architecture"])
    assert f"{content['metrics']['repeated']['val_accuracy']:.5g}" in retrained.stdout
    assert (again / "weights.pt").exists()
    unknown = optiproxy("retrain", "out", "--query", 99)
    assert unknown.exit_code == 2
    assert "Unknown query '99'" in unknown.stderr
