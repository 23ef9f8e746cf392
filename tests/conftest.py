"""Fixtures that several folders share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run: a failure is a failure for everyone, and no timing decides.
settings.register_profile("optiproxy", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("optiproxy")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder with the benchmarks' data files."""
    folder = os.environ.get("OPTIPROXY_DATA")
    if not folder:
        pytest.skip("needs the benchmarks' data files: set OPTIPROXY_DATA to their folder")
    return Path(folder)
