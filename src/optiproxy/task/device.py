"""The device of a training: its worker's own, or what is there."""

from __future__ import annotations

import os

DEVICE = "OPTIPROXY_DEVICE"
"""Names the device of a worker process, set before it starts."""


def current_device() -> str:
    """What torch calls the device that a training in this process is to use: ``"cuda:0"`` or ``"cpu"``.

    In a worker that was given a device it is that one; elsewhere the first CUDA device, where torch sees one.
    """
    given = os.environ.get(DEVICE)
    if given:
        return given
    from torch import cuda

    return "cuda:0" if cuda.is_available() else "cpu"
