"""Modules under the names of the version before, for one version more: an import says where the module is now."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import final

MOVED = {
    "benchmarks": "tables",
    "benchmarks.arrays": "tables.store.files",
    "benchmarks.table": "tables.table",
    "benchmarks.digits_table": "tables.table",
    "benchmarks.hwnasbench": "tables.nasbench201",
    "benchmarks.nasbench101": "tables.nasbench101",
    "benchmarks.nasbench201": "tables.nasbench201",
    "benchmarks.nasbench301": "tables.nasbench301",
    "benchmarks.nasbench_nlp": "tables.nasbench_nlp",
    "comparing": "comparison",
    "comparing.compare": "comparison.compare",
    "running": "searching",
    "running.evaluation": "execution.evaluation",
    "running.executors": "execution.executors",
    "running.function": "task.function",
    "running.hypervolume": "results.hypervolume",
    "running.profiling": "profiling.measuring",
    "running.progress": "searching.progress",
    "running.protocol": "task.protocol",
    "running.registry": "registry",
    "running.result": "results.result",
    "running.search": "searching.run",
    "running.training_trial": "task.training_trial",
    "spaces.configspace": "spaces.building.from_libraries",
    "spaces.darts": "spaces.published.darts",
    "spaces.define_by_run": "spaces.building.from_libraries",
    "spaces.distinct": "spaces.wrapper",
    "spaces.graph": "graph",
    "spaces.model": "spaces.building.model",
    "spaces.nasbench101": "spaces.published.nasbench101",
    "spaces.nasbench201": "spaces.published.nasbench201",
    "spaces.recurrent": "spaces.published.recurrent",
    "training.devices": "training.costs",
    "training.digits": "training.tasks.digits",
    "training.pydoc_chars": "training.tasks.pydoc_chars",
}
"""Old name -> new name, both within the package. Names that the old module had and the new one has not are gone."""

PACKAGE = __name__.rpartition(".")[0]


@final
class RenamedFinder(MetaPathFinder, Loader):
    """Finds a module by its old name; asked by Python only after all other finders have found nothing."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the interface of finders
        target: ModuleType | None = None,  # noqa: ARG002 - the same
    ) -> ModuleSpec | None:
        old = fullname.removeprefix(f"{PACKAGE}.")
        if not fullname.startswith(f"{PACKAGE}.") or old not in MOVED:
            return None
        # A package, so that Python asks for the old modules within it.
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = ModuleType(spec.name)
        new = f"{PACKAGE}.{MOVED[spec.name.removeprefix(f'{PACKAGE}.')]}"
        warnings.warn(f"{spec.name} is now {new}; the old name goes with the next version.", DeprecationWarning, 2)
        found = import_module(new)
        module.__dict__.update({name: value for name, value in vars(found).items() if not name.startswith("__")})
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: the module holds what the new one does."""


def install() -> None:
    """Let Python find the old names; called when the package is imported."""
    if not any(isinstance(finder, RenamedFinder) for finder in sys.meta_path):
        sys.meta_path.append(RenamedFinder())
