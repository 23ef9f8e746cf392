"""Every example runs as it stands, with a small budget, and is as short as the documentation says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
ROWS = re.findall(r"^\| \[(\w+\.py)\].* \| (\d+) \|$", (ROOT / "docs" / "own-network.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_prints_what_it_found(example, tmp_path):
    done = subprocess.run(
        [sys.executable, str(example), "4"], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith("{"), done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short(example):
    assert len(example.read_text().splitlines()) < 80


@pytest.mark.parametrize(("name", "lines"), ROWS, ids=[name for name, _ in ROWS])
def test_a_search_takes_at_most_fifteen_changed_lines(name, lines):
    marked = [
        line for line in (ROOT / "examples" / name).read_text().splitlines() if re.search(r"# <-( was .*)?$", line)
    ]
    assert len(marked) == int(lines) <= 15


def test_every_marked_example_is_counted():
    assert sorted(name for name, _ in ROWS) == [path.name for path in EXAMPLES if "  # <-" in path.read_text()]
