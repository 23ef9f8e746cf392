"""Every example runs as it stands, with a small budget, and is as short as the documentation says."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"
ROWS = re.findall(r"^\| \[(\w+\.py)\].* \| (\d+) \|$", (ROOT / "docs" / "own-network.md").read_text(), re.MULTILINE)
MARK = re.compile(r"  # <-(?: was (?P<before>.+))?$")


def without_search(text: str) -> tuple[str, int]:
    """The script before a search was added to it, and how many lines that has changed.

    What is marked alone is left out. What says what it ``was`` becomes that again: the right-hand side of an assignment,
    else the whole line.
    """
    lines, changed = [], 0
    for line in text.splitlines():
        mark = MARK.search(line)
        changed += mark is not None
        if mark is None:
            lines.append(line)
        elif mark["before"]:
            indent, target = re.match(r"(\s*)((?:[\w.]+ = )?)", line).groups()
            lines.append(indent + target + mark["before"])
    return "\n".join(lines) + "\n", changed


def lint(path: Path) -> str:
    """What names are undefined or imported in vain, if any."""
    ruff = shutil.which("ruff", path=sysconfig.get_path("scripts"))
    command = [ruff, "check", "--isolated", "--no-cache", "--select", "F", "--output-format", "concise", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def skip_without(*packages: str) -> None:
    """Skip where one of the packages is missing. They are not imported here, where their warnings would be errors."""
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")


def needed(example: Path) -> list[str]:
    """The packages that a script says it needs beside those of optiproxy."""
    needs = re.search(r"\(needs (.*?)\)", example.read_text())
    return re.findall(r"`(\w+)`", needs[1]) if needs else []


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_prints_what_it_found(example, tmp_path):
    skip_without(*needed(example))
    done = subprocess.run(
        [sys.executable, str(example), "4"], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith("{"), done.stdout


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom_and_shows_what_it_found(tmp_path):
    skip_without("nbclient", "nbformat", "ipykernel")
    # In a process of its own, because the client warns, and the kernel reads the environment.
    script = (
        "import sys, nbclient, nbformat; book = nbformat.read(sys.argv[1], 4); "
        "nbclient.NotebookClient(book).execute(); nbformat.write(book, sys.argv[2])"
    )
    command = [sys.executable, "-c", script, str(NOTEBOOK), "run.ipynb"]
    environment = os.environ | {"BUDGET": "10"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    cells = [cell for cell in json.loads((tmp_path / "run.ipynb").read_text())["cells"] if cell["cell_type"] == "code"]
    shown = [kind for cell in cells for output in cell["outputs"] for kind in output.get("data", {})]
    assert shown.count("image/png") == 3, shown
    # Two results and a table; the progress of a search is text.
    assert shown.count("text/html") == 3, shown
    told = "".join(text for cell in cells for output in cell["outputs"] for text in output.get("text", []))
    assert told.count("\n10/10  ") == 2, told


def test_the_notebook_is_kept_without_what_it_has_shown():
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
    assert sum(len(cell["source"]) for cell in cells) < 80


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short(example):
    assert len(example.read_text().splitlines()) < 80


@pytest.mark.parametrize(("name", "lines"), ROWS, ids=[name for name, _ in ROWS])
def test_a_search_takes_at_most_fifteen_changed_lines_and_every_one_is_marked(name, lines, tmp_path):
    plain, changed = without_search((ROOT / "examples" / name).read_text())
    assert changed == int(lines) <= 15
    # Without the marked lines nothing of optiproxy is left, and nothing is missing.
    (tmp_path / name).write_text(plain)
    assert "optiproxy" not in plain.partition('"""\n')[2]
    assert lint(tmp_path / name).strip() in ("", "All checks passed!")


@pytest.mark.slow
def test_the_script_without_its_search_still_trains(tmp_path):
    plain, _ = without_search((ROOT / "examples" / "resume_and_export.py").read_text())
    (tmp_path / "plain.py").write_text(plain)
    done = subprocess.run(
        [sys.executable, "plain.py"], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 50


def test_every_marked_example_is_counted():
    assert sorted(name for name, _ in ROWS) == [path.name for path in EXAMPLES if "  # <-" in path.read_text()]
