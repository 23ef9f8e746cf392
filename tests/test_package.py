"""The package as a whole: what importing it costs, what it exports, who may import whom."""

from __future__ import annotations

import ast
import importlib
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import optiproxy

HEAVY = {"torch", "optuna", "pandas", "sklearn", "scipy", "numpy", "plotly", "matplotlib"}


def _modules_after(statement: str) -> set[str]:
    program = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import optiproxy",
        "from optiproxy import FlatSpace, NASBench201, Space, Task",
        "from optiproxy import Goal, Limit, Metric, Objective, DataError, UsageError",
    ],
)
def test_importing_the_package_is_light(statement):
    assert _modules_after(statement) & HEAVY == set()


def test_what_is_exported_is_what_type_checkers_see():
    tree = ast.parse(Path(optiproxy.__file__).read_text())
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.asname: f"{node.module}" for node in guarded.body for alias in node.names}
    assert seen == optiproxy._HOME
    assert sorted(optiproxy.__all__) == sorted(["__version__", *seen]) == dir(optiproxy)


@pytest.mark.parametrize("name", optiproxy.__all__)
def test_every_exported_name_is_there(name):
    exported = getattr(optiproxy, name)
    if name != "__version__":
        assert exported is getattr(importlib.import_module(optiproxy._HOME[name]), name)


def test_other_names_are_not_there():
    with pytest.raises(AttributeError, match="no attribute 'sarch'"):
        _ = optiproxy.sarch


def test_layers_are_kept():
    """The contracts are in pyproject.toml; above all, the search cannot reach a table's values."""
    command = shutil.which("lint-imports", path=sysconfig.get_path("scripts"))
    assert command, "import-linter is part of the development tools: run `make setup`"
    root = Path(__file__).parent.parent
    done = subprocess.run([command, "--no-cache"], capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "optiproxy", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "search" in done.stdout


@pytest.mark.slow
def test_modules_are_found_under_the_names_of_the_version_before():
    """In a process of their own, where a warning is no error."""
    program = (
        "import importlib, warnings\n"
        "from optiproxy.renamed import MOVED\n"
        "for old, new in MOVED.items():\n"
        "    with warnings.catch_warnings(record=True) as told:\n"
        "        warnings.simplefilter('always')\n"
        "        found = importlib.import_module(f'optiproxy.{old}')\n"
        "    assert any(f'optiproxy.{new}' in str(one.message) for one in told), old\n"
        "    assert vars(found).items() >= {n: v for n, v in vars(importlib.import_module(f'optiproxy.{new}')).items()"
        " if not n.startswith('__')}.items(), old\n"
        "from optiproxy.running.search import run\n"
        "from optiproxy.running import registry\n"
        "from optiproxy.benchmarks import TableTask\n"
        "from optiproxy.spaces.nasbench201 import NASBench201\n"
        "import optiproxy; assert NASBench201 is optiproxy.NASBench201 and registry.tasks() and callable(optiproxy.search)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
