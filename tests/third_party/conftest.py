"""A package of someone else, installed into a folder of its own as pip would, offline."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optiproxy.cli.main import app

# Its own tests need it installed; `test_the_package_passes_its_own_tests` runs them.
collect_ignore = ["optiproxy_example"]

PACKAGE = Path(__file__).parent / "optiproxy_example"


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder in which the package is installed; the environment of the tests stays as it is."""
    folder = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--no-compile"]
    subprocess.run([*pip, "install", *offline, "--target", str(folder), str(PACKAGE)], check=True)
    return folder


@pytest.fixture
def installed(site, monkeypatch):
    """The package on Python's path, here and in other processes, and not imported yet."""
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    for name in [name for name in sys.modules if name.startswith("optiproxy_example")]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def optiproxy(installed, tmp_path, monkeypatch):
    """The command line, run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])
