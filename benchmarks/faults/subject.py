"""The search that faults are done to: ``python subject.py FOLDER STORAGE OPTIONS``, the options as JSON.

Every training that returns, or fails by itself, has written a line into ``FOLDER/returned`` just before.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from optiproxy import search

SIDE = 100
CHOICES = {"a": [*range(SIDE)], "b": [*range(SIDE)]}
SECONDS = 0.1


def training(folder: Path, *, fail: int = 0, hang: int = 0, allocate: int = 0) -> Any:  # noqa: ANN401 - of a benchmark
    """A training that sleeps; so many of a hundred raise, hang with a process of their own, or take all memory."""

    def train(values: dict[str, int]) -> float:
        chance = (31 * values["a"] + 17 * values["b"]) % 100
        if chance < hang:
            subprocess.Popen(["sleep", "1000"])  # noqa: S607
            time.sleep(1000)
        if chance < allocate:
            resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))
            bytearray(2**33)
        time.sleep(SECONDS)
        with (folder / "returned").open("a") as file:
            file.write(f"{values['a']} {values['b']}\n")
        if chance < fail:
            raise RuntimeError("this one fails")
        return float(values["a"] * values["b"])

    return train


def main(folder: str, storage: str, options: str) -> None:
    """Search; what ends it is the last line on standard error."""
    given: dict[str, Any] = json.loads(options)
    if size := given.pop("file_size", None):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    jump, parts = given.pop("jump", 0.0), given.pop("training", {})
    real, began = time.time, time.monotonic()
    if jump:
        # There and back every second, as a clock that two sources correct.
        time.time = lambda: real() + (jump if int(time.monotonic() - began) % 2 else 0.0)
    usual = {"algorithm": "random", "workers": 4, "study": "s", "verbose": False, "max_failures": None}
    search(CHOICES, training(Path(folder), **parts), storage=storage, **{**usual, **given})


if __name__ == "__main__":
    print(f"process {os.getpid()}", flush=True)
    main(*sys.argv[1:])
