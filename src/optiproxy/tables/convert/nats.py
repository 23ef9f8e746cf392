"""NAS-Bench-201 from the official archives (Dong et al., NATS-Bench, TPAMI 2021, arXiv 2009.00437).

Three forms hold the same records: ``NATS-tss-v1_0-3ffb9-simple.tar`` and the folder that it unpacks to, one compressed
pickle per cell; and ``NAS-Bench-201-v1_1-096897.pth``, everything in one file of torch (about 5 GB, and more in memory).
"""

from __future__ import annotations

import bz2
import re
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from optiproxy.errors import DataError
from optiproxy.tables.convert.nasbench201 import COUNT, describe
from optiproxy.tables.store.pickles import NUMPY, number, unpickle_unknown

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_COMPRESSED = 4 * 2**20
"""Bytes of one cell's file; the official ones have about 70 kB."""

MAX_RECORD = 32 * 2**20
"""Bytes of the same, expanded; the official ones have less than 1 MB."""

_MEMBER = re.compile(r"(?:.*/)?(\d{6})\.pickle\.pbz2")

_COLUMNS = {
    "cifar10_valid": ("cifar10-valid", "x-valid"),
    "cifar10_test": ("cifar10", "ori-test"),
    "cifar100_valid": ("cifar100", "x-valid"),
    "cifar100_test": ("cifar100", "x-test"),
    "imagenet16_120_valid": ("ImageNet16-120", "x-valid"),
    "imagenet16_120_test": ("ImageNet16-120", "x-test"),
}
"""Our column -> dataset of the training and split of its evaluation, as NAS-Bench-201 prescribes (section 2.2).

The validation accuracy on CIFAR-10 is of networks trained on one half of its training set, the test accuracy of networks
trained on all of it.
"""

_KINDS = {200: ("200", "full"), 12: ("12", "less")}
"""Epochs -> how the records call a training, in the newer and the older form."""

_AGAIN = "Get the archive again from its source."

# A dictionary that keeps its order, which every dictionary does.
_CONSTRUCTORS = NUMPY | {"collections.OrderedDict": dict}


def convert(path: Path) -> dict[str, NDArray[Any]]:
    """Make the table that `optiproxy.tables.convert.nasbench201.convert` makes, from an official archive.

    Accuracies are means over the trainings that the archive holds, each after its last epoch.

    Args:
        path: The archive, or the folder that it was unpacked to. Nothing of it is written anywhere.

    Raises:
        DataError: If it is another kind of file, damaged, incomplete or hostile.
    """
    texts: dict[int, str] = {}
    values: dict[int, dict[str, float]] = {}
    for index, record in _records(path):
        if index in texts or not 0 <= index < COUNT:
            raise DataError(f"Expected each of {COUNT:,} cells once in {path}, got number {index} again. {_AGAIN}")
        texts[index], values[index] = _cell(record, index)
    if len(texts) < COUNT:
        raise DataError(f"Expected {COUNT:,} cells in {path}, got {len(texts):,}. {_AGAIN}")
    arrays = describe([texts[index] for index in range(COUNT)])
    names = [f"{column}_{epochs}" for column in _COLUMNS for epochs in _KINDS]
    return arrays | {name: np.array([values[index][name] for index in range(COUNT)]) for name in names}


def _records(path: Path) -> Iterator[tuple[int, object]]:
    """Yield number and record of each cell, in the order of the archive."""
    if path.is_dir():
        for file in sorted(path.iterdir()):
            if (found := _MEMBER.fullmatch(file.name)) and file.is_file():
                with file.open("rb") as opened:
                    yield int(found[1]), _record(opened.read(MAX_COMPRESSED + 1), file.name)
    elif tarfile.is_tarfile(path):
        yield from _tar_records(path)
    else:
        yield from _torch_records(path)


def _tar_records(path: Path) -> Iterator[tuple[int, object]]:
    try:
        # A stream without compression, as published: it cannot expand, members are never written, and names and links in
        # it lead nowhere.
        with tarfile.open(path, "r|") as archive:
            for member in archive:
                found = _MEMBER.fullmatch(member.name)
                if found and member.isreg():
                    opened = archive.extractfile(member)
                    content = opened.read(MAX_COMPRESSED + 1) if opened else b""
                    yield int(found[1]), _record(content, member.name)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise DataError(f"Cannot read the archive {path}: {error}. {_AGAIN}") from error


def _record(compressed: bytes, name: str) -> object:
    if len(compressed) > MAX_COMPRESSED:
        raise DataError(f"Expected at most {MAX_COMPRESSED:,} bytes of {name}, got more. {_AGAIN}")
    # Not `bz2.decompress`, which expands without end.
    expander = bz2.BZ2Decompressor()
    try:
        content = expander.decompress(compressed, MAX_RECORD)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"Expected {name} to be compressed by bzip2: {error}. {_AGAIN}") from error
    if not expander.eof:
        raise DataError(f"{name} is cut short or expands to more than {MAX_RECORD:,} bytes. {_AGAIN}")
    return unpickle_unknown(content, _CONSTRUCTORS)


def _torch_records(path: Path) -> Iterator[tuple[int, object]]:
    import torch

    try:
        # Containers and tensors alone; anything else that the file names is refused by torch.
        loaded: object = torch.load(path, map_location="cpu", weights_only=True)
        records = cast("Mapping[int, object]", cast("Any", loaded)["arch2infos"])
        numbered = list(records.items())
    except Exception as error:
        # A damaged stream can fail in almost any way. What torch says is left out: it advises to trust the file.
        raise DataError(f"Expected an official archive of NAS-Bench-201, and {path} is none. {_AGAIN}") from error
    yield from numbered


def _cell(record: object, index: int) -> tuple[str, dict[str, float]]:
    """Read architecture string and values of one cell."""
    text, values = "", dict[str, float]()
    try:
        for epochs, kinds in _KINDS.items():
            kept = cast("Any", record)
            trained = next(kept[kind] for kind in kinds if kind in kept)
            text = trained["arch_str"]
            # Epochs count from 0 in the records.
            for column, (dataset, split) in _COLUMNS.items():
                seeds = trained["dataset_seed"][dataset]
                found = [
                    number(trained["all_results"][dataset, seed]["eval_acc1es"][f"{split}@{epochs - 1}"])
                    for seed in seeds
                ]
                values[f"{column}_{epochs}"] = sum(found) / len(found)
    except (AttributeError, TypeError, ValueError, KeyError, IndexError, StopIteration, ZeroDivisionError) as error:
        raise DataError(
            f"Expected the trainings of cell {index} for 12 and 200 epochs, and they are not there. {_AGAIN}"
        ) from error
    if not isinstance(text, str):
        raise DataError(f"Expected an architecture string of cell {index}. {_AGAIN}")
    return text, values
