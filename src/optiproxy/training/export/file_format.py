"""The contract of a file format for networks, and the check that a written file answers as its network does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from optiproxy.errors import ExportError, OptiProxyError
from optiproxy.training.export.outputs import tensors
from optiproxy.training.forward import Inputs, evaluating
from optiproxy.training.latency import Latency, timed

_SECONDS = 0.2
"""Time limit of each of the two measurements of a file; that they are two shows how far they differ."""

TOLERANCE = 1e-5
"""Largest difference between outputs of a file and its network, relative to the largest output above 1.

Sums in another order differ by about 1e-6 in 32-bit numbers; a wrong graph differs by much more.
"""


@dataclass(frozen=True)
class Loaded:
    """A network read from its file.

    Attributes:
        call: Takes the network's inputs and returns its outputs, as tensors.
        batch: The one number of rows that it takes; None where any will do.
    """

    call: Callable[..., Any]
    batch: int | None = None


class FileFormat(Protocol):
    """One way to write a network down.

    Attributes:
        name: Its name on the command line.
        filename: Name of the file that is written.
        use: What the file is for, one sentence.
    """

    name: str
    filename: str
    use: str

    def write(self, network: nn.Module, inputs: Inputs, path: Path) -> None:
        """Write the network, which is in evaluation mode, so that it takes inputs like these.

        Raises:
            UsageError: If a package is missing.
            ExportError: If this network cannot be written.
            OSError: If the folder cannot be written.
        """
        ...

    def read(self, path: Path) -> Loaded:
        """Read what `write` wrote."""
        ...


@dataclass(frozen=True, kw_only=True)
class WrittenFile:
    """A file that was checked to answer as its network does.

    Attributes:
        path: Where it lies.
        use: What it is for, one sentence.
        difference: Largest difference between its outputs and the network's, relative to the largest output above 1.
        latency: Time for one input, measured on the file.
        again: Time for one input, measured once more, which shows how far measurements differ.
        batch: The one number of rows that it takes; None where any will do.
        shapes: Shape of each input's rows. A recorded graph takes no others; the source of a class may.
    """

    path: Path
    use: str
    difference: float
    latency: Latency
    again: Latency
    batch: int | None
    shapes: tuple[tuple[int, ...], ...]


def write_checked(network: nn.Module, example: Inputs, folder: Path, *, as_format: FileFormat) -> WrittenFile:
    """Write a network, read it back, compare the answers, and time the file on one thread.

    Args:
        network: Written in evaluation mode.
        example: One input, ``(1, ...)``.
        folder: Folder that exists.
        as_format: Format of the file.

    Raises:
        UsageError: If a package is missing.
        ExportError: If the network cannot be written in this format, or the file answers otherwise.
    """
    path = folder / as_format.filename
    with evaluating(network, example) as inputs:
        as_format.write(network, example, path)
        try:
            loaded = as_format.read(path)
            # `max` would pass over NaN, so that `_distance` returns infinity for it, and `not <=` catches the rest.
            far = max(_distance(network(*probe), loaded.call(*probe)) for probe in _probes(inputs, loaded.batch))
        except OptiProxyError:
            raise
        # A runtime raises what it likes where it lacks an operation.
        except Exception as error:
            raise ExportError(
                f"{path.name} cannot be compared with the network: {first_line(error)} Choose another format, and do not use the file."
            ) from error
        if not far <= TOLERANCE:
            raise ExportError(
                f"The outputs of {path.name} differ by {far:.2g} from the network's, more than {TOLERANCE:g}. "
                "Choose another format, and do not use the file."
            )
        # On one thread, as all latencies of the package.
        first, again = (timed(lambda: loaded.call(*inputs), seconds=_SECONDS) for _ in range(2))
    return WrittenFile(
        path=path,
        use=as_format.use,
        difference=far,
        latency=first,
        again=again,
        batch=loaded.batch,
        shapes=tuple(tuple(tensor.shape[1:]) for tensor in inputs),
    )


def _probes(inputs: tuple[Tensor, ...], batch: int | None) -> Iterator[tuple[Tensor, ...]]:
    """Yield inputs to compare on: the example, changed examples, and several rows together where the file takes them."""
    # The same probes each time: what passed once passes again.
    stream = torch.Generator().manual_seed(0)
    yield inputs
    # Other values show whether the graph depends on its inputs at all, or has recorded the answer to the example.
    changed = [tuple(_changed(tensor, stream) for tensor in inputs) for _ in range(3)]
    yield from changed
    if batch is None:
        # A number without rows is the same for all of them.
        yield tuple(torch.cat(rows) if rows[0].dim() else rows[0] for rows in zip(*changed, strict=True))


def _changed(tensor: Tensor, stream: torch.Generator) -> Tensor:
    """Make other values of the same kind: numbers are moved, and what may be an index stays one of those seen."""
    if tensor.is_floating_point():
        return tensor + torch.randn(tensor.shape, generator=stream, dtype=tensor.dtype)
    # Integers may be indices of an embedding, and others than those of the example may be out of its range.
    return tensor.flatten()[torch.randperm(tensor.numel(), generator=stream)].view_as(tensor)


def _distance(expected: object, answered: object) -> float:
    # Some formats know no structure, so that the tensors are compared in their order.
    wanted, given = tensors(expected), tensors(answered)
    if [leaf.shape for leaf in wanted] != [leaf.shape for leaf in given]:
        return math.inf
    return max((_largest(a, b) for a, b in zip(wanted, given, strict=True)), default=0.0)


def _largest(wanted: Tensor, given: Tensor) -> float:
    if not wanted.numel():
        return 0.0
    a, b = (tensor.to(torch.complex128 if tensor.is_complex() else torch.float64) for tensor in (wanted, given))
    # Equal infinities, of masked scores for example, are no difference, though they have none.
    differences = (a - b).abs().where(a != b, 0.0)
    # Small outputs are compared by their difference, large ones by its share.
    sizes = a.abs()
    scale = max(1.0, float(sizes.where(sizes.isfinite(), 0.0).max()))
    far = float(differences.max()) / scale
    # NaN compares as no difference; it is the largest.
    return math.inf if math.isnan(far) else far


def first_line(error: BaseException) -> str:
    """Return what somebody else's error says first, as one sentence that is no page."""
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0].strip()}"[:200] if lines else type(error).__name__
    return text if text.endswith(".") else text + "."
