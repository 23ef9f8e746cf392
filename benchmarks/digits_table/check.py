"""Trains 50 cells of the table `digits-table` again, by the task `digits` itself, and compares.

    python benchmarks/digits_table/check.py FOLDER

Same seed, same recipe, same images; but sums are taken in another order, and a training magnifies the last bits of its
first steps until they matter. So the values must be as close as those of two seeds are, and no closer. The other seeds
are trained by the program that made the table. FOLDER keeps the trainings. Fails unless, for validation and test, the
two differ by less than two seeds do, and on average by less than three standard errors.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from make import EPOCHS, cells
from scipy.stats import spearmanr
from trainer import Trainer, build

from optiproxy.tables.store.files import read_arrays, write_arrays
from optiproxy.tables.table import PATH
from optiproxy.training.tasks.digits import DigitsTask

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE = 50
SEEDS = (0, 1, 2)
IMAGES = {"validation": 748, "test": 749}
METRICS = {"validation": "val_accuracy", "test": "test_accuracy"}


def retrained(folder: Path, sample: NDArray[np.integer]) -> dict[str, NDArray[np.floating]]:
    """Accuracies ``(cells,)`` of the task `digits`, seed 0."""
    path = folder / "retrained.npz"
    if not path.exists():
        task, everything = DigitsTask(), cells()
        found: list[dict[str, float]] = []
        for number, index in enumerate(sample, 1):
            found.append(task.evaluate(everything[index], seed=SEEDS[0]))
            print(f"{number} of {len(sample)} trained by torch", flush=True)
        write_arrays(path, {part: np.array([values[name] for values in found]) for part, name in METRICS.items()})
    return read_arrays(path, remedy="Delete it.")


def seeds(folder: Path, sample: NDArray[np.integer]) -> dict[str, NDArray[np.floating]]:
    """Accuracies ``(seeds, cells)`` of the program that made the table."""
    everything, program = cells(), build(folder)
    curves = [
        [trainer.train(everything[index]) for index in sample]
        for trainer in (Trainer(program, seed=seed, measured=EPOCHS[-1:]) for seed in SEEDS)
    ]
    return {
        part: percent(np.array([[getattr(curve, part)[-1] for curve in row] for row in curves]), images)
        for part, images in IMAGES.items()
    }


def percent(right: NDArray[np.integer], images: int) -> NDArray[np.floating]:
    """Right answers as accuracy."""
    return 100 * (right / images)


def main() -> None:
    """Print figures; exit with 1 where the table is not confirmed."""
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    sample = np.random.default_rng(0).choice(len(cells()), SAMPLE, replace=False)
    by_torch, by_seed = retrained(folder, sample), seeds(folder, sample)
    table = read_arrays(PATH, remedy="Make it first.")
    confirmed = True
    for part, images in IMAGES.items():
        tabulated = percent(table[part][0, sample, -1], images)
        difference = by_torch[part] - tabulated
        apart = np.sqrt(np.mean(difference**2))
        seeds_apart = np.sqrt(2 * by_seed[part].var(axis=0, ddof=1).mean())
        error = difference.std(ddof=1) / np.sqrt(SAMPLE)
        confirmed &= bool(apart <= seeds_apart and abs(difference.mean()) <= 3 * error)
        print(
            f"{part}: table and torch differ by {difference.mean():+.2f} points (standard error {error:.2f}), "
            f"root mean square {apart:.2f}; two seeds by {seeds_apart:.2f}. Median {np.median(np.abs(difference)):.2f}, "
            f"of two seeds {np.median(np.abs(by_seed[part][0] - by_seed[part][1])):.2f}. "
            f"Rank correlation {spearmanr(by_torch[part], tabulated).statistic:.3f}, "
            f"of two seeds {spearmanr(*by_seed[part][:2]).statistic:.3f}. "
            f"The program gives the table's values again for {np.mean(by_seed[part][0] == tabulated):.0%} of the cells."
        )
    print("The table is confirmed." if confirmed else "The table is NOT confirmed.")
    sys.exit(not confirmed)


if __name__ == "__main__":
    main()
