"""``optiproxy compare`` and ``optiproxy report`` on comparisons, end to end."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET

import pytest
from typer.testing import CliRunner

from optiproxy.cli.main import app

pytestmark = pytest.mark.slow

TASK = "nasbench201-cifar10"
OTHER = "nasbench201-cifar100"


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A folder with two comparisons of other algorithms, seeds and budgets, one of which was extended."""
    folder = tmp_path_factory.mktemp("compared")
    both = "--algorithm local-search --algorithm random"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("OPTIPROXY_DATA", raising=False)
        for line in (
            f"{TASK} --algorithm random --seeds 1 --budget 4 --out cheap",
            f"{TASK} {OTHER} {both} --seeds 2 --budget 4 --out cheap",
            f"{TASK} --algorithm regularized-evolution --seeds 3 --budget 6 --out slow",
        ):
            done = CliRunner().invoke(app, ["compare", *line.split()])
            assert done.exit_code == 0, done.stderr
            if both in line:
                assert "8 searches, 1 of them finished earlier." in done.stderr
                assert "Ahead of local-search: none." in done.stdout
    return folder


@pytest.fixture
def two_folders(compared, tmp_path):
    """The two, which a test may change."""
    return tuple(shutil.copytree(compared / name, tmp_path / name) for name in ("cheap", "slow"))


def test_several_folders_make_one_page_and_one_summary(optiproxy, two_folders, tmp_path):
    cheap, slow = two_folders
    before = {path: path.read_bytes() for folder in two_folders for path in folder.rglob("*") if path.is_file()}
    told = optiproxy("report", cheap, slow, "--reference", "random", "--out", "both/page.html")
    assert told.exit_code == 0, told.stderr
    assert {path: path.read_bytes() for path in before} == before
    both = tmp_path / "both"
    summary = json.loads((both / "summary.json").read_text())
    assert {task: set(row) for task, row in summary.items()} == {
        TASK: {"local-search", "random", "regularized-evolution"},
        OTHER: {"local-search", "random"},
    }
    assert [summary[TASK][name]["seeds"] for name in ("random", "regularized-evolution")] == [2, 3]
    assert [summary[TASK][name]["budget"] for name in ("random", "regularized-evolution")] == [4, 6]
    assert summary[TASK]["random"] == json.loads((cheap / "summary.json").read_text())[TASK]["random"]
    statistics = json.loads((both / "statistics.json").read_text())
    assert statistics["reference"] == "random"
    assert {(test["task"], test["rival"], test["at"], test["pairs"]) for test in statistics["tests"]} == {
        (TASK, "local-search", 4, 2),
        (TASK, "regularized-evolution", 4, 2),
        (OTHER, "local-search", 4, 2),
    }
    page = (both / "page.html").read_text()
    assert page.count("optiproxy compare") == 2
    figures = {path.stem for path in (both / "figures").glob("*.svg")}
    assert {"overhead", "ranks-best_at_end", f"{TASK}-best", f"{OTHER}-survival"} <= figures
    for path in (both / "figures").glob("*.svg"):
        assert ET.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"
        assert "var(" not in path.read_text()

    refused = {
        "Say where with --out": ("report", cheap, slow),
        "belongs to a comparison": ("report", cheap, slow, "--out", slow / "page.html"),
        "searched nasbench201-cifar10 with the same seeds": ("report", cheap, cheap, "--out", "both/page.html"),
        "Unknown algorithm 'nope'": ("report", cheap, "--reference", "nope"),
        "Leave --study out": ("report", cheap, "--study", "x"),
        "holds no comparison": ("report", cheap, tmp_path, "--out", "both/page.html"),
    }
    for words, arguments in refused.items():
        answer = optiproxy(*arguments)
        assert answer.exit_code == 2, words
        assert words in answer.stderr


def test_a_page_elsewhere_leaves_other_statistics_alone_and_tells_what_is_not_in_it(optiproxy, two_folders, tmp_path):
    cheap, _ = two_folders
    (cheap / f"parts/{OTHER}--local-search--1.json").unlink()
    (tmp_path / "statistics.json").write_text("mine")
    told = optiproxy("report", cheap, "--out", "page.html")
    assert told.exit_code == 0, told.stderr
    assert "Not in the report: 1 of 8 searches" in told.stderr
    assert (tmp_path / "statistics.json").read_text() == "mine"
    assert not (tmp_path / "summary.json").exists()
    assert "1 to 2 seeds each" in (tmp_path / "page.html").read_text()


def test_a_search_has_no_reference(optiproxy):
    done = optiproxy("search", TASK, "--algorithm", "random", "--budget", 2, "--out", "one")
    assert done.exit_code == 0, done.stderr
    refused = optiproxy("report", "one", "--reference", "random")
    assert refused.exit_code == 2
    assert "Leave --reference out" in refused.stderr


def test_a_comparison_at_a_lower_fidelity(optiproxy, tmp_path, monkeypatch, data_folder):
    monkeypatch.setenv("OPTIPROXY_DATA", str(data_folder))
    settings = ("--algorithm", "random", "--seeds", 2, "--budget", 6, "--out", "low")
    done = optiproxy("compare", TASK, "--fidelity", 12, "--promote", 3, *settings)
    assert done.exit_code == 0, done.stderr
    assert "6 queries at fidelity 12, then the best 3 again at 200" in done.stdout
    (figures,) = json.loads((tmp_path / "low/summary.json").read_text())[TASK].values()
    assert (figures["fidelity"], figures["promote"], figures["epochs_mean"]) == (12, 3, 6 * 12 + 3 * 200)
    assert list(figures["marks"]) == ["9"]
    assert "--fidelity 12 --promote 3" in (tmp_path / "low/report.html").read_text()
    refused = optiproxy("compare", TASK, "--fidelity", 12, "--promote", 2, *settings)
    assert refused.exit_code == 2
    assert "promote of nasbench201-cifar10: 3, now 2" in refused.stderr
    full = optiproxy("compare", f"{TASK}-12epochs", "--fidelity", 200, *settings[:-1], "full")
    assert full.exit_code == 0, full.stderr
    (figures,) = json.loads((tmp_path / "full/summary.json").read_text())[f"{TASK}-12epochs"].values()
    assert (figures["fidelity"], figures["promote"], figures["epochs_mean"]) == (None, 0, 6 * 200)
