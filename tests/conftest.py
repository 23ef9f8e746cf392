"""Fixtures that several folders share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# The same examples in every run: a failure is a failure for everyone, and no timing decides.
settings.register_profile("optiproxy", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("optiproxy")


@pytest.fixture(scope="session", autouse=True)
def _empty_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the user has fetched plays no part, and without OPTIPROXY_DATA no test finds data."""
    with pytest.MonkeyPatch.context() as environment:
        # One for the processes of a run: a space is pretrained on once, not in each of them.
        folder = tmp_path_factory.getbasetemp()
        shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
        environment.setenv("XDG_CACHE_HOME", str(shared / "cache"))
        yield


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder with the benchmarks' data files."""
    folder = os.environ.get("OPTIPROXY_DATA")
    if not folder:
        pytest.skip("needs the benchmarks' data files: set OPTIPROXY_DATA to their folder")
    return Path(folder)


@pytest.fixture(scope="session")
def light_parts() -> dict[str, Any]:
    """Tiny parts of OptiProxy: for what holds whatever their size. What it finds is of no consequence."""
    from optiproxy.optimizer.ascent import Ascent
    from optiproxy.optimizer.starts import NearIncumbents
    from optiproxy.proxy import StructuralProxy
    from optiproxy.proxy.encoder import EnsembleConfig, PretrainingConfig

    proxy = StructuralProxy(
        ensemble=EnsembleConfig(members=2, width=8, layers=2),
        pretraining=PretrainingConfig(steps=4, batch=16),
        unlabelled=64,
    )
    return {"proxy": proxy, "ascent": Ascent(steps=4), "starts": NearIncumbents(count=4)}
