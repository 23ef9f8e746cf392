from __future__ import annotations

import itertools
import sys
from importlib.metadata import EntryPoint

import pytest

COUNT = itertools.count()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder; Python's path is as before when the test has ended."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    return tmp_path


@pytest.fixture
def module(folder):
    """Writes a module of a new name into the current folder, and returns the name."""

    def write(source: str) -> str:
        name = f"own_module_{next(COUNT)}"
        (folder / f"{name}.py").write_text(source)
        return name

    return write


@pytest.fixture
def register(monkeypatch):
    """Registers ``name -> MODULE:NAME`` for a kind, as the entry points of a package would."""

    class Package:
        name = "theirs"

    def write(kind: str, **names: str) -> None:
        group = f"optiproxy.{kind}s"
        points = [EntryPoint(name.replace("_", "-"), target, group) for name, target in names.items()]
        for point in points:
            vars(point).update(dist=Package())
        monkeypatch.setattr(
            "optiproxy.registry.entries.entry_points", lambda group: points if group == f"optiproxy.{kind}s" else []
        )

    return write
