from __future__ import annotations

import pytest
from typer.testing import CliRunner

from optiproxy.cli.main import app


@pytest.fixture
def optiproxy(tmp_path, monkeypatch):
    """The command line, run in an empty folder with the tables of the installed package."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPTIPROXY_DATA", raising=False)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])
