"""Devices of worker processes: each sees its own and no other, whatever its training asks for."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from optiproxy.errors import UsageError
from optiproxy.task.device import DEVICE

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""What CUDA reads when it starts in a process: the devices that are there, by number or identifier."""


def device_names(devices: int | Sequence[str]) -> tuple[str, ...]:
    """One name for each worker.

    Args:
        devices: Names like ``"cuda:1"`` and ``"cpu"``, where a name that comes twice has two workers; or how many CUDA devices.

    Raises:
        UsageError: If one is no such name, or there is none.
    """
    if isinstance(devices, int) and not isinstance(devices, bool):
        names = tuple(f"cuda:{number}" for number in range(devices))
    else:
        # A text is a sequence of letters, and True is a number, to Python alone.
        names = () if isinstance(devices, str | bool) else tuple(devices)
    if not names:
        raise UsageError(f"Expected devices like ['cuda:0', 'cuda:1'], or how many, got {devices!r}.")
    for name in names:
        visible_to(name)
    return names


def visible_to(device: str) -> dict[str, str]:
    """The environment of a process that is to see this device alone.

    Where this process itself sees a selection, as under a job scheduler, the number counts within the selection.

    Raises:
        UsageError: If it is neither ``"cpu"`` nor ``"cuda:N"``, or not within the selection.
    """
    if device == "cpu":
        return {VISIBLE: "", DEVICE: "cpu"}
    # Of a user without a type checker it may be anything.
    named = re.fullmatch(r"cuda:(\d+)", str(device), re.ASCII)
    if named is None:
        raise UsageError(f"Expected a device like 'cuda:0' or 'cpu' for a worker, got {device!r}.")
    number = int(named[1])
    # In there it is the only one, and so the first.
    return {VISIBLE: _identifier(number, os.environ), DEVICE: "cuda:0"}


def _identifier(number: int, environment: Mapping[str, str]) -> str:
    selection = environment.get(VISIBLE)
    if selection is None:
        return str(number)
    selected = [name.strip() for name in selection.split(",") if name.strip()]
    if number >= len(selected):
        raise UsageError(
            f"Expected one of the {len(selected)} devices of {VISIBLE}={selection}, got 'cuda:{number}'. Numbers count within "
            "that selection, from 0."
        )
    return selected[number]
