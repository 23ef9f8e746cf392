"""A package of our own at the other end of the pipe: random search, in a real process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from optiproxy.baselines.packages.pipe import Server

RANDOM_SEARCH = """
import random

def suggest(question):
    print("this is not for the pipe")
    rng = random.Random(question.step)
    for _ in range(30):
        yield [rng.random() if count is None else rng.randrange(count) for count in question.counts]
"""


@pytest.fixture(scope="session")
def random_search(tmp_path_factory):
    """The file of a random search."""
    path = tmp_path_factory.mktemp("servers") / "random_search.py"
    path.write_text(RANDOM_SEARCH)
    return path


@pytest.fixture
def script(tmp_path):
    """Writes the file of an algorithm."""

    def write(source: str) -> Path:
        path = tmp_path / "algorithm.py"
        path.write_text(source)
        return path

    return write


@pytest.fixture
def serve(script):
    """Starts servers of a source, and ends them after the test."""
    servers: list[Server] = []

    def start(source: str = RANDOM_SEARCH, *, python: str = sys.executable, timeout: float = 60.0) -> Server:
        servers.append(Server(Path(python), script(source), timeout=timeout))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
