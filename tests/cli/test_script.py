from __future__ import annotations

import json
import subprocess
import sys

import pytest

import optiproxy as package
from optiproxy import registry
from optiproxy.cli.main import main
from optiproxy.errors import UsageError

pytestmark = pytest.mark.slow


def script(*arguments, cwd=None):
    command = [sys.executable, "-m", "optiproxy", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_version():
    done = script("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"optiproxy {package.__version__}\n", "")


def test_errors_go_to_standard_error_without_a_traceback(tmp_path):
    done = script("search", "nope", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: Unknown task 'nope'.")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--debug", "search", "nope"], ["search", "nope", "--debug"]])
def test_debug_lets_the_error_through_wherever_it_stands(monkeypatch, arguments):
    monkeypatch.setattr(sys, "argv", ["optiproxy", *arguments])
    with pytest.raises(UsageError, match="Unknown task 'nope'"):
        main()


def test_help_and_listings_do_not_import_torch():
    listed = """
import sys
from typer.testing import CliRunner
from optiproxy.cli.main import app
for arguments in (["--help"], ["search", "--help"], ["tasks"], ["algorithms", "--json"]):
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
print([name for name in ("torch", "optuna", "sklearn", "pandas") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_registered_task_is_listed_with_what_it_is(optiproxy):
    found = {entry["id"]: entry for entry in json.loads(optiproxy("tasks", "--json").stdout)}
    assert {"digits", "nasbench201-cifar10", "nasbench201-cifar100", "nasbench201-imagenet16"} <= found.keys()
    for entry in found.values():
        if not entry["available"]:
            # No data is here: told with the command that gets it.
            assert set(entry["fetch"].split()[3:]) <= set(entry["data"])
            assert entry["fetch"].rpartition(" ")[0] in entry["problem"] or "data fetch" in entry["problem"]
            continue
        assert entry["space"]
        assert entry["size"] > 1
        assert entry["source"]
        assert {metric["name"] for metric in entry["metrics"]}
    text = optiproxy("tasks").stdout
    assert all(name in text for name in found)


def test_every_algorithm_is_listed(optiproxy):
    found = json.loads(optiproxy("algorithms", "--json").stdout)
    assert {"optiproxy", "random", "regularized-evolution"} <= {entry["name"] for entry in found}
    assert all(entry["description"] and entry["paper"] for entry in found)


def test_an_unexpected_error_is_one_line_and_exit_code_1(monkeypatch):
    def broken():
        raise ZeroDivisionError("a mistake\nof ours")

    monkeypatch.setattr(registry, "algorithms", broken)
    monkeypatch.setattr(sys, "argv", ["optiproxy", "algorithms"])
    with pytest.raises(SystemExit) as ended:
        main()
    # A text as exit code is printed on standard error, and the code is 1.
    assert ended.value.code == (
        "Error: ZeroDivisionError: a mistake of ours. This is unexpected; --debug shows where it came from."
    )
    monkeypatch.setattr(sys, "argv", ["optiproxy", "algorithms", "--debug"])
    with pytest.raises(ZeroDivisionError):
        main()
