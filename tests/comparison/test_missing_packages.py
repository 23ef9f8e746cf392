from __future__ import annotations

import json

import pytest

from optiproxy import registry
from optiproxy.comparison.compare import compare
from optiproxy.errors import PackageError

pytestmark = pytest.mark.slow


def test_an_algorithm_without_its_package_is_skipped_and_told(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTIPROXY_BENCH_ENV", str(tmp_path / "nowhere"))
    monkeypatch.delenv("OPTIPROXY_DATA", raising=False)
    settings = {"tasks": ["nasbench201-cifar10"], "seeds": 1, "budget": 2, "workers": 1}
    found = compare(algorithms=["random", "smac-rf"], out=tmp_path / "both", **settings)
    assert found.algorithms == ("random",)
    assert found.skipped == ("smac-rf",)
    assert json.loads((tmp_path / "both" / "settings.json").read_text())["skipped"] == ["smac-rf"]
    assert set(found.summaries["nasbench201-cifar10"]) == {"random"}
    with pytest.raises(PackageError, match="bench-env"):
        compare(algorithms=["smac-rf"], out=tmp_path / "none", **settings)


def test_what_a_package_has_searched_stays_when_the_package_has_gone(tmp_path, monkeypatch):
    monkeypatch.delenv("OPTIPROXY_DATA", raising=False)
    monkeypatch.setenv("OPTIPROXY_BENCH_ENV", str(tmp_path / "nowhere"))
    settings = {"tasks": ["nasbench201-cifar10"], "budget": 2, "workers": 1, "out": tmp_path / "both"}
    before = compare(algorithms=["random", "local-search"], seeds=1, **settings)
    # Local search stands in for a package that has searched here: only its name is looked up.
    monkeypatch.setattr(registry, "missing_package", lambda name: "Expected it here." if name == "local-search" else "")
    again = compare(algorithms=["random", "local-search"], seeds=1, **settings)
    assert again.results == before.results
    assert again.skipped == ()
    with pytest.raises(PackageError, match="Expected it here"):
        compare(algorithms=["random", "local-search"], seeds=2, **settings)
