"""Parameters and FLOPs of the networks that NAS-Bench-201 builds around a cell (arXiv 2001.00326, section 2.2).

A convolution of 3 -> 16 channels; 5 cells at each of 16, 32 and 64 channels and 32, 16 and 8 pixels; a residual block of
stride 2 before the second and third five; a linear classifier. The benchmark counts a convolution also where nothing
reaches it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optiproxy.spaces.published.nasbench201 import OPERATIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CELLS = 5
_STAGES = ((16, 32), (32, 16), (64, 8))
"""(channels, pixels along a side) of the cells."""

_KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 9}
"""Operations with weights -> values of a kernel."""


def parameters(architectures: NDArray[np.integer], classes: int) -> NDArray[np.float64]:
    """Parameters in millions, ``(n,)``.

    Args:
        architectures: ``(n, 6)`` positions in `OPERATIONS`.
        classes: Of the classifier.
    """
    operations = [
        sum(_CELLS * (kernel * channels**2 + 2 * channels) for channels, _ in _STAGES) if kernel else 0
        for kernel in _kernels()
    ]
    outside_cells = 72_656 + 65 * classes
    return _total(operations, architectures, outside_cells)


def flops(architectures: NDArray[np.integer], classes: int) -> NDArray[np.float64]:
    """Multiplications of convolutions and classifier for one image of 32 x 32 pixels, in millions, ``(n,)``.

    Args:
        architectures: ``(n, 6)`` positions in `OPERATIONS`.
        classes: Of the classifier.
    """
    operations = [
        sum(_CELLS * kernel * (channels * pixels) ** 2 for channels, pixels in _STAGES) for kernel in _kernels()
    ]
    stem = 3 * 16 * 9 * 32**2
    # Two convolutions 3x3 and, beside them, one 1x1.
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
