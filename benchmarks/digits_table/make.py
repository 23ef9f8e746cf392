"""Trains every distinct cell of NAS-Bench-201 on digits and writes the table of the task `digits-table`.

    python benchmarks/digits_table/make.py train FOLDER [SHARE/SHARES]
    python benchmarks/digits_table/make.py measure FOLDER
    python benchmarks/digits_table/make.py write FOLDER

The folder keeps what is done, one file per group of cells and seed: the same command again goes on from there. With 1/2
and 2/2, two processes train half of the groups each. `measure` takes the costs of all networks; `write` puts everything
into the package and prints the digest that `optiproxy.tables.table` must hold.
"""
# ruff: noqa: S603, S607

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from trainer import COMPILER, SOURCE, Trainer, build

import optiproxy
from optiproxy.spaces import Architecture, NASBench201
from optiproxy.tables.store.files import arrays_digest, read_arrays, write_arrays
from optiproxy.tables.table import PATH
from optiproxy.training import costs
from optiproxy.training.tasks.digits import DigitsTask

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

SEEDS = (0, 1, 2)
EPOCHS = (1, 2, 3, 5, *range(10, 51, 5))
"""After which validation and test images are classified; after each of all 50 it would take longer than the training."""

GROUP = 64
LATENCY_SECONDS = 0.004
"""That a measurement of latency takes: so short that most of them fall between two pauses of a busy machine."""

STEADY, ATTEMPTS = 0.2, 8
"""Interquartile range over median below which a measurement counts, and how often it is made at most."""


def cells() -> list[Architecture]:
    """One of each class of isomorphic cells, in order."""
    space = NASBench201()
    return sorted({space.canonical(architecture) for architecture in space.everything()})


def train(folder: Path, share: int, shares: int) -> None:
    """Train every cell with every seed that is not done yet; one line per group tells how far it is."""
    everything = cells()
    groups = [everything[i : i + GROUP] for i in range(0, len(everything), GROUP)]
    program = build(folder)
    for seed in SEEDS:
        trainer = Trainer(program, seed=seed, measured=EPOCHS)
        for number, group in enumerate(groups):
            path = folder / f"seed{seed}-{number:03}.npz"
            if number % shares != share - 1 or path.exists():
                continue
            start = time.perf_counter(), time.process_time()
            curves = [trainer.train(cell) for cell in group]
            spent = time.perf_counter() - start[0], time.process_time() - start[1]
            write_arrays(
                path,
                {
                    "cells": np.array(group, np.uint8),
                    "validation": np.stack([curve.validation for curve in curves]),
                    "test": np.stack([curve.test for curve in curves]),
                    "seconds": np.array(spent[1] / len(group)),
                },
            )
            print(
                f"seed {seed}, group {number + 1} of {len(groups)}: {len(group)} cells, "
                f"{spent[0]:.0f} s, {spent[1]:.0f} of them computing",
                flush=True,
            )


def measure(folder: Path) -> None:
    """Parameters, operations and latency of every untrained network, by the functions of the task."""
    task, rows = DigitsTask(), list[tuple[float, ...]]()
    start = time.perf_counter()
    for number, cell in enumerate(cells(), 1):
        network, example = task.untrained(cell), task.example()
        latency = steadiest(network, example)
        parameters, operations = costs.parameters(network), costs.flops(network, example)
        rows.append((parameters, operations, latency.median_ms, latency.iqr_ms))
        if number % 100 == 0:
            print(f"{number} cells measured in {time.perf_counter() - start:.0f} s", flush=True)
    parameters, operations, median, iqr = np.array(rows).T
    write_arrays(
        folder / "costs.npz",
        {
            "params": parameters.astype(np.uint32),
            "flops": operations.astype(np.uint32),
            # Four digits are more than a clock knows.
            "latency_ms": np.round(median, 4).astype(np.float32),
            "latency_iqr_ms": np.round(iqr, 4).astype(np.float32),
        },
    )


def steadiest(network: nn.Module, example: Tensor) -> costs.Latency:
    """The first steady measurement of latency, else the steadiest."""
    found: list[costs.Latency] = []
    for _ in range(ATTEMPTS):
        found.append(costs.latency(network, example, seconds=LATENCY_SECONDS))
        if found[-1].iqr_ms < STEADY * found[-1].median_ms:
            break
    return min(found, key=lambda latency: latency.iqr_ms / latency.median_ms)


def write(folder: Path) -> None:
    """Put the finished seeds and the costs into the package."""
    parts: dict[int, list[dict[str, NDArray[Any]]]] = {}
    for seed in SEEDS:
        files = sorted(folder.glob(f"seed{seed}-*.npz"))
        groups = [dict(read_arrays(file, remedy="")) for file in files]
        if groups and np.array_equal(np.concatenate([group["cells"] for group in groups]), cells()):
            parts[seed] = groups
    right = {
        name: np.stack([np.concatenate([group[name] for group in groups]) for groups in parts.values()])
        for name in ("validation", "test")
    }
    seconds = [float(group["seconds"]) * len(group["cells"]) for groups in parts.values() for group in groups]
    about = description(list(parts), sum(seconds) / 3600)
    arrays = {
        "cells": np.array(cells(), np.uint8),
        "epochs": np.array(EPOCHS, np.uint8),
        **right,
        **read_arrays(folder / "costs.npz", remedy="Run `measure` first."),
        "about": np.frombuffer(json.dumps(about, indent=1).encode(), np.uint8),
    }
    write_arrays(PATH, arrays)
    print(f"{PATH}: {PATH.stat().st_size:,} bytes, digest {arrays_digest(arrays)}\n{json.dumps(about, indent=1)}")


def description(seeds: list[int], hours: float) -> dict[str, Any]:
    """How the table was made, for people."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = {line.partition(": ")[2] for line in lines if line.startswith("model name")}
    commit = subprocess.run(
        ["git", "log", "-1", "--format=%H", "--", str(SOURCE.parent)], capture_output=True, text=True, check=True
    )
    return {
        "what": "right answers on digits of every distinct NAS-Bench-201 cell",
        "arrays": "validation and test: (seeds, cells, epochs), of 748 and 749 images",
        "recipe": "that of the task digits, source digits-v1, 50 epochs",
        "seeds": seeds,
        "commit": commit.stdout.strip(),
        "processor_hours": round(hours, 2),
        "latency": f"steadiest of up to {ATTEMPTS} measurements of {LATENCY_SECONDS} s, one thread, beside other work",
        "processor": sorted(models),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "compiler": compiler(),
        "versions": {
            "optiproxy": optiproxy.__version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }


def compiler() -> str:
    """Version and options."""
    version = subprocess.run([COMPILER[0], "--version"], capture_output=True, text=True, check=True)
    return " ".join([version.stdout.splitlines()[0], *COMPILER[1:]])


def main() -> None:
    """One of the three steps."""
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=("train", "measure", "write"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("share", nargs="?", default="1/1")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.step == "train":
        train(arguments.folder, *(int(number) for number in arguments.share.split("/")))
    else:
        {"measure": measure, "write": write}[arguments.step](arguments.folder)


if __name__ == "__main__":
    main()
