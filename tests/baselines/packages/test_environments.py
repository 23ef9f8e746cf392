from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from optiproxy.baselines.packages import environments
from optiproxy.baselines.packages.environments import ENVIRONMENTS, Environment
from optiproxy.errors import PackageError, UsageError

pytestmark = pytest.mark.slow


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """An environment without a package, which needs no network."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "tiny.txt").write_text("# nothing\n")
    monkeypatch.setattr(environments, "_REQUIREMENTS", tmp_path / "requirements")
    monkeypatch.setenv("OPTIPROXY_BENCH_ENV", str(tmp_path / "built"))
    monkeypatch.setattr(environments, "ENVIRONMENTS", {"tiny": Environment(name="tiny", beside_ours=True)})
    return environments.ENVIRONMENTS["tiny"]


def test_builds_what_is_missing_or_out_of_date_and_nothing_else(tiny, capsys):
    assert not tiny.ready
    environments.main([])
    assert tiny.ready
    assert str(tiny.folder) in capsys.readouterr().out
    seen = subprocess.run(
        [tiny.python, "-I", "-c", "import numpy, sys; print(sys.prefix)"], check=True, capture_output=True, text=True
    )
    assert seen.stdout.strip() == str(tiny.folder)  # beside ours: it has numpy
    environments.main(["tiny"])
    assert not capsys.readouterr().out
    tiny.requirements.write_text("# nothing else\n")
    assert not tiny.ready


def test_a_build_that_fails_leaves_nothing_that_looks_ready(tiny):
    tiny.requirements.write_text("./nowhere/no-such-package\n")
    with pytest.raises(PackageError, match=r"pip .*install.*failed: .*no-such-package.*Correct that and run it again"):
        environments.main([])
    assert not tiny.ready


def test_an_interrupted_build_is_not_ready(tiny):
    tiny.python.parent.mkdir(parents=True)
    tiny.python.write_text("")
    assert not tiny.ready


def test_an_unknown_environment_is_told():
    with pytest.raises(UsageError, match="Did you mean 'smac'"):
        environments.main(["smack"])


def test_lies_within_our_environment_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("OPTIPROXY_BENCH_ENV", raising=False)
    assert ENVIRONMENTS["smac"].folder == Path(sys.prefix) / "bench-env" / "smac"


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_every_package_is_pinned(environment):
    lines = environment.requirements.read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line) for line in lines)
    assert environment.name in {line.split("==")[0].lower() for line in lines}
